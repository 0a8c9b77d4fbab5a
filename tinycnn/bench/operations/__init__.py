"""The ops of `tinycnn.ops` at any sizes, beside PyTorch's: a file a family, entered in `OPERATIONS`."""

from __future__ import annotations

from tinycnn.bench.operations.operation import OPERATIONS, Operation
from tinycnn.layers.registry import load_modules

__all__ = ["OPERATIONS", "Operation", "operation_of"]

load_modules(__name__, __path__)


def operation_of(text: str) -> Operation:
    """The operation that `Operation.text` made ``text`` of."""
    name, *sizes = text.split()
    return OPERATIONS[name](*map(int, sizes))
