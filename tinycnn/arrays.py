"""The boundary: whatever a user hands in becomes read-only, C-contiguous float32 or float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import wraps
from itertools import accumulate
from operator import mul
from typing import Any, ParamSpec, TypeGuard, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinycnn.errors import ArgumentError, DTypeError, ShapeError, TinyCNNError

Array = NDArray[Any]
_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)

_P = ParamSpec("_P")
_R = TypeVar("_R")


def ieee(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let NaN and infinity come out of ``function`` as IEEE 754 has them, in silence.

    NumPy would warn of them, in a line of the engine's that tells a user nothing, where compiled kernels
    do not. The setting holds in a context of its own: an interrupt cannot leave it behind.
    """

    @wraps(function)
    def in_silence(*arguments: _P.args, **options: _P.kwargs) -> _R:
        def call() -> _R:
            np.seterr(over="ignore", invalid="ignore")
            return function(*arguments, **options)

        return copy_context().run(call)

    return in_silence


def common_dtype(*values: Any) -> np.dtype[Any]:
    """Choose float64 if any of the arrays has more than float32's precision, else float32."""
    wide = False
    for value in values:
        if value is not None:
            dtype = value.dtype if _is_plain(value) else as_array(value, "an array argument").dtype
            wide |= dtype is not _FLOAT32 and dtype.kind == "f" and dtype.itemsize > 4
    return _FLOAT64 if wide else _FLOAT32


def as_array(value: ArrayLike, name: str) -> Array:
    """Read an array or nested lists, whatever they hold, unless that would be misread."""
    if _is_plain(value):
        return value
    try:
        if reason := misread(value):
            raise DTypeError(f"{name} {reason}")
        return np.asarray(value)
    except TinyCNNError:
        raise
    except ValueError as error:
        raise ShapeError(f"{name} must be an array or lists of equal lengths: {error}") from None
    except (TypeError, RuntimeError) as error:  # a tensor on a device or one that wants gradients
        raise DTypeError(f"{name} cannot be read as an array: {error}") from error


def misread(value: Any) -> str:
    """Why NumPy would take ``value`` for numbers that it does not mean, "" if it would not."""
    if isinstance(value, (list, tuple)):
        inside = (misread(item) for item in value if type(item) not in (float, int))
        return next(filter(None, inside), "")
    if isinstance(value, np.ma.MaskedArray):
        hint = "say what stands in their place, as x.filled(0) does"
        return (
            f"has masked cells, whose mask would be lost; {hint}" if np.ma.is_masked(value) else ""
        )
    if isinstance(value, np.matrix):
        return "must be an array, got a numpy.matrix, which stays 2-D; pass np.asarray(x)"
    if not isinstance(value, np.ndarray) and callable(getattr(value, "toarray", None)):
        return f"must be an array, got a sparse {type(value).__name__}; pass x.toarray()"
    return ""


def as_real_array(value: ArrayLike, name: str) -> Array:
    """Read an array of real numbers, as it is."""
    array = as_array(value, name)
    if array.dtype.kind not in "fiub":
        remedy = _REMEDIES.get(array.dtype.kind, "convert it to float32 or float64")
        raise DTypeError(f"{name} must hold real numbers, got dtype {array.dtype}; {remedy}")
    return array


_REMEDIES = {
    "V": "take one of its fields, such as x['height']",
    "M": "count in a unit, such as (x - x.min()) / np.timedelta64(1, 's')",
    "m": "count in a unit, such as x / np.timedelta64(1, 's')",
}


def as_input_array(
    value: ArrayLike, name: str, axes: str | Sequence[str], dtype: np.dtype[Any]
) -> Array:
    """Read an array argument: real numbers, one axis for each name in ``axes`` ("NHWC").

    An ``axes`` that ends in "..." allows any number of further axes. No named axis may be empty but
    N, images, and R, rows that come of images. The result is a read-only view or copy,
    C-contiguous and aligned: a kernel meets one kind of array only, and nothing behind this door
    can write to what belongs to the user.
    """
    # What passes from op to op is as it should be.
    array = value if _is_plain(value) and value.dtype == dtype else as_real_array(value, name)
    rank = array.ndim
    if (rank != len(axes) and (axes[-1] != "." or rank < len(axes) - 3)) or array.size == 0:
        expect_axes(array, name, axes)
    if array.dtype != dtype:
        array = cast(array, dtype)
    flags = array.flags
    if flags.c_contiguous and flags.aligned:
        return read_only(array) if flags.writeable else array
    return read_only(np.require(array, None, ["C", "A"]))


def _is_plain(value: Any) -> TypeGuard[Array]:
    """Whether ``value`` can't be misread, whatever it holds: no subclass of NumPy's array."""
    return type(value) is np.ndarray


