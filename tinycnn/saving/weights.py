"""Arrays by name taken into a model: each is checked before any is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array, as_real_array, expect_shape
from tinycnn.errors import ArgumentError, CheckpointError, UnknownNameError
from tinycnn.parameters import FlatArrays, Shapes
from tinycnn.saving.archive import Archive, opened
from tinycnn.wording import a

if TYPE_CHECKING:
    from tinycnn.model import Sequential

Source = str | Path | Archive | Mapping[str, ArrayLike]


def read(model: Sequential, source: Source) -> tuple[FlatArrays, FlatArrays]:
    """New parameters and state for ``model``; the errors are those of `Sequential.load_weights`."""
    if isinstance(source, Archive):
        return _of_file(model, source)
    if isinstance(source, (str, Path)):
        with opened(source, "weights file") as archive:
            return _of_file(model, archive)
    if isinstance(source, Mapping):
        return _of_mapping(model, source)
    raise ArgumentError(
        f"load_weights takes a file's name or arrays by name, got {a(type(source).__name__)}"
    )


def of_model(name: str) -> bool:
    """Whether an array of a file is one of a model's: what else a checkpoint holds begins with a dot."""
    return not name.startswith(".")


def _of_file(model: Sequential, archive: Archive) -> tuple[FlatArrays, FlatArrays]:
    expected = _shapes(model)
    if wrong := _difference(filter(of_model, archive.names), expected):
        raise CheckpointError(f"{archive.file} does not belong to this network: {wrong}")
    for name, shape in expected.items():
        claim, where = archive.claim(name), f"{name} in {archive.file}"
        if claim.shape != shape:
            raise CheckpointError(f"{where} must have shape {shape}, got {claim.shape}")
        if claim.dtype.kind != "f":
            raise CheckpointError(
                f"{where} must hold floating-point numbers, got dtype {claim.dtype}"
            )
        claim.expect_whole(name, archive.file)
    return _filled(model, archive.read, f" in {archive.file}")


def _of_mapping(
    model: Sequential, arrays: Mapping[str, ArrayLike]
) -> tuple[FlatArrays, FlatArrays]:
    expected = _shapes(model)
    if wrong := _difference(arrays, expected):
        raise UnknownNameError(f"the arrays do not belong to this network: {wrong}")
    given = {name: as_real_array(arrays[name], name) for name in expected}
    for name, shape in expected.items():
        expect_shape(given[name], shape, name, "its shape in this network")
    return _filled(model, given.__getitem__, "")


def _shapes(model: Sequential) -> dict[str, tuple[int, ...]]:
    """Of all that a model holds, its parameters and its state."""
    return model.parameter_shapes() | {name: array.shape for name, array in model.state().items()}


def _difference(names: Iterable[str], expected: Shapes) -> str:
    """What is missing and what is unknown, in words; "" where nothing is."""
    found = set(names)
    parts = [
        f"{word} {', '.join(some[:4])}{' ...' if len(some) > 4 else ''}"
        for word, some in (
            ("lacks", sorted(set(expected) - found)),
            ("has unknown", sorted(map(str, found - set(expected)))),
        )
        if some
    ]
    if not parts:
        return ""
    must = ", ".join(sorted(expected)[:3])
    return (
        f"it {' and '.join(parts)}; it must hold {must} ..., one array for each parameter and state"
    )


def _filled(
    model: Sequential, get: Callable[[str], Array], where: str
) -> tuple[FlatArrays, FlatArrays]:
    """The arrays of a model, each brought to its dtype."""
    parameters = FlatArrays(model.parameter_shapes(), model.dtype)
    state = FlatArrays({name: array.shape for name, array in model.state().items()}, model.dtype)
    for arrays in (parameters, state):
        for name, view in arrays.items():
            _fill(view, get(name), f"{name}{where}")
    return parameters, state


def _fill(view: Array, array: Array, name: str) -> None:
    """Convert ``array`` into ``view``; refuse what becomes infinite there."""
    with np.errstate(all="ignore"):  # what overflows is refused in words
        view[...] = array
    if np.can_cast(array.dtype, view.dtype):
        return
    lost = np.isinf(view)
    lost &= np.isfinite(array)
    if lost.any():
        raise CheckpointError(
            f"{name} holds {array[lost][0]:.3g}, too large for {view.dtype}, which reaches "
            f"{np.finfo(view.dtype).max:.1e}"
        )
