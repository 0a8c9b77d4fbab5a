"""Convolutions: PyTorch's weights are (F, C // groups, KH, KW), Keras's are as ours, but for depthwise ones.

Its DepthwiseConv2D has (KH, KW, C, M), where filter m of channel c makes feature map c * M + m.
"""

from tinycnn.layers import Conv2D
from tinycnn.weights.layouts import FILTERS_FIRST
from tinycnn.weights.translation import KERAS, TORCH, Arrays

TORCH.register(Conv2D)(Arrays({"W": "weight", "b": "bias"}, axes={"W": FILTERS_FIRST}))
KERAS.register(Conv2D)(Arrays({"W": "kernel", "b": "bias"}, by_channel=("W",)))
