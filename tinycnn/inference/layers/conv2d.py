"""A convolution in inference: by Winograd's algorithm or direct; else, and in float64, by its own forward."""

from __future__ import annotations

from tinycnn.inference import direct_stage, winograd_stages
from tinycnn.inference.steps import STEPS, Place, Steps, by_its_own_forward
from tinycnn.layers import Conv2D
from tinycnn.ops.convolution import direct
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.ops.convolution.winograd import operation as winograd


@STEPS.register(Conv2D)
def convolution_steps(place: Place[Conv2D], before: Steps) -> Steps:
    """The steps of the algorithm that is asked for, or faster."""
    layer, shape = place.layer, place.input_shape
    geometry = Geometry(place.batch, shape[2], layer.filters, layer.groups, layer.window(shape))
    asked = place.algorithm or layer.algorithm
    for name, algorithm, steps in (
        ("winograd", winograd, winograd_stages.steps),
        ("direct", direct, direct_stage.steps),
    ):
        wanted = asked == name and algorithm.refusal(geometry, place.dtype) is None
        if wanted or (asked == "auto" and algorithm.is_faster(geometry, place.dtype)):
            return (*before, *steps(place, geometry))
    return by_its_own_forward(place, before)
