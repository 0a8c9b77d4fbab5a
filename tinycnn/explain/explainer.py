"""What is known of a kind of layer, and of an activation, found by the layer itself.

`Explainer` is what can be said of any layer, and so of one of your own. A kind of layer registers
more:

    @explainers.register(ScaleShift)
    class ScaleShiftExplainer(Explainer):
        def cell(self, cell): ...

The built-in layers do so in `tinycnn.explain.layers`, a file each. It holds for subclasses, too, as
long as they compute what their class computes. An activation's explainer is
registered with `register_activation(SWISH)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from tinycnn.arrays import Array
from tinycnn.explain.values.explanation import Notes, Section
from tinycnn.explain.values.places import Cell, Place, Region, Seen, channel_name
from tinycnn.explain.values.task import Slip
from tinycnn.layers import Activation, Layer, Registry, Shape
from tinycnn.passes import Record
from tinycnn.shapes import times
from tinycnn.wording import every

Causes = tuple[str, ...]  # why a gradient is zero, the cause nearest the loss first


@dataclass(frozen=True)
class Passage:
    """Which cells got through a layer or an activation, (N, ...), and in words how: they win a window."""

    mask: Array
    verb: str
    where: str


@dataclass(frozen=True)
class Grid:
    """A shape in which an array is looked at, and the names of its axes.

    With ``is_image`` the first two axes are rows and columns; else the first is folded into rows.
    """

    shape: Shape
    axes: tuple[str, ...]
    is_image: bool = False


class Explainer:
    """A layer explained; this one knows what holds for every layer, and is the default.

    ``cell`` and ``place`` are those of the layer's output or its input, as each method says; ``record`` is
    what a pass left of the layer, ``sample`` the number of an image in it, ``channel`` that of one, ``here``
    an index into its arrays; ``shape`` is that of an image of the input, ``parameter`` a parameter's name.
    """

    channel: ClassVar[str] = "channel"  # what the last axis of its output holds
    parameter_axes: ClassVar[Mapping[str, tuple[str, ...]]] = {}  # by a parameter's name
    unrolls: ClassVar[bool] = False  # whether im2col can unroll its input
    terms_cancel: ClassVar[bool] = True  # whether a gradient of 0 may be a sum whose terms cancel
    # Whether samples have nothing to do with each other, and many of them cost little more than one.
    side_by_side: ClassVar[bool] = False

    def __init__(self, layer: Any) -> None:
        self.layer = layer

    # ------------------------------------------------------------------------------------ forward

    def cell(self, cell: Cell) -> Sequence[Section]:
        """How a cell of the output came about."""
        words = "is a layer of your own: its arithmetic cannot be opened from outside"
        return [Notes("HOW", (f"{cell.record.name} {words}",))]

    def seen(self, shape: Shape, region: Region, *, training: bool = False) -> Seen:
        """What a region of the output sees of an input of ``shape`` (H, W, C), perhaps in training."""
        whole = ((0, shape[0] - 1), (0, shape[1] - 1))
        return Seen(whole, whole)

    def channels_seen(self, record: Record, channel: int) -> str:
        """The channels of the input that one of the output sees, in words."""
        return every(record.x.shape[3], "channel")

    def cells_seen(self, shape: Shape, place: Place) -> str:
        """Which cells of an input of ``shape`` (H, W, C) an output that is no map sees, in words."""
        return "the only cell" if math.prod(shape) == 1 else f"all {times(shape)} cells"

    def read_by(self, cell: Cell) -> tuple[str, ...]:
        """Which cells of the output a cell of the input has a part in, in words."""
        return (cell.record.name,)

    def words(self, place: Place) -> str:
        """A place in the output in words: ``row 13, column 13, filter 7``."""
        if len(place) == 3:
            return f"row {place[0]}, column {place[1]}, {self.channel} {place[2]}"
        return f"unit {', '.join(map(str, place))}"

    # ----------------------------------------------------------------------------------- backward

    def input_gradient(self, cell: Cell) -> Sequence[Section]:
        """The terms of dL/dx at a cell of the input."""
        return [Notes("HOW", (self._unopened(cell.record),))]

    def parameter_gradient(self, cell: Cell, parameter: str) -> Sequence[Section]:
        """The terms of dL/d(parameter) at ``cell.place``, an index into it; of all images."""
        return [Notes("HOW", (self._unopened(cell.record),))]

    def roundings(self, record: Record, sample: int) -> int:
        """Roundings of a term of dL/dx that are not those of a sum of products."""
        return 0

    def why_zero(self, cell: Cell) -> Causes:
        """Why dL/dx is zero at a cell of the input, followed up to where it got lost."""
        return (self._unopened(cell.record),)

    def why_parameter_zero(self, cell: Cell) -> Causes:
        """Why a parameter's gradient is zero at ``cell.place``: what became of its terms."""
        return ("a layer of your own: its terms cannot be opened from outside",)

    def _unopened(self, record: Record) -> str:
        return f"{record.name} is a layer of your own: its terms cannot be opened from outside"

    # ----------------------------------------------------------------------- the pass, run once more

    def parts(self, record: Record) -> Sequence[slice | None]:
        """Parts of the output's last axis that are made of the same parts of each parameter's; None: all."""
        return (None,)

    def held(self, record: Record, x: Array) -> Array | None:
        """What x becomes where each window decides as it did in the pass; None: nothing is decided.

        This is how differences of the loss stay on the pass's side of a kink.
        """
        return None

    def passage(self, record: Record) -> Passage | None:
        """Which cells of the input got through, if that is worth a word to the layer before."""
        return None

    def lost(self, record: Record, here: Any) -> tuple[int, str]:
        """How many of the input's cells at ``here`` the layer passes over, and in words."""
        return 0, ""

    def sent_by(self, cell: Cell) -> tuple[str, ...]:
        """Which cells of the output sent their gradient to a cell of the input, if one alone gets it."""
        return ()

    # ------------------------------------------------------------------------ the overview, the maps

    def size_formula(self, shape: Shape) -> str:
        """How the output's size follows from the input's, with the numbers put in."""
        return "as its input" if self.layer.output_shape(shape) == shape else cells_formula(shape)

    def parameter_formula(self, shape: Shape) -> str:
        """The parameter count worked out; "" without parameters."""
        total = self.parameter_count(shape)
        return f"{total:,}" if total else ""

    def parameter_count(self, shape: Shape) -> int:
        """How many parameters there are for inputs of ``shape``."""
        return sum(math.prod(s) for s in self.layer.parameter_shapes(shape).values())

    def size_slips(self, shape: Shape) -> Iterable[Slip]:
        """Wrong sizes that are likely, whole or their first numbers, and how each comes about."""
        return ()

    def count_slips(self, shape: Shape) -> Iterable[Slip]:
        """Wrong parameter counts that are likely, and how each comes about."""
        return ()

    def gradient_formula(self, record: Record) -> str:
        """How its gradient comes about, as arithmetic, or in a few words."""
        return "dy through the layer's own rule"

    def parameter_grid(self, record: Record, parameter: str) -> Grid:
        """How a parameter is laid out for looking at."""
        shape = record.params[parameter].shape
        numbered = tuple(f"axis {i}" for i in range(len(shape)))
        return Grid(shape, ("unit",) if len(shape) == 1 else numbered or ("number",))


