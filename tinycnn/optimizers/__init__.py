"""How gradients change parameters."""

from tinycnn.optimizers.adam import Adam, AdamW
from tinycnn.optimizers.clipping import clip_by_norm
from tinycnn.optimizers.optimizer import Optimizer
from tinycnn.optimizers.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "clip_by_norm"]
