"""What training makes smaller, as objects: `Trace.backward` is handed one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinycnn import ops
from tinycnn.arrays import Array, read_only
from tinycnn.validation import check_number


class LossFunction:
    """A loss: ``loss(outputs, labels)`` gives the mean over the images and its gradient, as outputs.

    Subclass it for one of yours. With ``takes_logits`` it is handed what goes into a softmax at the
    model's end, and the gradient is that of the softmax's input; else it is handed the model's y.
    """

    takes_logits = False

    def __call__(self, outputs: Array, labels: ArrayLike) -> tuple[float, Array]:
        raise NotImplementedError

    @property
    def is_plain(self) -> bool:
        """Whether it is the cross-entropy of the labels alone, all images counting alike."""
        return False

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class CrossEntropy(LossFunction):
    """Mean cross-entropy of class numbers (N,), as `ops.cross_entropy` has it: softmax and loss in one step.

    ``label_smoothing`` is the part of each label that is spread evenly over all classes, from 0 up and below
    1; ``class_weights`` (F,) say how much an image of each class counts (None: 1 each).

    Raises ArgumentError for a smoothing or a weight outside its range, ShapeError and DTypeError for
    weights that are no row of numbers.
    """

    takes_logits = True

    def __init__(
        self, label_smoothing: float = 0.0, class_weights: ArrayLike | None = None
    ) -> None:
        self.label_smoothing = check_number(label_smoothing, "label_smoothing", below=1)
        self.class_weights: Array | None = None
        if class_weights is not None:
            from tinycnn.ops.losses import check_class_weights  # loads Numba

            self.class_weights = read_only(check_class_weights(class_weights).copy())

    def __call__(self, outputs: Array, labels: ArrayLike) -> tuple[float, Array]:
        return ops.cross_entropy(
            outputs,
            labels,
            label_smoothing=self.label_smoothing,
            class_weights=self.class_weights,
        )

    @property
    def is_plain(self) -> bool:
        """Whether nothing is smoothed, and all images count alike."""
        return self.label_smoothing == 0 and self.class_weights is None

    def wanted(self, labels: Array, F: int) -> tuple[Array, float]:
        """What takes the place of onehot (N, F), and what of N: q and total of `ops.cross_entropy`."""
        e, weights = self.label_smoothing, np.ones(F)
        if self.class_weights is not None:
            weights = self.class_weights
        q = np.tile(e * weights / F, (len(labels), 1))
        q[np.arange(len(labels)), labels] += (1 - e) * weights[labels]
        return q, float(weights[labels].sum())

    def __repr__(self) -> str:
        weights = None if self.class_weights is None else self.class_weights.tolist()
        given = {"label_smoothing": self.label_smoothing or None, "class_weights": weights}
        listed = ", ".join(f"{name}={value}" for name, value in given.items() if value is not None)
        return f"CrossEntropy({listed})"


class MeanSquaredError(LossFunction):
    """Mean squared error of the model's y and targets of its shape, as `ops.mean_squared_error` has it."""

    def __call__(self, outputs: Array, labels: ArrayLike) -> tuple[float, Array]:
        return ops.mean_squared_error(outputs, labels)
