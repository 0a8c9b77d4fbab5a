"""tinycnn: a convolutional network engine to read, to check and to race.

Names load on first use, so that what needs no compiled kernel (a summary, say) starts at once.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinycnn import (
        checkpoints,
        data,
        errors,
        initializers,
        layers,
        losses,
        ops,
        optimizers,
        recipes,
        schedules,
        testing,
        training,
        weights,
    )
    from tinycnn.checking import gradcheck
    from tinycnn.errors import TinyCNNError
    from tinycnn.estimator import CNNClassifier
    from tinycnn.model import Sequential
    from tinycnn.networks import alexnet
    from tinycnn.runs.networks import open_network
    from tinycnn.runtime.threads import use_threads
    from tinycnn.saving.loading import load
    from tinycnn.small_networks import small_network
    from tinycnn.training.trainer import Trainer

__version__ = "0.1.0"
__all__ = [
    "Sequential",
    "TinyCNNError",
    "Trainer",
    "alexnet",
    "checkpoints",
    "data",
    "errors",
    "gradcheck",
    "initializers",
    "layers",
    "load",
    "losses",
    "open_network",
    "ops",
    "optimizers",
    "recipes",
    "schedules",
    "small_network",
    "testing",
    "training",
    "use_threads",
    "weights",
]
if TYPE_CHECKING or find_spec("sklearn"):  # without it, `from tinycnn import *` would fail
    __all__ += ["CNNClassifier"]

_HOMES = {
    "CNNClassifier": "estimator",
    "Sequential": "model",
    "TinyCNNError": "errors",
    "Trainer": "training.trainer",
    "alexnet": "networks",
    "gradcheck": "checking",
    "load": "saving.loading",
    "open_network": "runs.networks",
    "small_network": "small_networks",
    "use_threads": "runtime.threads",
}


def __getattr__(name: str) -> Any:
    if name not in __all__ and name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f"{__name__}.{_HOMES.get(name, name)}")
    value = getattr(home, name) if name in _HOMES else home
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
