"""A number that competes for a maximum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinycnn.explain.values.sums import Source, Term


@dataclass(frozen=True)
class Candidate:
    """A number that competes in a window: ``source`` says which of the input's it is.

    ``windows`` are all that hold it, each with its maximum, and in words what came of it there.
    """

    value: float
    source: Source
    windows: tuple[Term, ...]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        windows = [window.to_dict() for window in self.windows]
        return {"value": self.value, "source": self.source.to_dict(), "windows": windows}
