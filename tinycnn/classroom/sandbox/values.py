"""Values as bytes and back, without pickle: what comes from a process that cannot be trusted is only read.

A value is a letter and what belongs to it: numbers, text, arrays of numbers or text, and tuples, lists
and dicts of these. Whatever else there is goes as the name of its type.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

# By name, when this is loaded: a file may replace what NumPy's module holds.
from numpy import asarray, dtype, empty, frombuffer, generic, ndarray
from numpy.random import PCG64, Generator

_DEPTH = 30
_BITS = 4096  # of a whole number
_OBJECTS = 2**20  # in an array
_DTYPE = re.compile(r"[<>|=](?:[biufc]\d{1,2}|[US]\d{1,6})")


@dataclass(frozen=True)
class Foreign:
    """Stands for a value of another type."""

    type_name: str


def encode(value: Any) -> bytes:
    """Give a value as bytes; raises RecursionError for what holds itself."""
    return b"".join(_parts(value, 0))


def decode(data: bytes) -> Any:
    """Give the value back, arrays read-only; raises ValueError for bytes that `encode` never writes."""
    reader = _Reader(data)
    value = reader.value(0)
    if reader.place != len(data):
        raise ValueError("more follows")
    return value


def _parts(value: Any, depth: int) -> Iterator[bytes]:
    if depth > _DEPTH:
        raise RecursionError("lists in lists")
    if value is None or value is True or value is False:
        yield {None: b"N", True: b"T", False: b"F"}[value]
    elif isinstance(value, (ndarray, generic)):
        yield from _array(asarray(value))
    elif isinstance(value, int) and int(value).bit_length() <= _BITS:
        yield from (b"i", *_text(str(int(value))))
    elif isinstance(value, float):
        yield b"f" + struct.pack("<d", value)
    elif isinstance(value, str):
        yield from (b"s", *_text(value))
    elif isinstance(value, (tuple, list)):
        yield (b"t" if isinstance(value, tuple) else b"l") + struct.pack("<Q", len(value))
        for item in value:
            yield from _parts(item, depth + 1)
    elif isinstance(value, dict):
        yield b"d" + struct.pack("<Q", len(value))
        for pair in value.items():
            yield from _parts(pair, depth + 1)
    elif isinstance(value, Generator) and isinstance(value.bit_generator, PCG64):
        yield b"g"
        for part in value.bit_generator.state["state"].values():
            yield from _text(str(part))
    else:
        yield from (b"?", *_text(type(value).__name__))


def _array(array: ndarray[Any, Any]) -> Iterator[bytes]:
    name = array.dtype.str
    few_objects = name == "|O" and array.size <= _OBJECTS
    if not few_objects and not _DTYPE.fullmatch(name):
        yield from (b"?", *_text(f"array of {array.dtype}"))
        return
    yield from (b"a", *_text(name))
    yield struct.pack(f"<B{array.ndim}Q", array.ndim, *array.shape)
    if not few_objects:  # objects are not sent: that they are objects says enough
        yield array.tobytes()


def _text(text: str) -> tuple[bytes, bytes]:
    data = text.encode("utf-8", "replace")
    return struct.pack("<Q", len(data)), data


@dataclass
class _Reader:
    """Reads values off ``data``; whatever does not fit raises ValueError."""

    data: bytes
    place: int = 0
    read: dict[bytes, Callable[[int], Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.read = {
            b"N": lambda depth: None,
            b"T": lambda depth: True,
            b"F": lambda depth: False,
            b"i": lambda depth: self._integer(),
            b"f": lambda depth: self._numbers("d", 1)[0],
            b"s": lambda depth: self._text(),
            b"a": lambda depth: self._array(),
            b"t": lambda depth: tuple(self._items(depth)),
            b"l": lambda depth: list(self._items(depth)),
            b"d": lambda depth: self._dict(depth),
            b"g": lambda depth: self._generator(),
            b"?": lambda depth: Foreign(self._text()),
        }

    def value(self, depth: int) -> Any:
        kind = self.take(1)
        if kind not in self.read or depth > _DEPTH + 1:
            raise ValueError("no value")
        return self.read[kind](depth)

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.place:
            raise ValueError("cut off")
        part = self.data[self.place : self.place + size]
        self.place += size
        return part

    def _numbers(self, kind: str, count: int) -> tuple[Any, ...]:
        layout = f"<{count}{kind}"
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def _text(self) -> str:
        return self.take(self._numbers("Q", 1)[0]).decode("utf-8")

    def _integer(self) -> int:
        text = self._text()
        if not re.fullmatch(rf"-?[0-9]{{1,{_BITS}}}", text):
            raise ValueError("no whole number")
        return int(text)

    def _items(self, depth: int) -> Iterator[Any]:
        for _ in range(self._numbers("Q", 1)[0]):
            yield self.value(depth + 1)

    def _dict(self, depth: int) -> dict[Any, Any]:
        try:
            return dict(self._items(depth))
        except TypeError as error:  # no pair, or a key that cannot be one
            raise ValueError("no dict") from error

    def _array(self) -> ndarray[Any, Any]:
        name, (axes,) = self._text(), self._numbers("B", 1)
        shape = self._numbers("Q", axes)
        size = math.prod(shape)
        if name == "|O" and size <= _OBJECTS:
            return empty(shape, object)
        if not _DTYPE.fullmatch(name):
            raise ValueError("no dtype of numbers or text")
        try:
            kind = dtype(name)
        except TypeError as error:
            raise ValueError("no dtype") from error
        numbers = frombuffer(self.take(size * kind.itemsize), kind) if size else empty(0, kind)
        return numbers.reshape(shape)

    def _generator(self) -> Generator:
        made = PCG64()
        state, inc = self._integer(), self._integer()
        made.state = {**made.state, "state": {"state": state, "inc": inc}}
        return Generator(made)
