"""The parts of a pipeline: a program for consecutive groups of a plan, or a layer by its own means."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Protocol

from tinycnn import ops, passes
from tinycnn.arrays import Array
from tinycnn.inference.held import PackedWeights, Workspace
from tinycnn.inference.plan import Group, Plan, Step
from tinycnn.inference.recording import Program, Recorder, Slot
from tinycnn.inference.stages import Copy, Stage, stage_of
from tinycnn.layers import Dense, ForwardContext
from tinycnn.layers.activation import SOFTMAX
from tinycnn.runtime.calls import Phase
from tinycnn.runtime.feature_maps import FeatureMaps
from tinycnn.runtime.ranges import Range, split_range

if TYPE_CHECKING:
    from tinycnn.layers import Shape
    from tinycnn.model import Sequential


class Part(Protocol):
    """What images go through before the next part begins; results have any shape of N rows."""

    def run(
        self, x: Array, weights: PackedWeights, first_sample: int, workspace: Workspace, out: Array
    ) -> None:
        """Write the results for ``x`` (N, ...) to ``out`` (N, ...), both C-contiguous."""


def parts_of(model: Sequential, chosen: Plan, threads: int) -> list[tuple[Part, Shape]]:
    """The parts of a plan for so many threads, each with the shape of one image's result."""
    parts: list[tuple[Part, Shape]] = []
    groups: list[Group] = []  # of the next program

    def finish() -> None:
        if groups:
            program = _program(model, groups, chosen.batch, threads)
            parts.append((_Recorded(program), groups[-1].steps[-1].output_shape))
            groups.clear()

    for group in chosen.groups:
        (step, *_) = group.steps
        layer = model.layers[step.position]
        if group.images is None and step.method != "packed dense":
            finish()
            parts.append((_Layer(model, step, chosen.algorithm), step.output_shape))
            continue
        groups.append(group)
        if isinstance(layer, Dense) and layer.activation is SOFTMAX:
            finish()
            parts.append((_Softmax(), step.output_shape))
    finish()
    return parts


class _Layer:
    """A layer for the whole batch, by its own forward pass."""

    def __init__(self, model: Sequential, step: Step, algorithm: str | None) -> None:
        self._model, self._position, self._algorithm = model, step.position, algorithm

    def run(
        self, x: Array, weights: PackedWeights, first_sample: int, workspace: Workspace, out: Array
    ) -> None:
        params = weights.parameters.of(str(self._model.layers[self._position].name))
        context = ForwardContext(
            layer=self._position, first_sample=first_sample, algorithm=self._algorithm
        )
        given = x.reshape(len(x), *self._model.shapes[self._position])
        shape = self._model.shapes[self._position + 1]
        layer = self._model.layers[self._position]
        out[...] = passes.forward_layer(layer, shape, params, given, context)[0]


class _Softmax:
    """The activation of a dense layer."""

    def run(
        self, x: Array, weights: PackedWeights, first_sample: int, workspace: Workspace, out: Array
    ) -> None:
        out[...] = ops.softmax(x)


class _Recorded:
    """Groups whose kernel calls were recorded."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def run(
        self, x: Array, weights: PackedWeights, first_sample: int, workspace: Workspace, out: Array
    ) -> None:
        self._program.run(x, weights, workspace, out)


def _program(model: Sequential, groups: list[Group], batch: int, threads: int) -> Program:
    """Record the groups, one after the other."""
    chains = [_Chain(model, group, first=number == 0) for number, group in enumerate(groups)]
    first, last = _maps_shape(batch, chains[0].shapes[0]), _maps_shape(batch, chains[-1].shapes[-1])
    recorder = Recorder(prod(first[1:]), prod(last[1:]))
    source = FeatureMaps.plain(recorder.source, first)
    for chain, following in zip(chains, [*chains[1:], None], strict=True):
        target = FeatureMaps.plain(recorder.result, last)
        if following is not None:
            shape = _maps_shape(batch, chain.shapes[-1])
            target = _maps(
                lambda size: recorder.zeros(size, size // batch), shape, following.reader
            )
        chain.record(recorder, source, target, threads)
        source = target
    return recorder.program(threads)


class _Chain:
    """The stages of a group, and the shapes of an image before, between and behind them."""

    def __init__(self, model: Sequential, group: Group, *, first: bool) -> None:
        self._images = group.images
        self._stages: list[Stage] = [stage_of(model, step) for step in group.steps]
        self.shapes = [group.steps[0].input_shape, *(step.output_shape for step in group.steps)]
        if first and self.reader.border is not None:  # what is given has no border
            self._stages.insert(0, Copy())
            self.shapes.insert(0, self.shapes[0])

    @property
    def reader(self) -> Stage:
        """The stage that reads what the chain is given."""
        return self._stages[0]

    def record(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> None:
        """Record blocks of images; where there are fewer than threads, these share each stage."""
        batch = source.shape[0]
        ranges = _blocks(batch, self._images or batch, threads)
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
        for stage, (given, result) in zip(self._stages, pairwise(maps), strict=True):
            yield from stage.phases(recorder, given, result, threads)

    def _between(
        self, recorder: Recorder, images: int, *, of_each_thread: bool
    ) -> list[FeatureMaps]:
        make = partial(recorder.zeros, of_each_thread=of_each_thread)
        return [
            _maps(make, _maps_shape(images, shape), stage)
            for shape, stage in zip(self.shapes[1:-1], self._stages[1:], strict=True)
        ]


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


def _blocks(batch: int, images: int, threads: int) -> list[Range]:
    """Cut a batch into as many blocks for each thread, so that all end together."""
    count = -(-batch // images)
    return split_range(batch, -(-batch // (count + -count % threads)) if count > 1 else batch)
