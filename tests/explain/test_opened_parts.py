"""Parts of a sum: each opens by the address that the text gives it, and what does not open is named."""

import re

import numpy as np
import pytest
from redone import redo
from small_nets import images, whole_net

import tinycnn as tc
from tinycnn.errors import ArgumentError
from tinycnn.explain import explain
from tinycnn.layers import Conv2D, Dense, LocalResponseNorm, MaxPool2D


@pytest.fixture(scope="module")
def every_layer():
    trace = whole_net().trace(images(2), training=True, rng=3)
    trace.backward(labels=[1, 3], keep=True)
    return trace


@pytest.fixture(scope="module")
def trace():
    """5 x 5 windows of 40 channels, whose sums have three levels; padded; and 600 inputs of a unit."""
    layers = [
        Conv2D(40, 3, padding=1, activation="relu", name="first"),
        Conv2D(6, 5, padding=2, activation="relu", name="conv"),
        LocalResponseNorm(name="norm"),
        MaxPool2D(2, name="pool"),
        MaxPool2D(3, stride=2, padding=1, name="over"),
        Dense(30, name="fc"),
        Dense(60, activation="softmax", name="last"),
    ]
    trace = tc.Sequential(layers, (20, 20, 1)).trace(images(1, (20, 20, 1)))
    trace.backward(labels=[3])
    return trace


def opened_lines(opened):
    """The words behind each OPEN, in one line each."""
    text = re.sub(r"\n {8}(?=\S[^\n]*\d terms?\n)", " ", str(opened))
    return re.findall(r"^OPEN +(.*)$", text, re.MULTILINE)


def test_any_part_opens_at_any_level(trace):
    conv = trace["conv"]
    for i, j in np.ndindex(5, 5):
        opened = explain(trace, "conv", (9, 8, 4), part=f"{i},{j}")
        first = opened_lines(opened)[0]
        assert first.startswith(f"part {i},{j} (0,0 .. 4,4 open)")
        assert first.endswith(f": position ({i},{j}), 40 terms")
        redo(str(opened))
    # 40 channels are two groups of 20: the second of them at position (1, 3), worked out from the arrays.
    text = str(explain(trace, "conv", (9, 8, 4), part="1,3/1"))
    assert "part 1,3/1 (0 .. 1 open)" in text and "channels 20..39, 20 terms" in text
    x, W = conv.x[0, 9 - 2 + 1, 8 - 2 + 3, 20:], conv.params["W"][1, 3, 20:, 4]
    a, b = re.search(r"channel 20 +(\S+) \* +(\S+) = ", text).groups()
    assert float(a) == pytest.approx(x[0], rel=1e-4) and float(b) == pytest.approx(W[0], rel=1e-4)
    total = re.findall(r"these 20 add up to (\S+?);? ", text + " ")[-1]
    assert float(total) == pytest.approx(float(x.astype(float) @ W.astype(float)), abs=1e-3)
    redo(text)


def every_number(trace):
    """A cell of each layer, and a gradient of each of its parameters, its input and its logits."""
    for record in trace.records:
        yield record.name, record.y[0]
        for part, array in (("x", record.dx), ("z", record.dz), *(record.grads or {}).items()):
            shape = array[0] if part in "xz" else array
            yield f"{record.name}.{part}", shape


def test_every_part_of_every_layer_opens_and_can_be_redone(every_layer):
    """Of sums with several, a few of each level; of those with letters, each sum's."""
    rng = np.random.default_rng(1)
    seen = 0
    for what, array in every_number(every_layer):
        place = tuple(int(rng.integers(size)) for size in array.shape)
        opened = explain(every_layer, what, place)
        for line in opened_lines(opened):
            address, some = re.match(r"part (\S+) \((?:only )?(.*?) opens?\)", line).groups()
            *above, _ = address.rsplit("/", 1)
            first, last = re.fullmatch(r"(?:\d+ of )?(\S+?)(?: \.\. (\S+))?", some).groups()
            for part in {first, last or first}:
                other = "/".join([*above, part]) if above else part
                text = str(explain(every_layer, what, place, part=other))
                assert f"part {other} (" in text
                redo(text)
                seen += 1
    assert seen > 15


