"""What a loss compares with labels, by prediction: logits, where a softmax at the end is left out."""

from __future__ import annotations

from numpy.typing import ArrayLike

from tinycnn.arrays import Array
from tinycnn.inference import Inference
from tinycnn.model import Sequential
from tinycnn.runtime import memory


class Outputs:
    """Called with a batch ``x`` (N, ...), gives the logits of ``model``, or what `predict` gives."""

    def __init__(self, model: Sequential, *, logits: bool) -> None:
        layers, last = list(model.layers), model.layers[-1]
        if logits and last.activation.fuses_with_cross_entropy:
            layers[-1] = last.without_activation()
        self._model = model
        self._inference = Inference(layers, model.input_shape, model.dtype)

    def __call__(self, x: ArrayLike) -> Array:
        model, batch = self._model, self._model.batch(x)
        out = memory.empty((len(batch), *model.shapes[-1]), model.dtype)
        self._inference.run(model, batch, 0, out, model.algorithm)
        return out
