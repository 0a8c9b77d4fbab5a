"""Small convolutions for kernels, drawn over all that they are told; filters fill vectors or not."""

from hypothesis import strategies as st

from tinycnn.kernels.simd import LANES

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
filters = st.sampled_from(
    [1, 2, LANES, LANES + 1, 2 * LANES + 3, 3 * LANES + 1, 4 * LANES, 5 * LANES]
)
channels = st.sampled_from([1, 2, 5, LANES + 1])
# Channels and filters of a group, and groups: a channel each, some to a vector, vectors filled or not.
grouped = st.one_of(
    st.tuples(st.just(1), st.just(1), st.sampled_from([2, LANES - 1, 3 * LANES + 1, 5 * LANES])),
    st.tuples(st.integers(1, 3), st.sampled_from([1, 2, 4]), st.sampled_from([2, 4, 18])),
    st.tuples(st.integers(1, 5), st.integers(1, LANES + 1), st.integers(2, 4)),
    st.tuples(st.just(LANES + 1), st.sampled_from([1, LANES]), st.just(2)),
)


@st.composite
def small_convolutions(draw):
    """Sizes (N, H, W, C) and (N, OH, OW, F), and (kernel, stride, padding at the top and left, dilation)."""
    C, F = draw(channels), draw(filters)
    (N, H, W), output, window = draw(_windows([1, 2, 5, 34]))
    return (N, H, W, C), (N, *output, F), window


@st.composite
def grouped_convolutions(draw):
    """The same, and the number of groups: one or more."""
    alone = st.tuples(channels, filters, st.just(1))
    Cg, Fg, groups = draw(grouped | alone)
    (N, H, W), output, window = draw(_windows([1, 2, 4, 7]))
    return (N, H, W, Cg * groups), (N, *output, Fg * groups), window, groups


@st.composite
def _windows(draw, widths):
    kernel, stride, dilation = draw(pairs), draw(pairs), draw(pairs)
    output = draw(st.tuples(st.integers(1, 3), st.sampled_from(widths)))
    reach = [
        (o - 1) * s + (k - 1) * d + 1
        for o, s, k, d in zip(output, stride, kernel, dilation, strict=True)
    ]
    before = draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    # The image ends ahead of the last window, with it or behind it.
    size = [max(r - b + draw(st.integers(-2, 2)), 1) for r, b in zip(reach, before, strict=True)]
    return (draw(st.integers(0, 3)), *size), output, (kernel, stride, before, dilation)
