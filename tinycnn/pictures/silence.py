"""Pillow in silence: what it warns of and logs is said by our errors, or is nothing to a user."""

from __future__ import annotations

import logging
import warnings
from types import TracebackType
from typing import Any

from tinycnn.runtime.locks import new_lock

_MODULES = r"PIL\b|tinycnn\.pictures\b"  # some of its warnings count as the caller's
_lock = new_lock()
_readers: set[object] = set()
_filter: list[Any] = []  # ours, among those of `warnings`, while anybody reads
_handler = logging.NullHandler()  # without one, what is logged is printed on stderr


class silence:  # noqa: N801 - it reads as a word where it is used
    """Pillow's warnings are ignored inside the ``with`` block, in any number of threads at a time.

    `warnings.catch_warnings` is for one thread only: of two whose blocks overlap, the second puts back the
    first one's filters, which then stay for ever.
    """

    def __enter__(self) -> None:
        logging.getLogger("PIL").addHandler(_handler)  # once, for it is the same one
        with _lock:
            _readers.add(self)
            if not _filter:
                warnings.filterwarnings("ignore", module=_MODULES)
                _filter.append(warnings.filters[0])

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with _lock:
            _readers.discard(self)
            while _filter and not _readers:
                ours: Any = _filter.pop()
                others: Any = [each for each in warnings.filters if each is not ours]
                warnings.filters[:] = others  # type: ignore[index]
