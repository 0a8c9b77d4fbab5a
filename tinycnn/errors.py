"""The errors that users meet: one base class, and under it one class for each kind of mistake."""

from __future__ import annotations

from math import nan


class TinyCNNError(Exception):
    """Base of all errors raised on purpose; the text says what was expected, what came, and the remedy."""


class ShapeError(TinyCNNError, ValueError):
    """Sizes that do not fit together."""


class DTypeError(TinyCNNError, TypeError):
    """An array or argument of a kind that cannot be computed with."""


class ArgumentError(TinyCNNError, ValueError):
    """An argument outside its range."""


class TooLargeError(TinyCNNError, MemoryError):
    """An array that takes more memory than there is."""


class UnknownNameError(TinyCNNError, LookupError):
    """A layer, parameter, cell or variant that does not exist."""


class StaleTraceError(TinyCNNError, RuntimeError):
    """A backward pass asked of a trace whose model has changed since its forward pass."""


class RepeatedMasksWarning(UserWarning):
    """Training steps that are given the same int as ``rng``, and so drop the same cells each time."""


class FileError(TinyCNNError, OSError):
    """A file that is missing, damaged, foreign or too large."""


class CheckpointError(FileError):
    """A file of weights, a model or a checkpoint that is none, is damaged, or cannot be written."""


class DataError(TinyCNNError, ValueError):
    """A data set that is damaged, claims more than it holds, or whose parts do not fit together."""


class TrainingError(TinyCNNError, ArithmeticError):
    """A training run whose loss is no number any more or grows out of bounds; the text says what to try.

    ``what`` is its beginning, what was seen. ``step`` counts the optimizer's steps before it; ``loss``,
    ``gradient_norm`` and ``rate`` are those of the step that was not made.
    """

    def __init__(
        self,
        text: str,
        *,
        what: str = "",
        step: int = 0,
        loss: float = nan,
        gradient_norm: float = nan,
        rate: float = nan,
    ) -> None:
        super().__init__(text)
        self.what = what or text
        self.step, self.loss, self.gradient_norm, self.rate = step, loss, gradient_norm, rate


class DamagedPictureWarning(UserWarning):
    """A picture of a data set that can't be read, and is left out as ``on_error="skip"`` asks."""


class MissingExtraError(TinyCNNError, ImportError):
    """An optional library that is not installed; the text names the extra that brings it."""


class CheckFailedError(TinyCNNError, AssertionError):
    """A check of a layer that found something wrong; the text says what, and where it shows."""
