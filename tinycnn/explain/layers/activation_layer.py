"""What layers share that are nothing but an activation."""

from __future__ import annotations

from collections.abc import Sequence

from tinycnn.explain.causes import why_zero_before
from tinycnn.explain.explainer import (
    ActivationExplainer,
    Causes,
    Explainer,
    activation_explainer,
)
from tinycnn.explain.values.explanation import Section
from tinycnn.explain.values.places import Cell
from tinycnn.passes import Record


class ActivationLayer(Explainer):
    """A layer whose z is its x, so that its dx is its dz."""

    terms_cancel = False

    @property
    def activation(self) -> ActivationExplainer:
        """What is known of its activation."""
        return activation_explainer(self.layer.activation)

    def input_gradient(self, cell: Cell) -> Sequence[Section]:
        return self.activation.gradient(cell)

    def roundings(self, record: Record, sample: int) -> int:
        return self.activation.roundings(record, sample)

    def gradient_formula(self, record: Record) -> str:
        return self.activation.gradient_formula(record)

    def why_zero(self, cell: Cell) -> Causes:
        return why_zero_before(cell)
