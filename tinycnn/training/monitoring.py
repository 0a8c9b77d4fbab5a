"""Which number of an epoch says how good the network is, and whether it became better."""

from __future__ import annotations

from tinycnn.errors import ArgumentError
from tinycnn.training.history import Epoch
from tinycnn.validation import check_choice

# In the order in which one is chosen where nobody says.
_MONITORS = ("validation_accuracy", "validation_loss", "accuracy", "loss")


def check_monitor(name: str) -> str:
    """Read the name of a loss or an accuracy of a row."""
    check_choice(name, _MONITORS, "monitor")
    return name


def chosen_monitor(row: Epoch) -> str:
    """The accuracy or loss, of the validation if there was one, of which a row has a number."""
    return next(name for name in _MONITORS if getattr(row, name) is not None)


def value_of(row: Epoch, monitor: str) -> float:
    """The number of ``row`` that is monitored; raises ArgumentError where it was not measured."""
    value = getattr(row, monitor)
    if value is None:
        raise ArgumentError(
            f"{monitor} is monitored, but it was not measured: fit needs validation batches for a "
            f"validation, and labels that are classes for an accuracy"
        )
    return float(value)


def error_of(row: Epoch, monitor: str) -> float:
    """What should fall: a loss, or 1 - accuracy."""
    value = value_of(row, monitor)
    return 1 - value if monitor.endswith("accuracy") else value


def score_of(row: Epoch, monitor: str) -> float:
    """What should rise: an accuracy, or a loss with a minus."""
    value = value_of(row, monitor)
    return value if monitor.endswith("accuracy") else -value
