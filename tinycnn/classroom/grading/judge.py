"""A process that grades files, one after the other: `tinycnn.classroom.grading.judges` starts it.

No code of the files runs here. What comes in and goes out is pickled by this package on both sides.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from tinycnn.classroom.grading.grading import grade
from tinycnn.classroom.grading.report import Grade
from tinycnn.errors import TinyCNNError
from tinycnn.files import shown
from tinycnn.wording import said_or_kind

_MOMENT = 0.01  # seconds


def graded(path: Path, options: Mapping[str, Any]) -> Grade:
    """Grade a file, whatever becomes of it: one that can't be graded must not stop the others."""
    try:
        return grade(path, **options)
    except TinyCNNError as error:
        problem = str(error)
    except Exception as error:  # an answer that nobody has thought of
        problem = f"{shown(path.name)} cannot be graded: {said_or_kind(error)}"
    return Grade(options.get("exercise") or "", shown(path.name), problem=problem)


def end_when_told() -> None:
    """Let SIGTERM end this process by an exception, so that what was started is ended as well.

    Where Python drops the exception, as it does in a callback of its garbage collector, the signal
    comes again a moment later.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(1)

    def dropped(what: sys.UnraisableHookArgs) -> None:
        if issubclass(what.exc_type, SystemExit) and hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, _MOMENT)
        else:
            sys.__unraisablehook__(what)

    sys.unraisablehook = dropped
    for name in ("SIGTERM", "SIGALRM"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)


def main() -> None:
    """Grade until nobody asks any more; end well, with what was started, when told to end."""
    end_when_told()
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    while True:
        try:
            question = pickle.load(requests)
        except EOFError:
            return
        pickle.dump(graded(*question), answers)
        answers.flush()


if __name__ == "__main__":
    main()
