"""For tests of your own: a battery for any layer, and hypothesis strategies.

`check_layer` runs all checks and gives a report. As tests of their own, one a check:

    @pytest.mark.parametrize("check", tc.testing.LAYER_CHECKS, ids=str)
    def test_my_layer(check):
        check(MyLayer, (8, 8, 3))

`tinycnn.testing.strategies` needs hypothesis and loads when it is named.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tinycnn.testing.layouts import LAYOUTS, laid_out
from tinycnn.testing.report import LAYER_CHECKS, LayerCheck, LayerReport, check_layer

__all__ = [
    "LAYER_CHECKS",
    "LAYOUTS",
    "LayerCheck",
    "LayerReport",
    "check_layer",
    "laid_out",
    "strategies",
]


def __getattr__(name: str) -> Any:
    if name != "strategies":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("tinycnn.testing.strategies")
