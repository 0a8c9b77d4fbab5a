"""Global average pooling explained."""

from __future__ import annotations

from collections.abc import Sequence

from tinycnn.explain.causes import why_no_term_is_left
from tinycnn.explain.explainer import Causes, Explainer, explainers
from tinycnn.explain.layers.average_pool2d import mean_of_cells
from tinycnn.explain.values.explanation import Section, SumTree
from tinycnn.explain.values.places import Cell, Place
from tinycnn.explain.values.sums import Product, Source, add
from tinycnn.layers import GlobalAveragePool2D, Shape
from tinycnn.passes import Record
from tinycnn.wording import every


@explainers.register(GlobalAveragePool2D)
class GlobalAveragePool2DExplainer(Explainer):
    """Each cell is the mean of its channel; each gradient is shared equally."""

    def cell(self, cell: Cell) -> Sequence[Section]:
        (channel,) = cell.place
        x = cell.record.x[cell.sample, :, :, channel]
        return mean_of_cells(cell, x, (0, 0), x.size, "of the channel")

    def words(self, place: Place) -> str:
        return f"channel {place[0]}"

    def cells_seen(self, shape: Shape, place: Place) -> str:
        return f"channel {place[0]}, {every(shape[0] * shape[1], 'cell')}"

    def read_by(self, cell: Cell) -> tuple[str, ...]:
        return (f"{cell.record.name}: channel {cell.place[2]}",)

    def input_gradient(self, cell: Cell) -> Sequence[Section]:
        (H, W, _), channel = cell.record.x.shape[1:], cell.place[2]
        sent = float(cell.dy[cell.sample, channel])
        source = Source("dy", (channel,))
        part = Product(f"channel {channel}, 1/{H * W}", sent, 1 / (H * W), source)
        tree = add("sum", [part])
        return [SumTree("dy / count of the channel's cells:", tree, second="1 / count")]

    def roundings(self, record: Record, sample: int) -> int:
        return 2  # of the factor, and of its product

    def why_zero(self, cell: Cell) -> Causes:
        fed = ([cell.sample], [cell.place[2]])
        return why_no_term_is_left(cell, fed, before_activation=False)

    def gradient_formula(self, record: Record) -> str:
        return "dy / (H*W)"
