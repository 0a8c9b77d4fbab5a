from math import prod

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from small_convolutions import small_convolutions
from strategies import ranges, whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels.dense import pack_images
from tinycnn.kernels.direct_gradient import direct_input_gradient
from tinycnn.kernels.panels import PANEL
from tinycnn.testing.strategies import generators


@settings(max_examples=40)
@given(small_convolutions(), generators, st.data())
def test_direct_input_gradient_is_its_twin(sizes, rng, data):
    x_shape, dz_shape, window = sizes
    channel, end = data.draw(
        st.just((0, x_shape[3])) | ranges(x_shape[3]).filter(lambda some: some[0] < some[1])
    )
    weights = whole(rng, (prod(window[0]) * (end - channel), dz_shape[3]), np.float32, top=4)
    panels = np.empty((-(-len(weights) // PANEL), dz_shape[3], PANEL), np.float32)
    pack_images(read_only(weights), panels)
    dz = read_only(whole(rng, prod(dz_shape), np.float32, top=4))
    images = data.draw(st.just((0, dz_shape[0])) | ranges(dz_shape[0]))
    dx = np.full(prod(x_shape), 77, np.float32)
    against_twin(
        direct_input_gradient, dz, dz_shape[1:], read_only(panels), *images, channel, end - channel,
        *window, dx, x_shape[1:],
    )  # fmt: skip
