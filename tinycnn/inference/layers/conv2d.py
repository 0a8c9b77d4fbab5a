"""A convolution in inference: recorded calls of its algorithm; else, and in float64, its own forward."""

from __future__ import annotations

import numpy as np

from tinycnn.inference import direct_stage, window_stage, winograd_stages
from tinycnn.inference.planners import STEPS, by_its_own_forward
from tinycnn.inference.steps import Place, Steps
from tinycnn.layers import Conv2D
from tinycnn.ops.convolution.choice import choose, refusal
from tinycnn.ops.convolution.direct import DirectConvolution
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.ops.convolution.grouped import GroupedConvolution
from tinycnn.ops.convolution.winograd.setup import WinogradSetup

_FLOAT32 = np.dtype(np.float32)


@STEPS.register(Conv2D)
def convolution_steps(place: Place[Conv2D], before: Steps) -> Steps:
    """The steps of the algorithm that is asked for, or faster."""
    layer, shape = place.layer, place.input_shape
    geometry = Geometry(place.batch, shape[2], layer.filters, layer.groups, layer.window(shape))
    asked = place.algorithm or layer.algorithm
    if refusal(asked, geometry, place.dtype) is None:
        setup = choose(asked, geometry, place.dtype, packed=True).setup
        if isinstance(setup, WinogradSetup):
            return (*before, *winograd_stages.steps(place, geometry, setup))
        if isinstance(setup, DirectConvolution):
            return (*before, *direct_stage.steps(place, geometry, setup))
        if isinstance(setup, GroupedConvolution) and place.dtype == _FLOAT32:
            return (*before, *window_stage.steps(place, geometry, setup))
    return by_its_own_forward(place, before)
