"""What a run is asked to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinycnn.bench.engines import PEERS, TRAINERS
from tinycnn.runtime.cores import cores
from tinycnn.validation import check_choice


@dataclass(frozen=True)
class Settings:
    """Options that the parts share; None and empty mean the part's own choice."""

    quick: bool = False
    threads: int = 0
    batches: tuple[int, ...] = ()
    works: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    engines: tuple[str, ...] = PEERS
    rounds: int | None = None
    seconds: float = 0.2  # of a turn
    minutes: float | None = None  # of a sweep
    seed: int = 0  # of what is drawn
    save: Path | None = None

    def __post_init__(self) -> None:
        if not self.threads:
            object.__setattr__(self, "threads", cores())

    def rounds_of(self, usual: int) -> int:
        """Rounds: what was asked for, else two if quick, else ``usual``."""
        return self.rounds or (2 if self.quick else usual)

    def batch_of(self, usual: int, *, quick: int) -> int:
        """The batch size of a part that has one: what was asked for first, else its own choice."""
        return self.batches[0] if self.batches else quick if self.quick else usual

    def chosen(self, names: Iterable[str], quick: Sequence[str]) -> list[str]:
        """The layers to measure: those asked for, else ``quick`` ones if quick, else all ``names``."""
        known = list(names)
        for name in self.layers:
            check_choice(name, known, "--layers")
        return list(self.layers or (quick if self.quick else known))

    def peers(self, *, trainers: bool = False) -> list[str]:
        """The peers to compare with; with ``trainers``, those of them that train."""
        return [name for name in self.engines if name in (TRAINERS if trainers else PEERS)]
