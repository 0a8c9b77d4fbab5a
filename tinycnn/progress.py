"""How far a long work is: a bar on stderr where that is a terminal, or where somebody asks for one."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from tinycnn.errors import MissingExtraError


class Progress:
    """A bar of ``total`` turns, None where nobody knows how many, by tqdm where it is installed.

    ``shown``: None, on a terminal only; True, wherever stderr leads, raising MissingExtraError without tqdm.
    A turn is one ``unit``, of which ``done`` are over.
    """

    def __init__(
        self,
        title: str,
        total: int | None,
        *,
        unit: str = "it",
        done: int = 0,
        shown: bool | None = None,
    ) -> None:
        self._bar: Any = None
        self.is_shown = sys.stderr.isatty() if shown is None else shown
        if not self.is_shown:
            return
        try:
            from tqdm import tqdm
        except ImportError as error:
            if shown:
                raise MissingExtraError(
                    "a progress bar needs tqdm: pip install 'tinycnn[progress]'"
                ) from error
            print(f"{title} ...", file=sys.stderr)
        else:
            self._bar = tqdm(total=total, desc=title, leave=False, unit=unit, initial=done)

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

    def name(self, title: str) -> None:
        """Give the bar another title, which is shown with its next turn."""
        if self._bar is not None:
            self._bar.set_description_str(title, refresh=False)

    def say(self, text: str) -> None:
        """Name what is being measured."""
        if self._bar is not None:
            self._bar.set_postfix_str(text)

    def note(self, text: str) -> None:
        """Let ``text`` stand beside the bar from its next turn on: for what changes many times a second."""
        if self._bar is not None:
            self._bar.set_postfix_str(text, refresh=False)

    def write(self, line: str) -> None:
        """Leave a line above the bar."""
        if self._bar is not None:
            self._bar.write(line, file=sys.stderr)
        elif self.is_shown:
            print(line, file=sys.stderr)

    def advance(self, turns: int = 1) -> None:
        """So many turns are done."""
        if self._bar is not None:
            self._bar.update(turns)
