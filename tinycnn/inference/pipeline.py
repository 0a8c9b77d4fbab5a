"""A plan made ready to run: sections that a whole batch goes through, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import numpy as np

from tinycnn.arrays import Array, read_only
from tinycnn.inference.chain import program_of, worth_threads
from tinycnn.inference.plan import Group, Plan
from tinycnn.inference.steps import PlanStep
from tinycnn.layers import ForwardContext, Layer, Shape
from tinycnn.passes import forward_layer
from tinycnn.runtime import memory
from tinycnn.runtime.held import PackedWeights, Workspace
from tinycnn.runtime.program import Program


class PlanSection(Protocol):
    """What images go through before the next section begins."""

    output_shape: Shape  # of one image

    def run(
        self, x: Array, weights: PackedWeights, first_sample: int, workspace: Workspace, out: Array
    ) -> None:
        """Write the results for ``x`` (N, ...), read-only, to ``out`` (N, ...), both C-contiguous.

        ``first_sample`` is the number of the batch's first image.
        """


class Pipeline:
    """The sections of a plan for so many threads."""

    def __init__(
        self, layers: Sequence[Layer], dtype: np.dtype[Any], chosen: Plan, threads: int
    ) -> None:
        self._sections = _sections(layers, chosen, threads)
        # The same for any number of threads.
        self.is_for_one_thread = worth_threads(chosen.groups, chosen.batch) == 1
        self._dtype = dtype
        self._free: list[Workspace] = []

    def run(self, x: Array, weights: PackedWeights, first_sample: int, out: Array) -> None:
        """Write what the last layer gives for ``x`` (N, ...) to ``out`` (N, ...).

        ``first_sample`` is the number of the first of these images. Calls that run at the same time have
        buffers of their own.
        """
        try:
            workspace = self._free.pop()
        except IndexError:
            workspace = Workspace()
        try:
            if not self._sections:
                out[...] = x.reshape(out.shape)
                return
            for number, section in enumerate(self._sections[:-1]):
                shape = len(x), *section.output_shape
                result = workspace.get(number, partial(memory.empty, shape, self._dtype))
                section.run(x, weights, first_sample, workspace, result)
                x = read_only(result)
            self._sections[-1].run(x, weights, first_sample, workspace, out)
        finally:
            self._free.append(workspace)


def _sections(layers: Sequence[Layer], chosen: Plan, threads: int) -> list[PlanSection]:
    """Consecutive groups with stages are one program, up to one with something to do afterwards."""
    sections: list[PlanSection] = []
    groups: list[Group] = []  # of the next program

    def finish() -> None:
        if groups:
            program = program_of(groups, chosen.batch, threads)
            sections.append(_Recorded(program, groups[-1].steps[-1].output_shape))
            groups.clear()

    for group in chosen.groups:
        last = group.steps[-1]
        if last.stage is None:  # such a step is a group by itself
            finish()
            sections.append(_OwnForward(layers[last.position], last, chosen.algorithm))
            continue
        groups.append(group)
        if last.then is not None:
            finish()
            sections.append(_Then(last.then, last.output_shape))
    finish()
    return sections


class _OwnForward:
    """A layer for the whole batch, by its own forward pass."""

    def __init__(self, layer: Layer, step: PlanStep, algorithm: str | None) -> None:
        self.output_shape = step.output_shape
        self._layer, self._input_shape = layer, step.input_shape
        self._context = ForwardContext(layer=step.position, algorithm=algorithm)
        self._parameters = _full_names(layer, layer.parameter_shapes(step.input_shape))
        self._state = _full_names(layer, layer.state_shapes(step.input_shape))

    def run(
        self, x: Array, weights: PackedWeights, first_sample: int, workspace: Workspace, out: Array
    ) -> None:
        arrays = weights.arrays
        params = {own: arrays[name] for own, name in self._parameters.items()}
        state = {own: arrays[name] for own, name in self._state.items()}
        context = replace(self._context, first_sample=first_sample, state=state)
        given = x.reshape(len(x), *self._input_shape)
        y = forward_layer(self._layer, self.output_shape, params, given, context)[0]
        out[...] = y.reshape(out.shape)


def _full_names(layer: Layer, names: Iterable[str]) -> dict[str, str]:
    return {name: f"{layer.name}.{name}" for name in names}


class _Recorded:
    """Groups whose kernel calls were recorded."""

    def __init__(self, program: Program, output_shape: Shape) -> None:
        self.output_shape = output_shape
        self._program = program

    def run(
        self, x: Array, weights: PackedWeights, first_sample: int, workspace: Workspace, out: Array
    ) -> None:
        self._program.run(x, weights, workspace, out)


class _Then:
    """What is done with the whole batch's result after a stage."""

    def __init__(self, function: Callable[[Array], Array], output_shape: Shape) -> None:
        self.output_shape = output_shape
        self._function = function

    def run(
        self, x: Array, weights: PackedWeights, first_sample: int, workspace: Workspace, out: Array
    ) -> None:
        out[...] = self._function(x).reshape(out.shape)
