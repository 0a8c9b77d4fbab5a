"""Training passes that are given the same int again, and so drop the same cells at every step."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from tinycnn.errors import RepeatedMasksWarning

if TYPE_CHECKING:
    from tinycnn.model import Sequential


class MaskWatch:
    """Warns of them, once a model."""

    def __init__(self) -> None:
        self._last: tuple[int, int, int] | None = None  # of the last training pass
        self._has_warned = False

    def saw(self, model: Sequential, key: int, first_sample: int) -> None:
        """Warn, if an optimizer has made a step since the last pass of the same masks.

        Without a step between, as in differences of the loss, they are to be the same.
        """
        before, self._last = self._last, (key, first_sample, model.steps)
        repeated = before is not None and before[:2] == (key, first_sample) and before != self._last
        if self._has_warned or not repeated or not any(layer.draws for layer in model.layers):
            return
        self._has_warned = True
        warnings.warn(
            f"trace(training=True, rng={key}) again after a training step: it drops the same cells as "
            f"before; make rng = numpy.random.default_rng({key}) once, before the loop, and pass it "
            f"to every trace",
            RepeatedMasksWarning,
            stacklevel=3,
        )
