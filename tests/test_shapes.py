import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.shapes import Axis, Window, pool_window, times, window
from tinycnn.validation import check_choice

sizes = st.integers(1, 20)


@st.composite
def axes(draw):
    """Size, kernel, stride, (before, after) and dilation; they need not fit together."""
    return (
        draw(sizes),
        draw(st.integers(1, 5)),
        draw(st.integers(1, 6)),
        (draw(st.integers(0, 4)), draw(st.integers(0, 4))),
        draw(st.integers(1, 3)),
    )


def cells_of(axis, place):
    """The cells that the window ``place`` steps from the first one reads, the image's first being 0."""
    _, kernel, stride, (before, _), dilation = axis
    return [place * stride - before + i * dilation for i in range(kernel)]


def places(axis, ceil_mode=False):
    """Where windows lie: tried one by one, from the first on.

    With ceil mode, by PyTorch's rule: the last window may overhang, but the last one of all must
    start in the image or in the padding ahead of it.
    """
    size, _, _, (_, after), _ = axis
    found = []
    while cells_of(axis, len(found))[-1] < size + after:
        found.append(len(found))
    if ceil_mode and cells_of(axis, len(found) - 1)[-1] < size + after - 1:
        found.append(len(found))
    if ceil_mode and cells_of(axis, found[-1])[0] >= size:
        found.pop()
    return found


def both(height, width, function=window, **options):
    """The window of two drawn axes."""
    values = zip(height, width, strict=True)
    size, kernel, stride, padding, dilation = (tuple(pair) for pair in values)
    return function(size, kernel, stride=stride, padding=padding, dilation=dilation, **options)


def fits(axis):
    return bool(places(axis))


@examples(500)
@given(axes().filter(fits), axes().filter(fits), st.booleans())
def test_the_output_size_is_the_number_of_places(height, width, ceil_mode):
    result = both(height, width, ceil_mode=ceil_mode)
    assert result.output == (len(places(height, ceil_mode)), len(places(width, ceil_mode)))
    for axis, given_axis in ((result.height, height), (result.width, width)):
        size, kernel, stride, pads, dilation = given_axis
        assert (axis.input, axis.kernel, axis.stride, axis.dilation) == (
            size,
            kernel,
            stride,
            dilation,
        )
        assert (axis.before, axis.after) == pads
        assert axis.effective_kernel == len(
            range(cells_of(given_axis, 0)[0], cells_of(given_axis, 0)[-1] + 1)
        )
    assert result.kernel == (height[1], width[1])
    assert result.stride == (height[2], width[2])
    assert result.dilation == (height[4], width[4])
    assert result.pad_top_left == (height[3][0], width[3][0])
    assert result.cells == height[1] * width[1]


@examples(200)
@given(axes().filter(fits), st.data())
def test_what_output_cells_see(axis, data):
    result = both(axis, axis).height
    last = data.draw(st.integers(0, result.output - 1))
    first = data.draw(st.integers(0, last))
    assert result.seen(first, last) == (cells_of(axis, first)[0], cells_of(axis, last)[-1])


@examples(200)
@given(axes().filter(fits), st.booleans())
def test_the_formula_is_true(axis, ceil_mode):
    result = both(axis, axis, ceil_mode=ceil_mode).height
    worked_out, output = result.formula.split(" = ")
    rounding = "ceil" if ceil_mode else "floor"
    assert re.fullmatch(rf"{rounding}\(\([\d+\-*()]+\)/{axis[2]}\)\+1(-1)?", worked_out)
    assert eval(worked_out, {"floor": math.floor, "ceil": math.ceil}) == result.output
    assert int(output) == result.output


@pytest.mark.parametrize(
    ("size", "options", "formula"),
    [
        (227, {"kernel": 11, "stride": 4}, "floor((227+0-11)/4)+1 = 55"),
        (27, {"kernel": 5, "padding": 2}, "floor((27+4-5)/1)+1 = 27"),
        (9, {"kernel": 3, "dilation": 2, "padding": "same"}, "floor((9+4-(2*2+1))/1)+1 = 9"),
        (12, {"kernel": 3, "stride": 2, "ceil_mode": True}, "ceil((12+0-3)/2)+1 = 6"),
        (5, {"kernel": 2, "stride": 3, "padding": 1, "ceil_mode": True}, "ceil((5+2-2)/3)+1-1 = 2"),
    ],
)
def test_formulas_as_they_are_printed(size, options, formula):
    result = window((size, size), **options)
    assert result.height.formula == result.width.formula == formula


