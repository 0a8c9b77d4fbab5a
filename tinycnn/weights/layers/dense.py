"""Dense layers: PyTorch's weights are (units, D), D counted channel by channel; Keras's are as ours."""

from tinycnn.layers import Dense
from tinycnn.weights.translation import KERAS, TORCH, Arrays

TORCH.register(Dense)(Arrays({"W": "weight", "b": "bias"}, axes={"W": (1, 0)}, by_feature=("W",)))
KERAS.register(Dense)(Arrays({"W": "kernel", "b": "bias"}))
