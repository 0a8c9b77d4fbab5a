"""The AlexNet paper's recipe, as numbers."""

from __future__ import annotations

from dataclasses import dataclass

from tinycnn.model import Sequential
from tinycnn.optimizers import SGD
from tinycnn.schedules import DivideOnPlateau


@dataclass(frozen=True)
class Recipe:
    """All numbers of a training run; the values here are those of `PAPER`, section by section.

    Section 5: SGD on ``batch_size`` images a step, with ``momentum``, and ``weight_decay`` inside the
    velocity; ``rate``, divided by ``rate_divisor`` when the validation error stops improving,
    ``rate_divisions`` times; about ``epochs`` in all. Weights begin normal with standard deviation
    ``weight_std``, the biases of ``biased_layers`` with ``bias`` and all others with 0.

    Sections 2 and 4.1: the shorter side of a picture becomes ``image_size``, its middle is cut out, and of
    that a crop of ``crop_size`` at random ("224" in the text; 227 is what the layers' sizes need without
    padding), ``mirrored`` half of the time, with RGB's principal components added by random multiples of
    standard deviation ``colour_std``. In a test the softmax of ``test_crops`` is averaged: four corners, the
    middle, and their mirror images. Section 4.2: ``dropout`` of the hidden dense layers.

    Source: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural
    networks", 2012; that biases do not decay is from their code, which the Computer History Museum released.
    """

    batch_size: int = 128
    momentum: float = 0.9
    weight_decay: float = 0.0005
    rate: float = 0.01
    rate_divisor: float = 10.0
    rate_divisions: int = 3
    epochs: int = 90
    weight_std: float = 0.01
    bias: float = 1.0
    biased_layers: tuple[str, ...] = ("conv2", "conv4", "conv5", "fc1", "fc2")
    image_size: int = 256
    crop_size: int = 227
    mirrored: bool = True
    colour_std: float = 0.1
    test_crops: int = 10
    dropout: float = 0.5

    def optimizer(self, model: Sequential) -> SGD:
        """SGD on ``model`` with the recipe's numbers."""
        return SGD(model, self.rate, self.momentum, self.weight_decay)

    def schedule(self, patience: int = 3) -> DivideOnPlateau:
        """The rate, to be told each validation's error; ``patience``, how long to wait, is ours."""
        return DivideOnPlateau(
            self.rate, self.rate_divisor, patience=patience, times=self.rate_divisions
        )


PAPER = Recipe()
"""The AlexNet paper's recipe."""