@examples(300)
@given(axes(), axes(), st.booleans())
def test_same_padding_gives_the_size_over_the_stride_rounded_up(height, width, ceil_mode):
    (H, KH, sh, _, dh), (W, KW, sw, _, dw) = height, width
    result = window(
        (H, W), (KH, KW), stride=(sh, sw), padding="same", dilation=(dh, dw), ceil_mode=ceil_mode
    )
    assert result.output == (math.ceil(H / sh), math.ceil(W / sw))
    for axis in (result.height, result.width):
        assert axis.after - axis.before in (0, 1)  # the odd cell goes to the end
        if axis.before + axis.after:  # and there is no more of it than needed
            less = (axis.before, axis.after - 1)
            fewer = (axis.input, axis.kernel, axis.stride, less, axis.dilation)
            assert len(places(fewer)) < axis.output


@examples(200)
@given(axes().filter(fits))
def test_every_form_of_padding(axis):
    size, kernel, _, (a, b), _ = axis
    forms = {
        0: ((0, 0), (0, 0)),
        "valid": ((0, 0), (0, 0)),
        a: ((a, a), (a, a)),
        np.int64(b): ((b, b), (b, b)),
        (a, b): ((a, a), (b, b)),
        ((a, b), (b, a)): ((a, b), (b, a)),
    }
    for form, ((top, bottom), (left, right)) in forms.items():
        result = window((size + kernel, size + kernel), kernel, padding=form)
        assert (result.height.before, result.height.after) == (top, bottom)
        assert (result.width.before, result.width.after) == (left, right)
    assert window((9, 9), 3, padding=[[1, 2], [0, 3]]) == window(
        (9, 9), 3, padding=((1, 2), (0, 3))
    )


@examples(300)
@given(axes(), axes(), st.booleans())
def test_a_kernel_that_does_not_fit_is_refused(height, width, ceil_mode):
    if fits(height) and fits(width):
        both(height, width, ceil_mode=ceil_mode)
        return
    with pytest.raises(ShapeError, match="the kernel does not fit the padded image") as raised:
        both(height, width, ceil_mode=ceil_mode)
    name, (size, kernel, _, (before, after), dilation) = (
        ("width", width) if fits(height) else ("height", height)
    )
    reach = dilation * (kernel - 1) + 1
    assert (
        f"{name} {size} + padding {before + after} = {size + before + after} is less than {reach}, "
        f"the reach of kernel {kernel} with dilation {dilation}; use a smaller kernel or more "
        f"padding" in str(raised.value)
    )


# ---------------------------------------------------------------------------------------- pools


@examples(500)
@given(axes().filter(fits), axes().filter(fits), st.booleans())
def test_a_pool_window_wholly_in_the_padding_is_refused(height, width, ceil_mode):
    blind = [
        name
        for name, axis in (("height", height), ("width", width))
        for place in places(axis, ceil_mode)
        if not any(0 <= cell < axis[0] for cell in cells_of(axis, place))
    ]
    if not blind:
        pooled = both(height, width, pool_window, ceil_mode=ceil_mode)
        assert pooled == both(height, width, ceil_mode=ceil_mode)
        return
    with pytest.raises(ShapeError, match=f"^a pool window lies wholly in the padding: {blind[0]} "):
        both(height, width, pool_window, ceil_mode=ceil_mode)


def test_a_pools_stride_is_its_kernel_unless_given():
    assert pool_window((6, 9), (2, 3)) == window((6, 9), (2, 3), stride=(2, 3))
    assert pool_window((6, 9), 2, stride=1) == window((6, 9), 2)


# ---------------------------------------------------------------------------------------- sizes