def test_several_sums_have_letters(trace):
    opened = opened_lines(explain(trace, "last", (7,)))
    assert [line.split()[1][:2] for line in opened] == ["A/", "B/"]
    second = opened_lines(explain(trace, "last", (7,), part="B/2"))
    assert any(line.startswith("part B/2 (0 .. 2 open)") for line in second)
    assert opened_lines(explain(trace, "last", (7,), part="1")) == opened_lines(
        explain(trace, "last", (7,), part="A/1")
    )


def test_a_part_opens_by_its_name_too(trace):
    by_name = explain(trace, "conv", (9, 8, 4), part="position (2,3)/channels 20..39")
    assert str(by_name) == str(explain(trace, "conv", (9, 8, 4), part="2,3/1"))


def test_a_windows_candidates_open(trace):
    """Each with the windows that hold it; the winner, unless another one is asked for."""
    x = trace["over"].x[0, :, :, 4]
    winner = np.unravel_index(x[1:4, 1:4].argmax(), (3, 3))
    for i, j in np.ndindex(3, 3):
        opened = explain(trace, "over", (1, 1, 4), part=f"{i},{j}")
        (words,) = opened_lines(opened)
        assert words.startswith(f"part {i},{j} (0,0 .. 2,2 open)")
        assert (", the winner:" in words) == ((i, j) == winner)
        rows, columns = (
            1 + (at + 1) % 2 for at in (i, j)
        )  # windows two apart: the edges of 3 are shared
        where = f"row {1 + i}, column {1 + j} of the input, in {rows * columns} window"
        assert where in " ".join(str(opened).split())  # it may take two lines
        assert str(opened).count("  window (") == rows * columns
        wins = (i, j) == winner
        assert ("window (1,1), won" in str(opened)) == wins
    plain = str(explain(trace, "over", (1, 1, 4)))
    assert plain == str(explain(trace, "over", (1, 1, 4), part="{},{}".format(*winner)))


def test_beside_the_edge_only_what_reads_the_image_opens(trace):
    text = str(explain(trace, "conv", (0, 1, 0)))
    assert "(2,1 .. 4,4 open)" in text


@pytest.mark.parametrize(
    ("what", "place", "part", "message"),
    [
        ("conv", (9, 8, 4), "5,0", "conv, row 9, column 8, filter 4 has no part '5,0': 0,0 .. 4,4 open "
                                   "(row,column, from 0)"),
        ("conv", (9, 8, 4), "0,5", "has no part '0,5'"),
        ("conv", (9, 8, 4), "7", "has no part '7'"),
        ("conv", (9, 8, 4), "-1,0", "has no part '-1,0'"),
        ("conv", (9, 8, 4), "", "has no part ''"),
        ("conv", (9, 8, 4), "1,2/2", "part 1,2 has no part '2': 0 .. 1 open (one number, from 0)"),
        ("conv", (9, 8, 4), "1,2/1/0", "part 1,2/1 is a sum of 20 products: none of them opens"),
        ("conv", (0, 0, 4), "0,3", "part 0,3 of conv, row 0, column 0, filter 4 is a single number, "
                                   "position (0,3), padding: 2,2 .. 4,4 open"),
        ("norm", (9, 8, 4), "0", "channel 4: a sum of 4 products, of which none opens"),
        ("pool", (3, 3, 4), "2,0", "has no part '2,0': 0,0 .. 1,1 open (row,column, from 0)"),
        ("pool", (3, 3, 4), "0", "has no part '0'"),
        ("over", (0, 0, 4), "0,1", "part 0,1 of over, row 0, column 0, channel 4 is padding, which does not "
                                   "compete: 1,1 .. 2,2 open"),
        ("conv.z", (9, 8, 4), "0", "a sum of 1 single number, of which none opens"),
        ("last", (7,), "C/0", "has no part 'C'"),
    ],
)  # fmt: skip
def test_what_does_not_open_is_named(trace, what, place, part, message):
    with pytest.raises(ArgumentError) as caught:
        explain(trace, what, place, part=part)
    assert message in str(caught.value)


def test_a_trace_opens_parts_itself(trace):
    opened = trace.explain("conv", at=(9, 8, 4), part="2,3")
    assert str(opened) == str(explain(trace, "conv", (9, 8, 4), part="2,3"))
    assert opened.to_dict() == trace.explain("conv", at=(9, 8, 4)).to_dict()
