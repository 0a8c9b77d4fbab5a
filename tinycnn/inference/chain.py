"""Groups of a plan, recorded as one program: the maps between their stages, and who works on which images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from math import prod

from tinycnn.inference.plan import Group
from tinycnn.inference.steps import Stage, by_rows
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.space_to_depth import space_to_depth
from tinycnn.layers import Shape
from tinycnn.runtime.calls import Calls, Phase
from tinycnn.runtime.feature_maps import Border, FeatureMaps
from tinycnn.runtime.program import Program
from tinycnn.runtime.ranges import Range, split_range
from tinycnn.runtime.recording import Recorder, Slot

# Multiply-adds that are worth a thread that looks for work, some five microseconds,
LEAST_WORK = 1 << 19
# and those that are worth waking one.
_WAKING = 1 << 22
# Bytes of weights that stay in a core's L2, so that each thread may read them all.
_CACHED = 1 << 20
# Images of a block that is worth reading cached weights for.
_IMAGES = 32
# Multiply-adds in whose time a cell is read or written between two layers.
_CELL = 16


def program_of(groups: Sequence[Group], batch: int, threads: int) -> Program:
    """Record groups whose steps all have stages, one group after the other.

    It is for as many ``threads`` as its work is worth, one at least.
    """
    threads = min(threads, worth_threads(groups, batch))
    together = _cached_together(groups)
    chains: list[_Chain] = []
    for group in together:
        chains.append(_Chain(group, given_plain=not chains or chains[-1].gives_plain))
    first, last = _maps_shape(batch, chains[0].shapes[0]), _maps_shape(batch, chains[-1].shapes[-1])
    recorder = Recorder(prod(first[1:]), prod(last[1:]))
    source, result = map(FeatureMaps.plain, recorder.given, (first, last))
    for chain, following in zip(chains, [*chains[1:], None], strict=True):
        target = result
        if following is not None:
            shape = _maps_shape(batch, chain.shapes[-1])
            target = _maps(
                lambda size: recorder.zeros(size, size // batch), shape, following.reader
            )
        chain.record(recorder, source, target, threads)
        source = target
    return recorder.program(threads, wakes=_work(groups, batch) >= _WAKING)


def worth_threads(groups: Sequence[Group], batch: int) -> int:
    """How many threads the work on a batch is worth, one at least."""
    return max(_work(groups, batch) // LEAST_WORK, 1)


def _work(groups: Sequence[Group], batch: int) -> int:
    """Of a batch, in multiply-adds."""
    return batch * sum(
        step.products + _CELL * (prod(step.input_shape) + prod(step.output_shape))
        for group in groups
        for step in group.steps
    )


def _cached_together(groups: Sequence[Group]) -> list[Group]:
    """Let neighbours be one group where the weights of both stay in a core's L2, and a block's maps."""
    found = list(groups[:1])
    for group in groups[1:]:
        steps = *found[-1].steps, *group.steps
        images = max(found[-1].images or _IMAGES, group.images or _IMAGES)
        numbers = max(prod(step.input_shape) + prod(step.output_shape) for step in steps)
        if sum(step.weight_bytes for step in steps) + 4 * images * numbers <= _CACHED:
            found[-1] = Group(steps, images)
        else:
            found.append(group)
    return found


class _Chain:
    """The stages of a group, and the shapes of an image before, between and behind them."""

    def __init__(self, group: Group, *, given_plain: bool) -> None:
        self._images = group.images
        self._apart = sum(step.weight_bytes for step in group.steps) <= _CACHED
        self._stages: list[Stage] = []
        # In which each stage reads an image: a layer that takes no step may have flattened what is before it.
        self._read: list[Shape] = []
        self.shapes = [group.steps[0].input_shape]
        for step in group.steps:
            for stage, shape in (step.stage, step.input_shape), (step.after, step.output_shape):
                if stage is None:
                    continue
                is_plain = self._stages[-1].writes_plain if self._stages else given_plain
                if is_plain and stage.border is not None:
                    self._add(_Copy(), shape, shape)
                self._add(stage, shape, step.output_shape)

    def _add(self, stage: Stage, read: Shape, written: Shape) -> None:
        self._stages.append(stage)
        self._read.append(read)
        self.shapes.append(written)

    @property
    def reader(self) -> Stage:
        """The stage that reads what the chain is given."""
        return self._stages[0]

    @property
    def gives_plain(self) -> bool:
        """Whether what it gives can have no border."""
        return self._stages[-1].writes_plain

    def record(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> None:
        """Record blocks of images; where there are fewer than threads, these share each stage."""
        batch = source.shape[0]
        ranges = _blocks(batch, self._images or batch, threads, apart=self._apart)
        alone = len(ranges) >= threads
        between = self._between(recorder, max(b - a for a, b in ranges), of_each_thread=alone)
        chains: dict[int, tuple[int, int]] = {}
        for first, last in ranges:
            count = last - first
            maps = [some.select(0, count) for some in (source, *between, target)]
            phases = partial(self._phases, recorder, maps)
            if not alone:
                recorder.record(phases(threads), first)
            elif count not in chains:
                chains[count] = recorder.chain(phases(1))
        if alone:
            recorder.phase([(chains[last - first], first) for first, last in ranges])

    def _phases(
        self, recorder: Recorder, maps: Sequence[FeatureMaps], threads: int
    ) -> Iterator[Phase]:
        for stage, read, (given, result) in zip(
            self._stages, self._read, pairwise(maps), strict=True
        ):
            if stage.border is None:
                given = FeatureMaps.plain(given.flat, _maps_shape(given.shape[0], read))
            yield from stage.phases(recorder, given, result, threads)

    def _between(
        self, recorder: Recorder, images: int, *, of_each_thread: bool
    ) -> list[FeatureMaps]:
        make = partial(recorder.zeros, of_each_thread=of_each_thread)
        return [
            _maps(make, _maps_shape(images, shape), stage)
            for shape, stage in zip(self.shapes[1:-1], self._stages[1:], strict=True)
        ]


class _Copy(Stage):
    """Images to where a border surrounds them: squares of one cell, stacked."""

    border: Border | None = None
    whole_vectors = True

    def phases(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> Iterator[Phase]:
        (N, H, W, C), given, wanted = source.shape, source.column, target.column
        # Without gaps a row of cells is as one of many channels; whole vectors are faster cell by cell.
        if given == wanted == C and C % LANES:
            W, C = 1, W * C
            given = wanted = C

        def copy(calls: Calls, rows: Range) -> None:
            calls(
                space_to_depth, calls.read(source.flat), (*source.place[:3], given), (H, W), C, *rows,
                (1, 1), (0, 0), target.flat, (*target.place[:3], wanted), (H, W),
            )  # fmt: skip

        yield [partial(copy, rows=rows) for rows in by_rows(N * H, threads)]


def _maps_shape(images: int, shape: Shape) -> tuple[int, int, int, int]:
    H, W, C = shape if len(shape) == 3 else (1, 1, prod(shape))
    return images, H, W, C


def _maps(
    make: Callable[[int], Slot], shape: tuple[int, int, int, int], reader: Stage
) -> FeatureMaps:
    """Maps as the stage wants them that reads them."""
    if reader.border is None:
        return FeatureMaps.plain(make(prod(shape)), shape)
    return FeatureMaps.bordered(make, shape, reader.border, whole_vectors=reader.whole_vectors)


def _blocks(batch: int, images: int, threads: int, *, apart: bool) -> list[Range]:
    """Cut a batch into as many blocks for each thread, so that all end together.

    A batch that is one block stays whole, its stages shared, unless threads are to work ``apart``.
    """
    count = -(-batch // images)
    if count > 1 or (apart and batch >= threads):
        count += -count % threads
    return split_range(batch, -(-batch // max(count, 1)))
