"""Small convolutions for kernels, drawn over all that they are told; filters fill vectors or not."""

from hypothesis import strategies as st

from tinycnn.kernels.simd import LANES

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
filters = st.sampled_from(
    [1, 2, LANES, LANES + 1, 2 * LANES + 3, 3 * LANES + 1, 4 * LANES, 5 * LANES]
)


@st.composite
def small_convolutions(draw):
    """Sizes (N, H, W, C) and (N, OH, OW, F), and (kernel, stride, padding at the top and left, dilation)."""
    kernel, stride, dilation = draw(pairs), draw(pairs), draw(pairs)
    output = draw(st.tuples(st.integers(1, 3), st.sampled_from([1, 2, 5, 34])))
    reach = [
        (o - 1) * s + (k - 1) * d + 1
        for o, s, k, d in zip(output, stride, kernel, dilation, strict=True)
    ]
    before = draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    # The image ends ahead of the last window, with it or behind it.
    size = [max(r - b + draw(st.integers(-2, 2)), 1) for r, b in zip(reach, before, strict=True)]
    N, C, F = draw(st.integers(0, 3)), draw(st.sampled_from([1, 2, 5, LANES + 1])), draw(filters)
    return (N, *size, C), (N, *output, F), (kernel, stride, before, dilation)
