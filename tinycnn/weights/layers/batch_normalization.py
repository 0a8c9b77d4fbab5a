"""Batch normalisation: the same four arrays; after a flattening PyTorch's are channel by channel."""

from tinycnn.layers import BatchNormalization
from tinycnn.weights.translation import KERAS, TORCH, Arrays

_IN_TORCH = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "variance": "running_var"}
_IN_KERAS = {"gamma": "gamma", "beta": "beta", "mean": "moving_mean", "variance": "moving_variance"}

TORCH.register(BatchNormalization)(Arrays(_IN_TORCH, by_feature=tuple(_IN_TORCH), keeps_order=True))
KERAS.register(BatchNormalization)(Arrays(_IN_KERAS, keeps_order=True))
