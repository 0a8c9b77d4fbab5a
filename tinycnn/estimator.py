"""CNNClassifier: a network trained and asked as scikit-learn does it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array
from tinycnn.data.augment import RandomCrop
from tinycnn.data.batches import Step, batches
from tinycnn.data.colours import Standardize
from tinycnn.data.dataset import Dataset
from tinycnn.errors import MissingExtraError, ShapeError
from tinycnn.layers import Dense, Layer
from tinycnn.losses import CrossEntropy
from tinycnn.model import Sequential
from tinycnn.optimizers import SGD, Adam, AdamW, Optimizer
from tinycnn.schedules import Cosine, Schedule, WarmUp
from tinycnn.shapes import times
from tinycnn.small_networks import small_network
from tinycnn.validation import check_choice, check_int

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils import check_random_state, compute_class_weight
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise MissingExtraError(
        "CNNClassifier is an estimator of scikit-learn: pip install 'tinycnn[sklearn]'"
    ) from error

__all__ = ["CNNClassifier"]

# By name: the optimizer, and its rate where none is given.
_OPTIMIZERS: dict[str, tuple[Callable[..., Optimizer], float]] = {
    "adamw": (AdamW, 0.002),
    "adam": (Adam, 0.002),
    "sgd": (SGD, 0.02),
}
_WARM_UP = 0.05  # of all steps
_AT_ONCE = 256  # images that are asked together


class CNNClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A network as a classifier of scikit-learn (extra ``sklearn``): for pipelines, searches, `clone`.

    ``X`` are images (N, H, W, C) or (N, H, W), or rows (N, D). Rows are images where ``image_shape`` says so,
    (H, W) or (H, W, C), row by row with the channels innermost; else D numbers without neighbours. Images
    are standardised channel by channel, rows number by number, as the training part has them, and computed
    in float32; rows that are no images in float64. ``y`` are classes of any kind.

    ``layers`` are those of the network but for its last, ``Dense(classes, activation="softmax")``, which is
    added; they are copied. None: those of `small_network`. ``optimizer`` is "adamw", "adam" or "sgd"; for
    ``rate`` and ``weight_decay`` None is its usual one. In ``epochs`` epochs of batches of ``batch_size`` the
    rate rises for a twentieth of all steps, and then falls along half a cosine to 0. ``label_smoothing`` is
    that of `losses.CrossEntropy`; ``class_weight`` is None, "balanced" or a weight for each class.

    ``augment`` is a step or several of `tinycnn.data`, which get standardised images. None: images are moved
    by up to an eighth of their height and width, and the mean comes in; ``()``: nothing.

    ``random_state`` fixes the bits.

    After `fit`: ``model_`` (a `Sequential`), ``classes_``, ``image_shape_``, ``n_features_in_``, ``n_iter_``
    (epochs). `fit` raises ArgumentError and ShapeError, which are ValueErrors, for what does not fit.
    """

    def __init__(
        self,
        layers: Sequence[Layer] | None = None,
        *,
        image_shape: Sequence[int] | None = None,
        epochs: int = 30,
        batch_size: int = 32,
        optimizer: str = "adamw",
        rate: float | None = None,
        weight_decay: float | None = None,
        label_smoothing: float = 0.0,
        class_weight: str | Mapping[Any, float] | None = None,
        augment: Step | Sequence[Step] | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.layers = layers
        self.image_shape = image_shape
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.rate = rate
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.augment = augment
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train a new network on ``X`` and their classes ``y`` (N,)."""
        given = _array(X)
        rows, classes = validate_data(self, _rows(given), y)
        check_classification_targets(classes)
        self.classes_, labels = np.unique(classes, return_inverse=True)
        self.image_shape_ = _image_shape(given, self.image_shape)
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        self._train(Dataset(self._images(rows), labels), np.random.default_rng(seed))
        return self

    def predict_proba(self, X: ArrayLike) -> Array:
        """The probability of each class (N, classes), in the order of ``classes_``."""
        check_is_fitted(self)
        given = _array(X)
        rows = validate_data(self, _rows(given), reset=False)
        _image_shape(given, self.image_shape_)
        images = self._images(rows)
        parts = [images[i : i + _AT_ONCE] for i in range(0, len(images), _AT_ONCE)]
        return np.concatenate([self.model_.predict(self._standardize(part)) for part in parts])

    def predict(self, X: ArrayLike) -> Array:
        """The most probable class of each, (N,)."""
        places = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[places])

    def _images(self, rows: Array) -> Array:
        """Rows (N, D) as images (N, H, W, C); D numbers without neighbours are the channels of one pixel."""
        images = rows.reshape(len(rows), *self.image_shape_)
        return images.astype(np.float64) if self._is_table else images

    @property
    def _is_table(self) -> bool:
        return self.image_shape_[:2] == (1, 1)

    def _train(self, data: Dataset, rng: np.random.Generator) -> None:
        self._standardize = Standardize.of(data)
        dtype = "float64" if self._is_table else "float32"
        self.model_ = self._network(rng, dtype)
        parts = batches(
            data, self.batch_size, rng=rng, augment=[self._standardize, *self._augmentation()], dtype=dtype,
        )  # fmt: skip
        optimizer, loss = self._optimizer(), self._loss(data.labels)
        epochs = check_int(self.epochs, "epochs")
        schedule = _schedule(optimizer.rate, epochs * len(parts))
        for _ in range(epochs):
            for x, labels in parts:
                optimizer.rate = schedule(optimizer.steps)
                trace = self.model_.trace(x, training=True, rng=rng)
                optimizer.step(trace.backward(labels=labels, loss=loss))
        self.n_iter_ = epochs

    def _network(self, rng: np.random.Generator, dtype: str) -> Sequential:
        shape, classes = self.image_shape_, len(self.classes_)
        if self.layers is None:
            return small_network(shape, classes, rng=rng, dtype=dtype)
        layers = [*deepcopy([*self.layers]), Dense(classes, activation="softmax")]
        return Sequential(layers, shape, rng=rng, dtype=dtype)

    def _augmentation(self) -> Sequence[Step]:
        if self.augment is not None:
            return [self.augment] if callable(self.augment) else self.augment
        H, W = self.image_shape_[:2]
        return [RandomCrop((H, W), padding=(H // 8, W // 8))] if max(H, W) >= 8 else []

    def _optimizer(self) -> Optimizer:
        check_choice(self.optimizer, tuple(_OPTIMIZERS), "optimizer")
        kind, rate = _OPTIMIZERS[self.optimizer]
        given = {} if self.weight_decay is None else {"weight_decay": self.weight_decay}
        return kind(self.model_, rate if self.rate is None else self.rate, **given)

    def _loss(self, labels: Array) -> CrossEntropy:
        weights = None
        if self.class_weight is not None:
            weights = compute_class_weight(
                self.class_weight, classes=self.classes_, y=self.classes_[labels]
            )
        return CrossEntropy(self.label_smoothing, weights)


def _schedule(rate: float, steps: int) -> Schedule:
    rising = int(_WARM_UP * steps)
    return WarmUp(rising, Cosine(rate, steps - rising))


def _array(X: Any) -> Any:
    """``X`` as it is where it has a shape, as a table of names has, else as an array."""
    return X if hasattr(X, "shape") else np.asarray(X)


def _rows(X: Any) -> Any:
    """Images as rows (N, D); whatever else comes is left to scikit-learn to read or refuse."""
    return X if len(X.shape) < 3 else np.asarray(X).reshape(len(X), math.prod(X.shape[1:]))


def _image_shape(X: Any, expected: Sequence[int] | None) -> tuple[int, ...]:
    """(H, W, C) of images or rows ``X``, and ``expected`` where that is given."""
    wanted = None if expected is None else tuple(expected) + (1,) * (len(expected) == 2)
    if len(X.shape) == 2:
        if wanted is None:
            return (1, 1, X.shape[1])
        if math.prod(wanted) == X.shape[1]:
            return wanted
        raise ShapeError(
            f"image_shape {times(wanted)} takes rows of {math.prod(wanted)} numbers, got {X.shape[1]}"
        )
    shape = tuple(X.shape[1:]) + (1,) * (len(X.shape) == 3)
    if len(shape) != 3 or wanted not in (None, shape):
        images = "(N, H, W, C)" if wanted is None else f"(N, {', '.join(map(str, wanted))})"
        raise ShapeError(f"X must be images {images} or rows (N, D), got shape {tuple(X.shape)}")
    return shape
