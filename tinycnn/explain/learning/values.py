"""What learning is, as values: a row a step, and the settings under which it went."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class LearningStep:
    """One step, and what it was to do: all but ``after`` is from before it.

    ``weight`` is the watched number, ``gradient`` its gradient, ``loss`` that of the step's images, and
    ``after`` theirs after it, with the same dropout masks. ``predicted`` is the change of the loss to first
    order: each parameter's gradient times the way it moves, added up, which is -rate * |g|^2 without momentum
    and decay. ``tested`` is the loss of all images with dropout off, None where that is ``loss``.
    """

    number: int  # from 1
    weight: float
    gradient: float
    loss: float
    predicted: float
    after: float
    tested: float | None = None

    @property
    def real(self) -> float:
        """The change of the loss."""
        return self.after - self.loss

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {**asdict(self), "real": self.real}


@dataclass(frozen=True)
class StepSettings:
    """Of steps of SGD: ``rate``, ``momentum``, ``weight_decay``; whether dropout is on; images a step.

    ``batch`` is None where each step takes all images.
    """

    rate: float
    momentum: float
    weight_decay: float
    training: bool
    batch: int | None

    @property
    def is_plain(self) -> bool:
        """Whether each step goes straight down the gradient."""
        return self.momentum == 0 and self.weight_decay == 0

    @property
    def repeats(self) -> bool:
        """Whether every step meets the same images, and no dropout."""
        return self.batch is None and not self.training


@dataclass(frozen=True)
class Learning:
    """``steps`` of SGD with ``settings``, seen through one weight called ``name``.

    ``images`` counts all that there were, ``classes`` theirs, ``moving`` the parameters that move. After the
    last step the weight is ``weight``, and the loss of all images with dropout off ``tested``. ``str`` draws
    it for a terminal, notebooks show HTML.
    """

    name: str  # "conv1.W[5,5,0,3]"
    settings: StepSettings
    images: int
    classes: int
    moving: int
    steps: tuple[LearningStep, ...]
    weight: float
    tested: float

    @property
    def chance(self) -> float:
        """The loss of guessing: ln(classes)."""
        return math.log(self.classes)

    @property
    def ok(self) -> bool:
        """Whether the loss stayed a number to the end."""
        return math.isfinite(self.steps[-1].after)

    def __str__(self) -> str:
        from tinycnn.explain.readers.learning_text import draw_learning
        from tinycnn.explain.readers.style import Style

        return draw_learning(self, Style.plain())

    def _repr_html_(self) -> str:
        from tinycnn.explain.readers.notebook import draw_text

        return draw_text(str(self))

    def save(self, target: str | Path) -> None:
        """Draw the curves into the file ``target``, .svg or .png.

        Raises MissingExtraError without matplotlib (extra ``plot``), FileError where it cannot be written.
        """
        from tinycnn.explain.readers.learning_figure import save

        save(self, target)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        rows = [step.to_dict() for step in self.steps]
        return {**asdict(self), "steps": rows, "chance": self.chance, "ok": self.ok}
