"""What an epoch has come to so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from tinycnn.errors import ArgumentError
from tinycnn.training.evaluation import Evaluation
from tinycnn.training.history import Epoch


@dataclass
class Running:
    """Sums over the steps of an epoch, in their order: those of a run that is resumed have the same bits."""

    steps: int = 0
    images: int = 0
    loss: float = 0.0  # of each image
    right: int = 0
    judged: int = 0  # images whose labels are classes
    gradient_norm: float = 0.0
    seconds: float = 0.0

    def add(self, images: int, loss: float, right: int | None, norm: float) -> None:
        """Count a step: the mean loss of its ``images``, how many are ``right``, its gradient's norm."""
        self.steps += 1
        self.images += images
        self.loss += loss * images
        if right is not None:
            self.right, self.judged = self.right + right, self.judged + images
        self.gradient_norm += norm

    @property
    def mean_loss(self) -> float:
        """Of the images so far."""
        return self.loss / max(self.images, 1)

    def row(self, epoch: int, steps: int, rate: float, validation: Evaluation | None) -> Epoch:
        """The epoch, as a history has it."""
        return Epoch(
            epoch=epoch,
            steps=steps,
            rate=rate,
            loss=self.mean_loss,
            accuracy=self.right / self.judged if self.judged else None,
            gradient_norm=self.gradient_norm / max(self.steps, 1),
            validation_loss=None if validation is None else validation.loss,
            validation_accuracy=None if validation is None else validation.top1,
            seconds=self.seconds,
            images_per_second=self.images / self.seconds if self.seconds else 0.0,
        )

    def state_numbers(self) -> dict[str, Any]:
        """All of it."""
        return asdict(self)

    def load_state(self, numbers: Mapping[str, Any]) -> None:
        """Put back what `state_numbers` gave."""
        names = {field.name for field in fields(self)}
        if set(numbers) != names:
            raise ArgumentError(f"an epoch's sums are {', '.join(sorted(names))}")
        vars(self).update(numbers)
