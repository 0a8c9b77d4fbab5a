"""CNNClassifier: a network trained and asked as scikit-learn does it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array
from tinycnn.chain import check_shape
from tinycnn.data.augment import RandomCrop
from tinycnn.data.batches import Batches, Step, batches
from tinycnn.data.colours import Standardize
from tinycnn.data.dataset import Dataset
from tinycnn.data.preparation import Preparation
from tinycnn.errors import MissingExtraError, ShapeError
from tinycnn.layers import Dense, Layer
from tinycnn.losses import CrossEntropy
from tinycnn.model import Sequential
from tinycnn.recipes.usual import optimizer_named, schedule_named, usual_epochs
from tinycnn.shapes import times
from tinycnn.small_networks import small_network
from tinycnn.training.callbacks import EarlyStopping
from tinycnn.training.trainer import Trainer
from tinycnn.validation import check_int, check_number

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

_WARM_UP = 0.05  # of all steps
_AT_ONCE = 256  # images that are asked together


class CNNClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A network as a classifier of scikit-learn (extra ``sklearn``): for pipelines, searches, `clone`.

    ``X`` are images (N, H, W, C) or (N, H, W), or rows (N, D). Rows are images where ``image_shape`` says so,
    (H, W) or (H, W, C), row by row with the channels innermost; else D numbers without neighbours. Images
    are standardised channel by channel, rows number by number, as the training part has them, and computed
    in float32; rows that are no images in float64. ``y`` are classes of any kind.

    ``layers`` are those of the network but for its last, ``Dense(classes, activation="softmax")``, which is
    added; they are copied. None: those of `small_network`. ``optimizer`` is "adamw", "adam", "sgd" or
    "nesterov"; for ``rate`` and ``weight_decay`` None is its usual one. There are ``epochs`` epochs of
    batches of ``batch_size`` (None: 30, and more where these are less than 600 steps); in a twentieth of the
    steps the rate rises, then it falls along half a cosine to 0. ``label_smoothing`` is that of
    `losses.CrossEntropy`. ``class_weight`` is None, "balanced" or a weight for each class, and counts as in
    scikit-learn.

    ``augment`` is a step or several of `tinycnn.data`, which get standardised images. None: images are moved
    by up to an eighth of their height and width, and the mean comes in; ``()``: nothing.

    With ``early_stopping`` a share of ``validation_fraction`` is held out, of each class alike; training ends
    when its loss has not fallen for ``patience`` epochs, and the network is that of the best epoch.
    ``random_state`` fixes the bits. ``verbose`` shows a bar, and a line an epoch, on stderr.

    After `fit`: ``model_`` (a `Sequential`), ``classes_``, ``image_shape_``, ``n_features_in_``, ``n_iter_``
    (epochs), ``history_`` (a `training.History`), ``preparation_`` (a `data.Preparation`, which standardises
    and names the classes). `fit` raises ArgumentError and ShapeError, which are ValueErrors, for what does
    not fit, and what `Trainer.fit` raises.
    """

    def __init__(
        self,
        layers: Sequence[Layer] | None = None,
        *,
        image_shape: Sequence[int] | None = None,
        epochs: int | None = None,
        batch_size: int = 32,
        optimizer: str = "adamw",
        rate: float | None = None,
        weight_decay: float | None = None,
        label_smoothing: float = 0.0,
        class_weight: str | Mapping[Any, float] | None = None,
        augment: Step | Sequence[Step] | None = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 5,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool = False,
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
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train a new network on ``X`` and their classes ``y`` (N,)."""
        given = _array(X)
        least = 2 if self.early_stopping else 1
        rows, classes = validate_data(self, _rows(given), y, ensure_min_samples=least)
        check_classification_targets(classes)
        self.classes_, labels = np.unique(classes, return_inverse=True)
        self.image_shape_ = _image_shape(given, self.image_shape)
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        data = Dataset(self._images(rows), labels, tuple(map(str, self.classes_)))
        self._train(data, np.random.default_rng(seed))
        return self

    def predict_proba(self, X: ArrayLike) -> Array:
        """The probability of each class (N, classes), in the order of ``classes_``."""
        check_is_fitted(self)
        given = _array(X)
        rows = validate_data(self, _rows(given), reset=False)
        _image_shape(given, self.image_shape_)
        images = self._images(rows)
        parts = [images[i : i + _AT_ONCE] for i in range(0, len(images), _AT_ONCE)]
        return np.concatenate([self.model_.predict(self._prepared(part)) for part in parts])

    def predict(self, X: ArrayLike) -> Array:
        """The most probable class of each, (N,)."""
        places = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[places])

    def _images(self, rows: Array) -> Array:
        """Rows (N, D) as images (N, H, W, C); D numbers without neighbours are the channels of one pixel."""
        images = rows.reshape(len(rows), *self.image_shape_)
        return images.astype(np.float64) if self._is_table else images

    def _prepared(self, images: Array) -> Array:
        if self._is_table:  # which keeps its float64
            return Standardize(self.preparation_.mean, self.preparation_.deviation)(images)
        return self.preparation_(images)

    @property
    def _is_table(self) -> bool:
        return self.image_shape_[:2] == (1, 1)

    def _train(self, data: Dataset, rng: np.random.Generator) -> None:
        training, held_out = self._parts(data, rng)
        self.preparation_ = Preparation.of(training)
        self.model_ = self._network(rng, "float64" if self._is_table else "float32")
        steps = [self._prepared, *self._augmentation()]
        parts = self._batches(training, rng=rng, augment=steps)
        validation, stopping = None, None
        if held_out is not None:
            validation = self._batches(held_out, augment=self._prepared, shuffle=False)
            stopping = EarlyStopping(self.patience, restore_best=True)
        epochs = usual_epochs(len(parts)) if self.epochs is None else self.epochs
        total = check_int(epochs, "epochs") * len(parts)
        optimizer = optimizer_named(
            self.optimizer, self.model_, self.rate, weight_decay=self.weight_decay
        )
        trainer = Trainer(
            self.model_, optimizer, loss=self._loss(data.labels), rng=rng, progress=bool(self.verbose),
            schedule=schedule_named("cosine", optimizer.rate, total, int(_WARM_UP * total)),
            early_stopping=stopping,
        )  # fmt: skip
        self.history_ = trainer.fit(parts, validation, epochs=epochs)
        self.n_iter_ = len(self.history_)

    def _parts(
        self, data: Dataset, rng: np.random.Generator
    ) -> tuple[Dataset, Dataset] | tuple[Dataset, None]:
        """What is trained on, and what is held out for early stopping."""
        if not self.early_stopping:
            return data, None
        share = check_number(self.validation_fraction, "validation_fraction", above=0, below=1)
        training, held_out = data.split(1 - share, share, rng=rng)
        return training, held_out

    def _batches(self, data: Dataset, **options: Any) -> Batches:
        return batches(data, self.batch_size, dtype=self.model_.dtype.name, **options)

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

    def _loss(self, labels: Array) -> CrossEntropy:
        if self.class_weight is None:
            return CrossEntropy(self.label_smoothing)
        weights = compute_class_weight(
            self.class_weight, classes=self.classes_, y=self.classes_[labels]
        )
        mean = weights[labels].mean()
        return _WeighedBySet(self.label_smoothing, weights / mean if mean > 0 else weights)


class _WeighedBySet(CrossEntropy):
    """Mean over a batch of weight times loss, where the weights' mean over the training part is 1.

    So the batches' losses are on average that of the whole part, as scikit-learn weighs. Divided by the
    weights of the batch itself, images of a light class would count in full where no others are with them.
    """

    def __call__(self, outputs: Array, labels: ArrayLike) -> tuple[float, Array]:
        assert self.class_weights is not None
        loss, dz = super().__call__(outputs, labels)
        total = float(self.class_weights[np.asarray(labels)].mean())
        return loss * total, dz * total


def _array(X: Any) -> Any:
    """``X`` as it is where it has a shape, as a table of names has, else as an array."""
    return X if hasattr(X, "shape") else np.asarray(X)


def _rows(X: Any) -> Any:
    """Images as rows (N, D); whatever else comes is left to scikit-learn to read or refuse."""
    return X if len(X.shape) < 3 else np.asarray(X).reshape(len(X), math.prod(X.shape[1:]))


def _image_shape(X: Any, expected: Sequence[int] | None) -> tuple[int, ...]:
    """(H, W, C) of images or rows ``X``, and ``expected`` where that is given."""
    wanted = None if expected is None else _with_channels(check_shape(expected, "image_shape"))
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


def _with_channels(shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) not in (2, 3):
        raise ShapeError(f"image_shape must be (H, W) or (H, W, C), got {times(shape)}")
    return shape if len(shape) == 3 else (*shape, 1)
