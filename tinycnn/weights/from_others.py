"""The doors: a state dict of PyTorch's, or arrays of Keras's, into a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tinycnn.arrays import Array, as_real_array
from tinycnn.errors import ArgumentError, DTypeError, ShapeError
from tinycnn.layers.registry import load_modules
from tinycnn.model import Sequential
from tinycnn.weights import layers
from tinycnn.weights.translation import KERAS, TORCH, LayerArrays, places
from tinycnn.wording import a, many

load_modules(layers.__name__, layers.__path__)

Group = Mapping[str, Any]  # what one of their modules holds, by its own names


def from_torch(
    state_dict: Mapping[str, Any], model: Sequential, *, names: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Take a PyTorch ``state_dict`` into ``model``; gives {"conv1.W": "features.0.weight", ...}.

    Modules and layers go together by ``names``, {layer: module}, such as {"conv1": "features.0"}; else by
    their names, if all are the same; else in order, which is that of construction in PyTorch. Weights of
    convolutions (F, C // groups, KH, KW) become (KH, KW, C // groups, F), of dense layers (F, D) become
    (D, F), and after images were flattened the D rows are turned from (C, H, W) to (H, W, C). Running
    statistics are taken; what a state dict does not hold (strides, ``eps``) is as you built the model.

    Raises ArgumentError where modules and layers do not go together, ShapeError and DTypeError for an array
    that does not fit; the model is then as it was.
    """
    if not isinstance(state_dict, Mapping):
        raise ArgumentError(
            f"from_torch takes a state dict, such as module.state_dict(), got "
            f"{a(type(state_dict).__name__)}"
        )
    kept = {name: array for name, array in state_dict.items()
            if str(name).rpartition(".")[2] != "num_batches_tracked"}  # fmt: skip
    return _take(model, list(places(model, TORCH)), _groups(kept, "."), ".", names)


def from_keras(
    weights: Sequence[Any] | Mapping[str, Any],
    model: Sequential,
    *,
    names: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Take the arrays of a Keras model into ``model``; gives {"conv1.W": "conv2d/kernel", ...}.

    ``weights`` is what ``keras_model.get_weights()`` gives, in order, or arrays by name, such as
    ``{w.path: w.numpy() for w in keras_model.weights}``, which go to layers as in `from_torch`. Keras
    keeps images channels last, as this engine does: no axes are turned.

    Raises as `from_torch` does.
    """
    targets = list(places(model, KERAS))
    if isinstance(weights, Mapping):
        kept = {str(name).partition(":")[0]: array for name, array in weights.items()}
        return _take(model, targets, _groups(kept, "/"), "/", names)
    if isinstance(weights, str) or not isinstance(weights, Sequence):
        raise ArgumentError(
            f"from_keras takes a list of arrays or arrays by name, got {a(type(weights).__name__)}"
        )
    return _take(model, targets, _in_order(targets, weights), " ", names)


def _in_order(targets: Sequence[LayerArrays], arrays: Sequence[Any]) -> dict[str, Group]:
    """As many arrays for each layer as it has."""
    count = sum(len(place.shapes) for place in targets)
    if len(arrays) != count:
        raise ArgumentError(
            f"the network has {many(count, 'array')} ({', '.join(_listed(targets))}), got {len(arrays)}; "
            f"a layer without a bias is built with bias=False"
        )
    rest = iter(enumerate(arrays))
    groups: dict[str, Group] = {}
    for place in targets:
        own = {place.arrays.names[name]: next(rest) for name in place.shapes}
        first = next(iter(own.values()))[0]
        groups[f"array {first}:"] = {name: array for name, (_, array) in own.items()}
    return groups


def _listed(targets: Sequence[LayerArrays]) -> list[str]:
    return [f"{place.name}.{name}" for place in targets for name in place.shapes]


def _groups(arrays: Mapping[str, Any], separator: str) -> dict[str, Group]:
    """Arrays by the module that has them, in order."""
    groups: dict[str, dict[str, Any]] = {}
    for name, array in arrays.items():
        if isinstance(array, Mapping):
            raise ArgumentError(f"{name} holds arrays by name itself: pass what [{name!r}] gives")
        module, _, own = str(name).rpartition(separator)
        groups.setdefault(module, {})[own] = array
    return dict(groups)


def _take(
    model: Sequential,
    targets: Sequence[LayerArrays],
    groups: Mapping[str, Group],
    separator: str,
    names: Mapping[str, str] | None,
) -> dict[str, str]:
    ours: dict[str, Array] = {}
    origins: dict[str, str] = {}
    for place, module in _pairs(targets, groups, names):
        _expect_names(place, module, groups[module])
        for name in place.shapes:
            theirs = place.arrays.names[name]
            full = f"{module}{separator}{theirs}" if module else theirs
            ours[f"{place.name}.{name}"] = _turned(place, name, groups[module][theirs], full)
            origins[f"{place.name}.{name}"] = full
    model.load_weights(ours)
    return origins


def _pairs(
    targets: Sequence[LayerArrays], groups: Mapping[str, Group], names: Mapping[str, str] | None
) -> list[tuple[LayerArrays, str]]:
    """Which layer takes which module's arrays."""
    layers = [place.name for place in targets]
    if names is None and set(layers) == set(groups):
        names = {name: name for name in layers}
    if names is None and len(layers) == len(groups):
        names = dict(zip(layers, groups, strict=True))
    if names is None or set(names) != set(layers) or not set(names.values()) <= set(groups):
        raise ArgumentError(
            f"the network's layers {', '.join(layers)} do not go together with "
            f"{', '.join(map(repr, groups)) or 'nothing'}: there must be as many, in the same order, or "
            f"names={{layer: module}} for each layer"
        )
    return [(place, names[place.name]) for place in targets]


def _expect_names(place: LayerArrays, module: str, group: Group) -> None:
    expected = [place.arrays.names[name] for name in place.shapes]
    if set(expected) != set(group):
        raise ArgumentError(
            f"{place.name} ({type(place.layer).__name__}) takes {', '.join(expected)}, but {module!r} "
            f"has {', '.join(group)}; a layer without a bias is built with bias=False"
        )


def _turned(place: LayerArrays, name: str, theirs: Any, full: str) -> Array:
    """Their array in our order, once its shape is what it should be."""
    if hasattr(theirs, "detach"):
        theirs = _of_tensor(theirs, full)
    array = place.one_row(name, as_real_array(theirs, full))
    expected = place.their_shape(name)
    if array.shape != expected:
        raise ShapeError(
            f"{full} must have shape {expected}, for {place.name}.{name} with shape "
            f"{tuple(place.shapes[name])}, got shape {array.shape}"
        )
    return place.ours(name, array)


def _of_tensor(tensor: Any, full: str) -> Any:
    """The numbers of a tensor, on whatever device, with gradients or without."""
    try:
        return tensor.numpy(force=True)
    except TypeError as error:  # a kind of numbers that NumPy has not
        raise DTypeError(
            f"{full} is of {tensor.dtype}, which NumPy has not: pass .float()"
        ) from error
