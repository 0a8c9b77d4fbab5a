"""What layers share that slide a window over images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tinycnn.explain.explainer import Causes, Explainer
from tinycnn.explain.values.explanation import Notes
from tinycnn.explain.values.places import Cell, Place, Region, Seen, channel_name
from tinycnn.explain.values.sums import extent
from tinycnn.explain.values.task import Slip
from tinycnn.layers import Shape
from tinycnn.passes import Record
from tinycnn.shapes import Axis, Window

NO_INFLUENCE = Notes("SUMS", ("no window holds this cell: it has no influence",))


class Windowed(Explainer):
    """A layer with a ``window`` of its input's shape; unless it says otherwise, each channel is apart."""

    def window(self, record: Record) -> Window:
        """The window that slides over one image."""
        win: Window = self.layer.window(record.x.shape[1:])
        return win

    def seen(self, shape: Shape, region: Region, *, training: bool = False) -> Seen:
        win = self.layer.window(shape)
        asked = (win.height.seen(*region[0]), win.width.seen(*region[1]))
        return Seen(asked, (_clip(asked[0], shape[0]), _clip(asked[1], shape[1])))

    def channels_seen(self, record: Record, channel: int) -> str:
        return channel_name(record, channel)

    def windows_over(self, shape: Shape, place: Place) -> tuple[list[int], list[int]]:
        """Rows and columns of windows that hold a place of the input: with dilation, not all between."""
        win = self.layer.window(shape)
        return _reading(win.height, place[0]), _reading(win.width, place[1])

    def region_over(self, shape: Shape, place: Place) -> Region | None:
        """The region of the output whose windows hold a place of the input; None: no window does."""
        rows, columns = self.windows_over(shape, place)
        return ((rows[0], rows[-1]), (columns[0], columns[-1])) if rows and columns else None

    def read_by(self, cell: Cell) -> tuple[str, ...]:
        name = cell.record.name
        region = self.region_over(cell.record.x.shape[1:], cell.place)
        if region is None:
            return (f"no window of {name}: its windows do not reach this cell",)
        (r0, r1), (c0, c1) = region
        if (r0, c0) == (r1, c1):
            return (f"{name}: ({r0},{c0})",)
        return (f"{name}: {extent('rows', r0, r1)}, {extent('columns', c0, c1)}",)

    def why_zero(self, cell: Cell) -> Causes:
        if self.region_over(cell.record.x.shape[1:], cell.place) is None:
            return (f"no window of {cell.record.name} reaches it",)
        return self.why_windows_send_nothing(cell)

    def why_windows_send_nothing(self, cell: Cell) -> Causes:
        """Why dL/dx is zero at a cell of the input that windows hold."""
        raise NotImplementedError

    def size_formula(self, shape: Shape) -> str:
        win = self.layer.window(shape)
        same = win.height == win.width
        return win.height.formula if same else f"{win.height.formula}, {win.width.formula}"

    def size_slips(self, shape: Shape) -> Iterable[Slip]:
        return window_slips(self.layer.window(shape))


def window_slips(win: Window) -> Iterator[Slip]:
    """Wrong output sizes (OH, OW) that are likely, and how each comes about."""
    for (height, words), (width, _) in zip(
        _wrong_outputs(win.height), _wrong_outputs(win.width), strict=True
    ):
        yield Slip((height, width), words)


def _wrong_outputs(axis: Axis) -> Iterator[tuple[int, str]]:
    """What an axis gets by each mistake; the right output where there is nothing to mistake."""
    room = axis.input + axis.before + axis.after - axis.effective_kernel

    def output(room: int, *, up: bool = axis.ceil_mode) -> int:
        return (room + up * (axis.stride - 1)) // axis.stride + 1

    yield output(room - axis.before - axis.after), "the padding was forgotten: it makes room"
    yield output(room - axis.after), "the padding was counted at one end only"
    yield room + 1, "the stride was forgotten: divide by it"
    rounded = "down" if axis.ceil_mode else "up"
    yield output(room, up=not axis.ceil_mode), f"it was rounded {rounded}, the wrong way"
    gaps = axis.effective_kernel - axis.kernel
    yield output(room + gaps), "the dilation was forgotten: a kernel reaches over its gaps too"
    yield axis.output - 1, "the + 1 is missing: the first window counts too"
    yield axis.input, "that is the size of the input"
    yield axis.kernel, "that is the size of the kernel"


def _reading(axis: Axis, place: int) -> list[int]:
    """The output places along an axis whose windows hold a place of the input."""
    starts = [(out, *axis.seen(out, out)) for out in range(axis.output)]
    return [
        out
        for out, first, last in starts
        if first <= place <= last and (place - first) % axis.dilation == 0
    ]


def _clip(span: tuple[int, int], size: int) -> tuple[int, int]:
    return max(span[0], 0), min(span[1], size - 1)
