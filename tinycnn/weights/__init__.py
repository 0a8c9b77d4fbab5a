"""Weights of other engines, taken into a model of this one.

They keep the same numbers in other orders, of which some fit by shape and are wrong: a square kernel with its
axes turned, and above all the rows of the first dense layer, which PyTorch counts channel by channel and this
engine pixel by pixel. No check of shapes sees that; these doors turn them.
"""

from tinycnn.weights.from_others import from_keras, from_torch
from tinycnn.weights.translation import KERAS, TORCH, Arrays

__all__ = ["KERAS", "TORCH", "Arrays", "from_keras", "from_torch"]
