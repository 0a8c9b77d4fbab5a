"""The inference path: a `plan` carried out, with nothing kept for a backward pass.

Weights are packed once a version of the model's parameters. Feature maps between layers live in
buffers that are used again from call to call, with the border of zeros that the next layer wants
around its input. A block of images goes through a group of layers on one thread while its maps are
in the cache; where there are fewer blocks than threads, the threads share each layer's work instead.
How work is shared changes no bit of a result.

What a kind of layer does here is found in `STEPS`, where a layer of your own may be entered too.
"""

from __future__ import annotations

from tinycnn.inference.layers import STEPS
from tinycnn.inference.runner import Inference

__all__ = ["STEPS", "Inference"]
