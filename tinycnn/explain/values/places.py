"""Places in arrays and in the picture: cells, regions, the names of channels."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinycnn.arrays import Array
from tinycnn.passes import Record
from tinycnn.trace import Trace

Place = tuple[int, ...]
Region = tuple[tuple[int, int], tuple[int, int]]  # first and last row, first and last column

COLOURS = ("red", "green", "blue")
COLOUR = "colour"  # the axis of a picture's channels, which have those names


@dataclass(frozen=True)
class Seen:
    """A region of an image: as asked for, and the part that lies inside."""

    asked: Region
    inside: Region

    @property
    def padded(self) -> bool:
        """Whether part of it is padding."""
        return self.asked != self.inside


@dataclass(frozen=True)
class Cell:
    """A cell of what goes into a layer, or of what comes out of it, in a pass over some images."""

    trace: Trace
    position: int
    place: Place  # without the image's number
    sample: int

    @property
    def record(self) -> Record:
        """What happened at the layer."""
        return self.trace.records[self.position]

    @property
    def index(self) -> tuple[int, ...]:
        """The place in the arrays of the record, which begin with the image."""
        return (self.sample, *self.place)

    @property
    def dy(self) -> Array:
        """The gradient of the layer's output, once backward has run."""
        assert self.record.dy is not None
        return self.record.dy

    @property
    def dz(self) -> Array:
        """The gradient before the layer's activation, once backward has run."""
        assert self.record.dz is not None
        return self.record.dz

    @property
    def in_last_layer(self) -> bool:
        """Whether no layer follows."""
        return self.position + 1 == len(self.trace.records)

    def at(self, place: Place) -> Cell:
        """Another cell of the same array."""
        return replace(self, place=place)

    def of_next_layer(self) -> Cell:
        """A cell that comes out of one layer, as a cell that goes into the next."""
        return replace(self, position=self.position + 1)


def beside(array: Array, place: Place) -> dict[Place, float]:
    """The numbers one step away from a place along an axis, and where its row and column are exchanged."""
    near = [
        tuple(at + step * (axis == k) for axis, at in enumerate(place))
        for k in range(len(place))
        for step in (-1, 1)
    ]
    exchanged = (*place[1::-1], *place[2:])
    return {
        other: float(array[other])
        for other in [*near, exchanged]
        if other != place
        and all(0 <= at < size for at, size in zip(other, array.shape, strict=True))
    }


def reads_colours(record: Record) -> bool:
    """Whether the channels that a layer reads are those of a colour picture."""
    return record.context.layer == 0 and record.x.ndim == 4 and record.x.shape[3] == len(COLOURS)


def channel_name(record: Record, channel: int) -> str:
    """A channel of a layer's input: ``channel 7``, or of a picture ``red``."""
    return COLOURS[channel] if reads_colours(record) else f"channel {channel}"
