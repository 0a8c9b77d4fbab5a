"""What layers do in inference, as values: steps, stages and the weights that these pack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np

from tinycnn.arrays import Array
from tinycnn.layers import Layer, Shape
from tinycnn.layers.activation import RELU, Activation
from tinycnn.runtime.calls import Phase
from tinycnn.runtime.feature_maps import Border, FeatureMaps
from tinycnn.runtime.held import NamedArrays
from tinycnn.runtime.ranges import Range, split_range
from tinycnn.runtime.recording import Recorder

_Kind = TypeVar("_Kind", bound=Layer)


class Stage(Protocol):
    """The kernel calls of one step, on float32.

    What packs weights has its configuration as its value (a frozen dataclass), for that is what packed
    weights are kept under.
    """

    @property
    def border(self) -> Border | None:
        """What it wants around its source; None for nothing special."""

    @property
    def whole_vectors(self) -> bool:
        """Whether the channels of a bordered source are to be rounded up, with zeros."""

    # True: it writes its results one after the other, without a border.
    writes_plain: ClassVar[bool] = False

    def phases(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> Iterator[Phase]:
        """Give the work for all images of both maps, for so many threads."""


@dataclass(frozen=True)
class PlanStep:
    """What one layer, or a part of it, does. Work is for one image, in multiply-adds."""

    layer: str
    position: int  # of the layer in its chain
    method: str  # what readers of a plan see
    input_shape: Shape
    output_shape: Shape
    images: int | None = None  # in a block; None: the whole batch
    stage: Stage | None = None  # None: by the layer's own forward
    after: Stage | None = None  # of the activation, of the stage's results
    then: Callable[[Array], Array] | None = None  # taken of the whole batch after the stages
    tiles: str = ""  # their sizes along height and width, such as "1 of 5, 2 of 4"
    multiply_adds: int = 0  # by the formula of the layer
    products: int = 0  # that are carried out
    weight_bytes: int = 0  # read for each block

    @property
    def is_followed(self) -> bool:
        """Whether an activation is taken after the stage."""
        return self.after is not None or self.then is not None


Steps = tuple[PlanStep, ...]


class Weights(Protocol):
    """What a stage packs; its value is a part of what packed weights are kept under."""

    def of(self, arrays: NamedArrays) -> tuple[Array, Array]:
        """W (..., F) and b (F,), made of a model's arrays."""


@dataclass(frozen=True)
class LayerWeights:
    """W and b of a layer, as they are."""

    layer: str

    def of(self, arrays: NamedArrays) -> tuple[Array, Array]:
        W = arrays[f"{self.layer}.W"]
        b = arrays.get(f"{self.layer}.b")
        return W, np.zeros(W.shape[-1], W.dtype) if b is None else b


@dataclass(frozen=True, kw_only=True)
class WeightedStage(Stage):
    """What stages share that give products with weights, plus bias, and with ``relu`` rectify them.

    A layer after it that is linear in each of F channels may put other ``weights`` in their place.
    """

    weights: Weights
    relu: bool


@dataclass(frozen=True)
class Place(Generic[_Kind]):
    """A layer where it stands in a chain, and what is asked for."""

    layer: _Kind
    position: int
    input_shape: Shape
    dtype: np.dtype[Any]
    batch: int
    algorithm: str | None = None  # of all convolutions; None: each layer's own

    @property
    def name(self) -> str:
        """The layer's name."""
        return str(self.layer.name)

    @property
    def relu(self) -> bool:
        """Whether the layer's op rectifies its result."""
        return self.layer.activation is RELU

    @property
    def output_shape(self) -> Shape:
        """The shape of one image's result."""
        return tuple(self.layer.output_shape(self.input_shape))

    def step(self, method: str, **more: Any) -> PlanStep:
        """Give one step for the whole layer, all products of its formula carried out.

        After a stage follows the layer's activation, where that is not one which ops apply.
        """
        work, activation = self.layer.multiply_adds(self.input_shape), self.layer.activation
        follows = "stage" in more and not activation.in_op
        after = ACTIVATIONS.get(activation) if follows else None
        usual: dict[str, Any] = {
            "input_shape": self.input_shape,
            "output_shape": self.output_shape,
            "multiply_adds": work,
            "products": work,
            "after": after,
            "then": activation.forward if follows and after is None else None,
        }
        return PlanStep(self.name, self.position, method, **usual | more)


# Stages of activations that no op applies. Others are taken of the whole batch, by their own forward.
ACTIVATIONS: dict[Activation, Stage] = {}


def by_rows(count: int, threads: int) -> list[Range]:
    """Cut rows for the threads."""
    return split_range(count, -(-count // threads))