def cast(array: Array, dtype: np.dtype[Any]) -> Array:
    """Give ``array`` in ``dtype``, itself if it is; what is too large for ``dtype`` becomes infinity."""
    if array.dtype == dtype:
        return array
    return (
        array.astype(dtype, order="C")
        if array.itemsize < dtype.itemsize
        else _converted(array, dtype)
    )


@ieee
def _converted(array: Array, dtype: np.dtype[Any]) -> Array:
    return array.astype(dtype, order="C")


def expect_axes(array: Array, name: str, axes: str | Sequence[str]) -> None:
    """Raise ShapeError unless ``array`` has one axis for each name in ``axes``, as in `tensor`."""
    open_ended = axes[-3:] == "..."
    names = axes[:-3] if open_ended else axes
    if array.ndim < len(names) or (array.ndim > len(names) and not open_ended):
        listed = ", ".join([*names, "..."] if open_ended else names)
        one = array.ndim == len(names) - 1 and names[0] == "N"
        hint = f"; for a batch of one, pass {name}[None]" if one else ""
        raise ShapeError(f"{name} must have the axes ({listed}), got shape {array.shape}{hint}")
    for axis, size in zip(names, array.shape, strict=False) if array.size == 0 else ():
        if size == 0 and axis not in "NR":
            raise ShapeError(f"{name}'s axis {axis} must not be empty, got shape {array.shape}")


def first_cell(mask: Array) -> tuple[int, ...]:
    """Where the first True of ``mask`` stands, in row-major order; it must hold one."""
    return tuple(int(i) for i in np.unravel_index(int(mask.argmax()), mask.shape))


def read_only(array: Array) -> Array:
    """Give a view of ``array`` that cannot be written to."""
    view: Array = array[...]
    view.setflags(write=False)
    return view


def row_major(array: Array) -> tuple[Array, tuple[int, ...]]:
    """The numbers of a C-contiguous array in a row, on the same memory, and its axes' strides in it.

    Strides are counted in numbers and follow from the shape. What an array itself says of them does not
    belong to its numbers in a row: these are a copy where the array is not C-contiguous.
    """
    if not array.flags.c_contiguous:
        raise ArgumentError(
            f"an array whose numbers are taken in a row must be C-contiguous, got shape {array.shape} "
            f"with strides {array.strides}; copy it with numpy.ascontiguousarray"
        )
    *strides, _ = accumulate(reversed(array.shape), mul, initial=1)
    return array.reshape(-1), tuple(reversed(strides))


def expect_shape(array: Array, shape: Sequence[int], name: str, because: str) -> None:
    """Raise ShapeError unless ``array`` has ``shape``; ``because`` says where the shape comes from."""
    expect_sizes(array.shape, shape, name, because)


def expect_sizes(found: Sequence[int], shape: Sequence[int], name: str, because: str) -> None:
    """Do the same for the sizes ``found`` of an array that is not at hand."""
    if found != shape and tuple(found) != tuple(shape):
        raise ShapeError(
            f"{name} must have shape {tuple(shape)} ({because}), got shape {tuple(found)}"
        )


def _is_written_to(array: object) -> bool:
    """Whether it is an array, and what is written to it is all that it holds."""
    return isinstance(array, np.ndarray) and not isinstance(array, np.ma.MaskedArray)


def check_out(
    out: tuple[Array, Array] | None, W: Array, inputs: Sequence[ArrayLike | None]
) -> tuple[Array, Array]:
    """Give the arrays for dW and db: new ones, or ``out`` once checked.

    A kernel writes to them as they are, so they lie in memory as new ones would, apart from each other
    and from the ``inputs``, which are to be as the user gave them and not as they were read.
    """
    if out is None:
        return np.empty(W.shape, W.dtype), np.empty(W.shape[-1], W.dtype)
    if not isinstance(out, (tuple, Sequence)) or len(out) != 2 or not all(map(_is_written_to, out)):
        raise ArgumentError(f"out must be two arrays (dW, db), got {type(out).__name__}")
    for array, name, shape in zip(out, ("dW", "db"), (W.shape, W.shape[-1:]), strict=True):
        expect_shape(array, shape, f"out's {name}", "the shape of its parameter")
        if array.dtype != W.dtype:
            raise DTypeError(
                f"out's {name} must be {W.dtype}, the dtype of the computation, got {array.dtype}"
            )
        if not array.flags.writeable:
            raise ArgumentError(f"out's {name} is read-only; give an array that may be written to")
        if not array.flags.carray:
            raise ArgumentError(
                f"out's {name} must be C-contiguous and aligned, as numpy.empty gives it, got strides "
                f"{array.strides} for shape {array.shape}"
            )
        if any(np.may_share_memory(array, given) for given in inputs if given is not None):
            raise ArgumentError(f"out's {name} shares memory with an input; give arrays of its own")
    if np.may_share_memory(*out):
        raise ArgumentError("out's dW and db share memory; give arrays of their own")
    return out
