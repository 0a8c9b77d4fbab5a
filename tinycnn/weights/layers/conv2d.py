"""Convolutions: PyTorch's weights are (F, C // groups, KH, KW), Keras's are as ours."""

from tinycnn.layers import Conv2D
from tinycnn.weights.translation import KERAS, TORCH, Arrays

TORCH.register(Conv2D)(Arrays({"W": "weight", "b": "bias"}, axes={"W": (3, 2, 0, 1)}))
KERAS.register(Conv2D)(Arrays({"W": "kernel", "b": "bias"}))
