"""How a network was trained, as numbers: the AlexNet paper's recipe."""

from __future__ import annotations

from dataclasses import dataclass

from tinycnn.model import Sequential
from tinycnn.optimizers import SGD
from tinycnn.schedules import DivideOnPlateau


@dataclass(frozen=True)
class Recipe:
    """All numbers of a training run; the values here are those of `PAPER`, section by section.

    Source: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural
    networks", 2012, by section; "code" is their cuda-convnet, which the Computer History Museum released.
    """

    # Section 5, details of learning.
    batch_size: int = 128
    momentum: float = 0.9
    weight_decay: float = 0.0005  # within the velocity; not of biases (code)
    rate: float = 0.01
    rate_divisor: float = 10.0  # when the validation error stops improving
    rate_divisions: int = 3
    epochs: int = 90  # roughly
    weight_std: float = 0.01  # of a Gaussian of mean 0
    bias: float = 1.0  # of the layers below; the others' are 0
    biased_layers: tuple[str, ...] = ("conv2", "conv4", "conv5", "fc1", "fc2")
    # Section 4.1, data augmentation.
    image_size: int = 256  # the shorter side, then the middle square
    crop_size: int = 227  # "224" in the text; 227 is what the layers' sizes need without padding
    mirrored: bool = True
    colour_std: float = 0.1  # of the random multiples of the principal components of RGB
    test_crops: int = 10  # four corners and the middle, and their mirror images
    # Section 4.2.
    dropout: float = 0.5

    def optimizer(self, model: Sequential) -> SGD:
        """SGD on ``model`` with the recipe's numbers."""
        return SGD(model, self.rate, self.momentum, self.weight_decay)

    def schedule(self, patience: int = 3) -> DivideOnPlateau:
        """The rate, to be told each validation's error; the paper does not say how long to wait."""
        return DivideOnPlateau(
            self.rate, self.rate_divisor, patience=patience, times=self.rate_divisions
        )


PAPER = Recipe()
"""The AlexNet paper's recipe."""
