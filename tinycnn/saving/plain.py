"""Trees of numbers, texts, arrays and random generators as plain JSON, with the arrays apart.

What JSON has no word for becomes a mapping of one key with a dollar sign.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.errors import ArgumentError, CheckpointError
from tinycnn.saving.claim import KINDS
from tinycnn.wording import a

_ARRAY, _FLOAT, _GENERATOR = "$array", "$float", "$generator"
_GENERATORS = {
    kind.__name__: kind
    for kind in (
        np.random.MT19937, np.random.PCG64, np.random.PCG64DXSM, np.random.Philox, np.random.SFC64,
    )
}  # fmt: skip


def pack(value: Any, name: str, arrays: dict[str, Array]) -> Any:
    """``value`` as JSON has it; its arrays go into ``arrays``, by the way that leads to each from ``name``.

    Raises ArgumentError for what is none of: None, bools, numbers, texts, arrays of real numbers,
    numpy.random.Generator, and lists, tuples (which come back as lists) and mappings by text of these.
    """
    if isinstance(value, (np.bool_, np.integer, np.floating)):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {_FLOAT: str(value)}
    if isinstance(value, np.ndarray) and value.dtype.kind in KINDS and value.dtype.itemsize <= 8:
        while name in arrays:  # the ways a/b, then c, and a, then b/c, look the same
            name += "_"
        arrays[name] = value
        return {_ARRAY: name}
    if isinstance(value, np.random.Generator):
        return {_GENERATOR: pack(_generator_state(value, name), name, arrays)}
    if isinstance(value, (list, tuple)):
        return [pack(item, f"{name}/{i}", arrays) for i, item in enumerate(value)]
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str) or key.startswith("$"):
                raise ArgumentError(f"{name} has the key {key!r}: keys are texts without a $ first")
        return {key: pack(item, f"{name}/{key}", arrays) for key, item in value.items()}
    raise ArgumentError(
        f"{name} is {a(type(value).__name__)}; a checkpoint holds numbers, texts, None, arrays of real "
        f"numbers, numpy.random.Generator, and lists and mappings of these"
    )


def unpack(packed: Any, read: Callable[[str], Array]) -> Any:
    """What `pack` was given; ``read`` gives the array of a name."""
    if isinstance(packed, list):
        return [unpack(item, read) for item in packed]
    if not isinstance(packed, dict):
        return packed
    special: dict[str, Callable[[Any], Any]] = {
        _ARRAY: read,
        _FLOAT: float,
        _GENERATOR: lambda state: _generator(unpack(state, read)),
    }
    for key, made in special.items():
        if key in packed:
            return made(packed[key])
    return {key: unpack(item, read) for key, item in packed.items()}


def _generator_state(generator: np.random.Generator, name: str) -> dict[str, Any]:
    """What draws the same numbers again, and spawns the same children."""
    source = generator.bit_generator
    if type(source).__name__ not in _GENERATORS:
        raise ArgumentError(
            f"{name} draws from {a(type(source).__name__)}; a checkpoint knows {', '.join(_GENERATORS)}"
        )
    seeds = source.seed_seq
    parts = ("entropy", "spawn_key", "pool_size", "n_children_spawned")
    known = isinstance(seeds, np.random.SeedSequence)
    return {
        "state": source.state,
        "seeds": {part: getattr(seeds, part) for part in parts} if known else None,
    }


def _generator(saved: Mapping[str, Any]) -> np.random.Generator:
    kind = saved["state"]["bit_generator"]
    if kind not in _GENERATORS:
        raise CheckpointError(f"there is no generator {kind!r}; there are {', '.join(_GENERATORS)}")
    seeds = saved["seeds"] and np.random.SeedSequence(**saved["seeds"])
    source = _GENERATORS[kind](seeds)
    source.state = saved["state"]
    return np.random.Generator(source)
