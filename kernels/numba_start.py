"""Numba, imported whole or not at all."""

from __future__ import annotations

import _thread
import threading
from importlib import import_module
from typing import Any


def _start_numba() -> Any:  # Any: its annotations differ from version to version
    """Import Numba in a thread, which no signal reaches: half of it would stay, and never start again."""
    result: list[Any] = []
    done = threading.Lock()
    done.acquire()

    def load() -> None:
        try:
            result.append(import_module("numba"))
        except BaseException as error:  # the caller's
            result.append(error)
        finally:
            done.release()

    try:
        _thread.start_new_thread(load, ())
    except RuntimeError:  # there are no more threads to be had
        load()
    done.acquire()
    if isinstance(result[0], ValueError):  # of a variable NUMBA_... that says what can't be
        raise ImportError(f"Numba does not start: {result[0]}") from result[0]
    if isinstance(result[0], BaseException):
        raise result[0]
    return result[0]


numba = _start_numba()
