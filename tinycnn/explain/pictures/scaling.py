"""How pixels become a network's input: mean, standard deviation, and the order of the colours."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from tinycnn.arrays import Array
from tinycnn.errors import ArgumentError
from tinycnn.validation import check_choice
from tinycnn.wording import many

Numbers = tuple[float, ...]  # one for each channel, or one for all


class Input(ABC):
    """What makes a network's input of a picture's pixels, or of numbers."""

    @abstractmethod
    def of_pixels(self, pixels: Array) -> tuple[Array, str]:
        """The input (1, H, W, C) that 0 .. 255 become, and the formula in words."""

    @abstractmethod
    def of_numbers(self, numbers: Array) -> tuple[Array, str]:
        """The same for numbers (H, W, C) that are no pixels."""


@dataclass(frozen=True)
class Scaling(Input):
    """x = (value - ``mean``) / ``std``, by the channels of the network, which are in the order ``channels``.

    The value of a pixel is 0 .. 255, or 0 .. 1 where neither ``mean`` nor ``std`` is above 1, as torchvision
    gives them. None for one of them is 0 or 1, for both is 128. Numbers of a file that are no pixels are
    values as they are, and x where ``mean`` and ``std`` are None. Raises ArgumentError for numbers that are
    not finite, a ``std`` that is not above 0, and other channels than "rgb" and "bgr".
    """

    mean: Numbers | None = None
    std: Numbers | None = None
    channels: str = "rgb"

    def __post_init__(self) -> None:
        check_choice(self.channels, ("rgb", "bgr"), "channels")
        if not all(map(math.isfinite, self.mean or ())):
            raise ArgumentError(f"mean must be finite numbers, got {listed(self.mean or ())}")
        if not all(0 < number < math.inf for number in self.std or ()):
            raise ArgumentError(f"std must be finite numbers above 0, got {listed(self.std or ())}")

    def of_pixels(self, pixels: Array) -> tuple[Array, str]:
        """The input (1, H, W, C) that 0 .. 255 become, and the formula in words."""
        if self.mean is None and self.std is None:
            centred: Array = (self._ordered(pixels).astype(np.float32) - 128) / 128  # exact
            return centred[None], self._words("pixel", (128.0,), (128.0,))
        if max(*self._mean, *self._std) > 1:
            return self._scaled(pixels), self._words("pixel", self._mean, self._std)
        return self._scaled(pixels / 255), self._words("pixel / 255", self._mean, self._std)

    def of_numbers(self, numbers: Array) -> tuple[Array, str]:
        """The same for numbers (H, W, C) that are no pixels."""
        if self.mean is None and self.std is None:
            return self._ordered(numbers)[None], f"x = its numbers{self._order}"
        return self._scaled(numbers), self._words("number", self._mean, self._std)

    @property
    def _mean(self) -> Numbers:
        return (0.0,) if self.mean is None else self.mean

    @property
    def _std(self) -> Numbers:
        return (1.0,) if self.std is None else self.std

    def _scaled(self, values: Array) -> Array:
        values = self._ordered(values).astype(np.float64)
        for name, numbers in (("mean", self._mean), ("std", self._std)):
            if len(numbers) not in (1, values.shape[2]):
                raise ArgumentError(
                    f"{name} must be one number, or one for each of the network's "
                    f"{many(values.shape[2], 'channel')}, got {listed(numbers)}"
                )
        scaled: Array = (values - self._mean) / self._std
        return scaled[None]

    def _ordered(self, values: Array) -> Array:
        if self.channels == "bgr" and values.shape[2] != 3:
            raise ArgumentError(
                f"channels bgr needs three colours, and the network's input has "
                f"{many(values.shape[2], 'channel')}"
            )
        return values[:, :, ::-1] if self.channels == "bgr" else values

    def _words(self, value: str, mean: Numbers, std: Numbers) -> str:
        shifted = value if not any(mean) else f"{value} - {listed(mean)}"
        if set(std) != {1.0}:
            plain = shifted == "pixel" or shifted == "number"
            shifted = f"{shifted if plain else f'({shifted})'} / {listed(std)}"
        return f"x = {shifted}{self._order}"

    @property
    def _order(self) -> str:
        return "; channels blue, green, red" if self.channels == "bgr" else ""


USUAL = Scaling()
"""x = (pixel - 128) / 128."""


def listed(numbers: Numbers) -> str:
    """Numbers as text, one alone without brackets."""
    text = ", ".join(f"{number:g}" for number in numbers)
    return text if len(numbers) == 1 else f"({text})"