def test_sizes_beyond_31_bits_are_exact():
    result = window((100_000, 100_000), 3, padding=1)
    assert result.output == (100_000, 100_000)
    assert math.prod(result.output) * result.cells * 64 == 5_760_000_000_000
    axis = window((2**40, 2**62 + 1), (11, 2**31 - 1), stride=(4, 3)).width
    assert axis.output == (2**62 + 1 - (2**31 - 1)) // 3 + 1
    assert axis.seen(axis.output - 1, axis.output - 1)[1] <= 2**62
    assert pool_window((2**40, 2**40), 3, stride=2).output == ((2**40 - 3) // 2 + 1,) * 2
    assert str(2**62 + 1) in axis.formula


def test_a_window_is_a_value():
    assert window((5, 6), 3) == window((5, 6), (3, 3), stride=[1, 1], padding="valid")
    assert hash(window((5, 6), 3)) == hash(window((5, 6), 3))
    assert isinstance(window((5, 6), 3), Window)
    assert window((5, 6), 3).height == Axis(5, 3, 1, 0, 0, 1, 3)


def test_shapes_as_people_write_them():
    assert times((55, 55, 96)) == "55 x 55 x 96"
    assert times((1000,)) == "1000"


# ------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("kind", "message", "arguments"),
    [
        (ShapeError, "^the image's height must be at least 1, got 0$", {"size": (0, 5)}),
        (ShapeError, "^the image's width must be at least 1, got -3$", {"size": (5, -3)}),
        (ArgumentError, "^kernel must be at least 1, got 0$", {"kernel": 0}),
        (ArgumentError, "^kernel must be at least 1, got -1$", {"kernel": (3, -1)}),
        (ArgumentError, r"^kernel must be an int or .* got 3\.0$", {"kernel": 3.0}),
        (ArgumentError, r"^kernel must be an int, got 3\.0$", {"kernel": (3.0, 3)}),
        (
            ArgumentError,
            r"^kernel must be an int or a pair \(height, width\) of ints, got \(3,\)$",
            {"kernel": (3,)},
        ),
        (ArgumentError, "^kernel must be an int or .* got '33'$", {"kernel": "33"}),
        (ArgumentError, "^kernel must be an int or .* got None$", {"kernel": None}),
        (ArgumentError, "^stride must be at least 1, got 0$", {"stride": 0}),
        (ArgumentError, "^stride must be an int, got False$", {"stride": (1, False)}),
        (ArgumentError, "^stride must be at most 2147483647, got 21", {"stride": 2**31}),
        (ArgumentError, "^dilation must be at least 1, got 0$", {"dilation": (0, 1)}),
        (ArgumentError, "^padding must be at least 0, got -1$", {"padding": ((0, -1), (0, 0))}),
        (ArgumentError, r"^padding must be an int, .* got \(0, 0\.5\)$", {"padding": (0, 0.5)}),
        (ArgumentError, r"^padding must be an int, .* got \(0, '12'\)$", {"padding": (0, "12")}),
        (ArgumentError, r"^padding must be an int, got 0\.5$", {"padding": ((0, 0.5), 1)}),
        (
            ArgumentError,
            '^padding must be numbers, "valid" or "same", got \'SAME\'$',
            {"padding": "SAME"},
        ),
        (
            ArgumentError,
            r"^padding must be an int, \(height, width\), \(\(top, bottom\), \(left, right\)\), "
            r'"valid" or "same", got \(1, 2, 3, 4\)$',
            {"padding": (1, 2, 3, 4)},
        ),
        (ArgumentError, r"^padding must be an int, .* got 1\.5$", {"padding": 1.5}),
        (ArgumentError, "^padding must be an int, got True$", {"padding": True}),
        (ArgumentError, r"^padding must be an int, .* got None$", {"padding": None}),
        (
            ShapeError,
            r"^the kernel does not fit the padded image: width 6 \+ padding 1 = 7 is less than 9, "
            r"the reach of kernel 5 with dilation 2; use a smaller kernel or more padding$",
            {"kernel": (1, 5), "dilation": 2, "padding": ((0, 0), (1, 0))},
        ),
    ],
)
def test_bad_input(kind, message, arguments):
    arguments = {"size": (5, 6), "kernel": 3, **arguments}
    for function in (window, pool_window):
        with pytest.raises(kind, match=message):
            function(**arguments)


def test_one_of_names_the_choices():
    with pytest.raises(ArgumentError, match=r"^colour must be one of 'red', None, got 'blue'$"):
        check_choice("blue", ("red", None), "colour")
