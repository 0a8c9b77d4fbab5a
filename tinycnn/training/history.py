"""What a training run came to, epoch by epoch: as data, a table and a plot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn import files, strict_json
from tinycnn.arrays import Array
from tinycnn.errors import ArgumentError
from tinycnn.tables import html_table, text_table


@dataclass(frozen=True)
class Epoch:
    """One epoch of a run; what was not measured is None.

    ``epoch`` counts from 1, ``steps`` are the optimizer's since the run began, ``rate`` is that of the last.
    ``loss`` and ``accuracy`` are means over the epoch's images, each taken in its step, before the update and
    with dropout; ``gradient_norm`` is the mean over the steps, before clipping. ``validation_loss`` and
    ``validation_accuracy`` are those of the network at the epoch's end. ``seconds`` are those of the steps,
    validation not counted, and ``images_per_second`` goes by them.
    """

    epoch: int
    steps: int
    rate: float
    loss: float
    accuracy: float | None
    gradient_norm: float
    validation_loss: float | None
    validation_accuracy: float | None
    seconds: float
    images_per_second: float

    def __str__(self) -> str:
        said = [f"epoch {self.epoch}: loss {self.loss:.4f}"]
        for words, value in (
            ("accuracy", self.accuracy),
            ("validation loss", self.validation_loss),
            ("validation accuracy", self.validation_accuracy),
        ):
            said += [] if value is None else [f"{words} {value:.4f}"]
        return ", ".join([*said, f"{self.images_per_second:,.0f} images/s"])


# Of each column the heading, and how its numbers are written.
_COLUMNS = {
    "epoch": ("epoch", "d"),
    "steps": ("steps", ",d"),
    "rate": ("rate", ".3g"),
    "loss": ("loss", ".4f"),
    "accuracy": ("accuracy", ".4f"),
    "gradient_norm": ("gradient / norm", ".3g"),
    "validation_loss": ("val. / loss", ".4f"),
    "validation_accuracy": ("val. / accuracy", ".4f"),
    "seconds": ("seconds", ".1f"),
    "images_per_second": ("images / a second", ",.0f"),
}


class History:
    """The epochs of a run, ``rows``, and the loss of each of its steps, ``steps``."""

    def __init__(self) -> None:
        self.rows: list[Epoch] = []
        self.steps: list[float] = []

    def __len__(self) -> int:
        """Epochs."""
        return len(self.rows)

    def __getitem__(self, name: str) -> list[Any]:
        """A number of all epochs: ``history["validation_loss"]``; ArgumentError for another name."""
        if name not in _COLUMNS:
            raise ArgumentError(f"a history has {', '.join(_COLUMNS)}, got {name!r}")
        return [getattr(row, name) for row in self.rows]

    def to_dict(self) -> dict[str, Any]:
        """Plain data: {"epochs": a mapping each, "steps": the loss of each step}."""
        return {"epochs": [asdict(row) for row in self.rows], "steps": list(self.steps)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> History:
        """The history of ``data`` that `to_dict` gave; raises ArgumentError for other data."""
        names = {field.name for field in fields(Epoch)}
        try:
            history = cls()
            history.rows = [Epoch(**{name: row[name] for name in names}) for row in data["epochs"]]
            history.steps = [float(loss) for loss in data["steps"]]
        except (KeyError, TypeError, ValueError) as error:
            raise ArgumentError(
                "this is no training history: it has 'epochs', each with "
                f"{', '.join(_COLUMNS)}, and 'steps'"
            ) from error
        return history

    def save(self, path: str | Path) -> None:
        """Write `to_dict` to ``path`` as JSON; raises FileError where that fails."""
        files.write_text(path, strict_json.dumps(self.to_dict(), indent=1) + "\n")

    def plot(self, path: str | Path) -> None:
        """Draw the curves to ``path``, .png or .svg (extra ``plot``); raises FileError, MissingExtraError."""
        from tinycnn import figures
        from tinycnn.training.curves import draw

        figures.save(lambda: draw(self), path)

    def __str__(self) -> str:
        return text_table(*self._table())

    def _repr_html_(self) -> str:
        return html_table(*self._table())

    def _table(self) -> tuple[list[str], list[list[str]], int]:
        shown = {
            name: column
            for name, column in _COLUMNS.items()
            if name in ("epoch", "loss") or any(value is not None for value in self[name])
        }
        body = [
            ["-" if (value := getattr(row, name)) is None else format(value, form)
             for name, (_, form) in shown.items()]
            for row in self.rows
        ]  # fmt: skip
        return [heading for heading, _ in shown.values()], body, len(shown)

    # --------------------------------------------------------------------------- what a checkpoint keeps

    def state_numbers(self) -> dict[str, Any]:
        """The epochs."""
        return {"epochs": self.to_dict()["epochs"]}

    def state_arrays(self) -> dict[str, Array]:
        """The losses."""
        return {"steps": np.array(self.steps)}

    def load_state(self, arrays: Mapping[str, ArrayLike], numbers: Mapping[str, Any]) -> None:
        """Put back the ``arrays`` and ``numbers`` that these gave."""
        loaded = self.from_dict({**numbers, "steps": np.asarray(arrays.get("steps")).tolist()})
        self.rows, self.steps = loaded.rows, loaded.steps
