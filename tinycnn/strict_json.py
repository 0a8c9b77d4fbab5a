"""JSON that every reader takes: RFC 8259 has no NaN and no infinities."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def dumps(data: Any, *, indent: int | None = None) -> str:
    """Write plain data as JSON; what is no finite number becomes "NaN", "Infinity" or "-Infinity".

    These are strings, as in protobuf's JSON, which Python's float() and JavaScript's Number() read.
    """
    return json.dumps(_strict(data), indent=indent, allow_nan=False)


def _strict(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {_strict(key): _strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(item) for item in value]
    return value