class ActivationExplainer:
    """An activation explained; this one, the default, is that of one of your own.

    ``record`` is what a pass left of the layer that has it, ``sample`` the number of an image in it,
    ``here`` an index into its arrays, ``cell`` and ``place`` those of its output.
    """

    dz_formula: ClassVar[str] = "dz"  # as it stands in a product

    def __init__(self, activation: Activation) -> None:
        self.activation = activation

    def step(self, z: float) -> Sequence[Section]:
        """What becomes of a cell's z, where it depends on no other cell."""
        return []

    def row(self, z: Array, y: Array, place: Place) -> Sequence[Section]:
        """What becomes of a cell's ``z``, where ``y`` depends on its whole row (C,)."""
        words = f"the activation {self.activation!r} is one of your own: its arithmetic cannot be opened"
        return [Notes("HOW", (words,))]

    def gradient(self, cell: Cell) -> Sequence[Section]:
        """The terms of dL/dz at a cell."""
        return self.row(cell.record.z, cell.record.y, cell.place)

    def gradient_formula(self, record: Record) -> str:
        """How dL/dz comes about, in a few words."""
        return "dy through the activation's own rule"

    def roundings(self, record: Record, sample: int) -> int:
        """Roundings of a term of dL/dz that are not those of a sum of products."""
        return 0

    def why_zero(self, cell: Cell, above: Causes) -> Causes:
        """Why dL/dz is zero at a cell; ``above`` is why dL/dy is, if it is."""
        return above or (f"{cell.record.name}'s activation, one of your own, let nothing pass",)

    def stops(self, record: Record, here: Any) -> bool:
        """Whether it stops each of the cells at ``here``."""
        return False

    def lost(self, record: Record, here: Any) -> tuple[str, ...]:
        """How many of the cells at ``here`` it stops, in words; nothing if none."""
        return ()

    def held(self, record: Record, z: Array) -> Array | None:
        """What z becomes where each cell is passed or stopped as in the pass; None: no such choice."""
        return None

    def passage(self, record: Record) -> Passage | None:
        """Which cells it lets pass, if it stops any."""
        return None

    def digits_lost(self, record: Record) -> float:
        """By how much dL/dz is smaller than the numbers that cancel in it, at its largest cell."""
        return 1.0


explainers: Registry[type[Explainer]] = Registry(Explainer)
"""The explainer of each kind of layer, `Explainer` for one that has none."""
_activations: dict[type[Activation], type[ActivationExplainer]] = {}
A = TypeVar("A", bound=type[ActivationExplainer])


def explainer_of(layer: Layer) -> Explainer:
    """What is known of ``layer``."""
    return explainers.of(layer)(layer)


def register_activation(activation: Activation) -> Callable[[A], A]:
    """Decorate the explainer of ``activation`` and others of its class; the last registered holds."""

    def enter(explainer: A) -> A:
        _activations[type(activation)] = explainer
        return explainer

    return enter


def activation_explainer(activation: Activation) -> ActivationExplainer:
    """What is known of ``activation``."""
    return _activations.get(type(activation), ActivationExplainer)(activation)


def cells_formula(shape: Shape) -> str:
    """The number of an input's cells worked out: ``6*6*256 = 9,216``."""
    cells = math.prod(shape)
    return f"{'*'.join(map(str, shape))} = {cells:,}" if len(shape) > 1 else f"{cells:,}"


class ByPlace(Explainer):
    """A layer each of whose output cells is made of the input cell at the same place alone."""

    def seen(self, shape: Shape, region: Region, *, training: bool = False) -> Seen:
        return Seen(region, region)

    def channels_seen(self, record: Record, channel: int) -> str:
        return channel_name(record, channel)

    def read_by(self, cell: Cell) -> tuple[str, ...]:
        name, place = cell.record.name, cell.place
        return (f"{name}: ({place[0]},{place[1]})" if len(place) == 3 else name,)
