"""How far a long work is: a bar on stderr where that is a terminal, else nothing."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any


class Progress:
    """A bar of ``total`` turns, None where nobody knows how many, by tqdm where it is installed."""

    def __init__(self, title: str, total: int | None) -> None:
        self._bar: Any = None
        if sys.stderr.isatty():
            try:
                from tqdm import tqdm
            except ImportError:
                print(f"{title} ...", file=sys.stderr)
            else:
                self._bar = tqdm(total=total, desc=title, leave=False)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def say(self, text: str) -> None:
        """Name what is being measured."""
        if self._bar is not None:
            self._bar.set_postfix_str(text)

    def advance(self) -> None:
        """One turn is done."""
        if self._bar is not None:
            self._bar.update()
