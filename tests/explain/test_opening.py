"""Names and places of numbers: what opens, and what a mistake is answered with."""

import numpy as np
import pytest
from small_nets import images, plain_net, whole_net

from tinycnn.errors import ArgumentError, StaleTraceError, TinyCNNError, UnknownNameError
from tinycnn.explain import explain
from tinycnn.explain.opening import im2col_row


@pytest.fixture(scope="module")
def trace():
    """`plain_net` on two images, forward and backward: conv1 (5, 4, 4), pool1 (2, 2, 4), dense1 (5)."""
    trace = plain_net().trace(images(2))
    trace.backward(labels=[1, 3])
    return trace


@pytest.mark.parametrize(
    ("what", "at", "value", "subject"),
    [
        ("conv1", (4, 2, 3), lambda t: t["conv1"].y[1, 4, 2, 3], "conv1, row 4, column 2, filter 3"),
        ("pool1", (1, 0, 2), lambda t: t["pool1"].y[1, 1, 0, 2], "pool1, row 1, column 0, channel 2"),
        ("dense1", (4,), lambda t: t["dense1"].y[1, 4], "dense1, unit 4"),
        ("dense1[4]", None, lambda t: t["dense1"].y[1, 4], "dense1, unit 4"),
        ("conv1.W", (2, 0, 1, 3), lambda t: t["conv1"].grads["W"][2, 0, 1, 3], "dL/d conv1.W[2,0,1,3]"),
        ("conv1.W[ 2, 0,1 ,3]", None, lambda t: t["conv1"].grads["W"][2, 0, 1, 3],
         "dL/d conv1.W[2,0,1,3]"),
        ("dense1.W[15,4]", None, lambda t: t["dense1"].grads["W"][15, 4], "dL/d dense1.W[15,4]"),
        ("dense1.b", (0,), lambda t: t["dense1"].grads["b"][0], "dL/d dense1.b[0]"),
        ("conv1.x", (10, 8, 2), lambda t: t["conv1"].dx[1, 10, 8, 2],
         "dL/dx of conv1, row 10, column 8, blue"),
        ("pool1.x[4,2,3]", None, lambda t: t["pool1"].dx[1, 4, 2, 3],
         "dL/dx of pool1, row 4, column 2, channel 3"),
        ("conv1.y", (3, 2, 1), lambda t: t["pool1"].dx[1, 3, 2, 1],
         "dL/dy of conv1, row 3, column 2, filter 1"),
        ("conv1.z", (3, 2, 1), lambda t: t["conv1"].dz[1, 3, 2, 1],
         "dL/dz of conv1, row 3, column 2, filter 1"),
        ("dense1.z", (2,), lambda t: t["dense1"].dz[1, 2], "dL/dz of dense1, unit 2"),
    ],
)  # fmt: skip
def test_every_kind_of_name_opens_its_number(trace, what, at, value, subject):
    opened = explain(trace, what, at, sample=1)
    assert opened.value == value(trace)
    assert opened.subject == subject


def test_the_trace_opens_numbers_itself(trace):
    assert trace.explain("conv1", at=(1, 1, 1)).value == trace["conv1"].y[0, 1, 1, 1]
    assert trace.explain("pool1.x", (1, 1, 1), sample=1).value == trace["pool1"].dx[1, 1, 1, 1]


@pytest.mark.parametrize(
    ("what", "at", "place"),
    [
        ("conv1", (-1, -4, -4), (4, 0, 0)),
        ("conv1.W[-1,-3,-2,-1]", None, (2, 0, 1, 3)),
        ("dense1.x", (-1, 0, -2), (1, 0, 2)),
        ("dense1", [-5], (0,)),
        ("dense1", np.array([3]), (3,)),
    ],
)
def test_negative_places_count_from_the_end_and_any_sequence_is_one(trace, what, at, place):
    opened = explain(trace, what, at)
    assert opened.place == place
    assert all(type(index) is int for index in opened.place)


MISTAKES = [
    ("conv9", (0, 0, 0), "there is no layer 'conv9'; there are conv1, pool1, dense1"),
    ("conv9.W[0,0,0,0]", None, "there is no layer 'conv9'; there are conv1, pool1, dense1"),
    ("", (0,), "there is no layer ''; there are conv1, pool1, dense1"),
    ("conv1.V[0]", None, "conv1 has no 'V'; it has W, b, x, y, z"),
    ("pool1.W[0]", None, "pool1 has no 'W'; it has x, y, z"),
    ("conv1", None, "which number of conv1? give its place, such as at=(2, 2, 2)"),
    ("conv1.W", None, "which number of conv1.W? give its place, such as at=(1, 1, 1, 2)"),
    ("dense1.x", None, "which number of dense1.x? give its place, such as at=(1, 1, 2)"),
    ("conv1", (5, 0, 0), "conv1 has rows 0 .. 4 (or -5 .. -1 from the end), got 5"),
    ("conv1", (0, -5, 0), "conv1 has columns 0 .. 3 (or -4 .. -1 from the end), got -5"),
    ("conv1", (0, 0, 4), "conv1 has filters 0 .. 3 (or -4 .. -1 from the end), got 4"),
    ("pool1", (0, 0, 4), "pool1 has channels 0 .. 3 (or -4 .. -1 from the end), got 4"),
    ("dense1", (5,), "dense1 has units 0 .. 4 (or -5 .. -1 from the end), got 5"),
    ("conv1.W[3,0,0,0]", None,
     "conv1.W has kernel rows 0 .. 2 (or -3 .. -1 from the end), got 3"),
    ("conv1.b[4]", None, "conv1.b has filters 0 .. 3 (or -4 .. -1 from the end), got 4"),
    ("dense1.W[16,0]", None, "dense1.W has inputs 0 .. 15 (or -16 .. -1 from the end), got 16"),
    ("conv1.x", (11, 0, 0), "conv1.x has rows 0 .. 10 (or -11 .. -1 from the end), got 11"),
    ("conv1", (0, 0), "a place in conv1 is row, column, filter; got 2 numbers"),
    ("conv1.W", (0, 0, 0), "a place in conv1.W is kernel row, kernel column, channel, filter; got 3 numbers"),
    ("dense1", (0, 0), "a place in dense1 is one number, its unit; got 2 numbers"),
    ("dense1", (), "a place in dense1 is one number, its unit; got 0 numbers"),
    ("dense1", 3, "a place in dense1 is one number, its unit, got 3"),
    ("conv1", (0.5, 0, 0), "row must be an int, got 0.5"),
    ("conv1", "1,2", "row must be an int, got '1'"),
    ("conv1.W[a,b]", None, "'conv1.W[a,b]' is not a name such as conv1.W[5,5,0,3]"),
    (
        "conv1.W[]",
        None,
        "a place in conv1.W is kernel row, kernel column, channel, filter; got 0 numbers",
    ),
    ("conv1.W[5,,5,0]", None, "'conv1.W[5,,5,0]' is not a name such as conv1.W[5,5,0,3]"),
    ("conv1.W[0,0,0,0", None, "'conv1.W[0,0,0,0' is not a name such as conv1.W[5,5,0,3]"),
    ("conv1.W[0,0,0,0]]", None, "'conv1.W[0,0,0,0]]' is not a name such as conv1.W[5,5,0,3]"),
    ("conv1.W]0[", None, "'conv1.W]0[' is not a name such as conv1.W[5,5,0,3]"),
    ("conv1.W[1e3,0,0,0]", None, "'conv1.W[1e3,0,0,0]' is not a name such as conv1.W[5,5,0,3]"),
    (3, None, "3 is not a name such as conv1.W[5,5,0,3]"),
    ("conv1[0,0,0]", (1, 1, 1), "the place is given twice, by 'conv1[0,0,0]' and by at=(1, 1, 1)"),
    ("loss[3]", None, "an image has one loss, which has no place; got 'loss[3]' at (3,)"),
    ("loss", (3,), "an image has one loss, which has no place; got 'loss' at (3,)"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "at", "message"), MISTAKES)
def test_a_mistake_gets_one_line_that_says_what_is_there(trace, what, at, message):
    with pytest.raises((ArgumentError, UnknownNameError)) as caught:
        explain(trace, what, at)
    assert str(caught.value) == message


def test_what_is_not_there_is_a_lookup_error_and_what_is_no_place_a_value_error(trace):
    with pytest.raises(LookupError):
        explain(trace, "conv1", (9, 0, 0))
    with pytest.raises(ValueError):
        explain(trace, "conv1")


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (2, "the trace holds 2 images, from 0 on; got 2"),
        (-1, "sample must be at least 0, got -1"),
        (0.0, "sample must be an int, got 0.0"),
    ],
)
def test_the_image_asked_for_must_be_in_the_trace(trace, sample, message):
    for call in (explain, im2col_row):
        with pytest.raises(TinyCNNError) as caught:
            call(trace, "conv1", (0, 0, 0)[: 3 if call is explain else 2], sample=sample)
        assert str(caught.value) == message


def test_gradients_wait_for_backward():
    trace = plain_net().trace(images(1))
    assert explain(trace, "conv1", (0, 0, 0)).ok
    for what in ("conv1.W[0,0,0,0]", "conv1.x[0,0,0]", "conv1.y[0,0,0]", "conv1.z[0,0,0]"):
        with pytest.raises(ArgumentError, match=r"holds no gradients: run trace\.backward\(labels"):
            explain(trace, what)
    with pytest.raises(ArgumentError, match=r"there is no loss yet: run trace\.backward\(labels"):
        explain(trace, "loss")
    trace.backward(dy=np.ones((1, 5)))
    assert explain(trace, "conv1.W[0,0,0,0]").ok
    with pytest.raises(ArgumentError, match="there is no loss yet"):
        explain(trace, "loss")


def test_a_training_pass_keeps_its_gradients_only_if_asked():
    trace = whole_net().trace(images(1), training=True, rng=0)
    trace.backward(labels=[0])
    with pytest.raises(ArgumentError, match=r"with keep=True if it is a training pass"):
        explain(trace, "conv2.W[0,0,0,0]")
    trace.backward(labels=[0], keep=True)
    assert explain(trace, "conv2.W[0,0,0,0]").ok


def test_the_gradient_behind_a_softmax_and_its_loss_is_asked_before_it(trace):
    with pytest.raises(ArgumentError) as caught:
        explain(trace, "dense1.y", (0,))
    assert str(caught.value) == (
        "with labels, softmax and loss are one step: ask for dense1.z, the gradient before the softmax"
    )


def test_numbers_of_a_model_that_has_changed_are_refused():
    model = plain_net()
    trace = model.trace(images(1))
    with model.edit() as parameters:
        parameters["conv1.b"][...] = 1
    with pytest.raises(StaleTraceError, match="make a new trace"):
        explain(trace, "conv1", (0, 0, 0))


@pytest.mark.parametrize(
    ("name", "at", "message"),
    [
        ("pool1", (0, 0), "pool1 is a MaxPool2D: im2col is for convolutions"),
        ("dense1", (0, 0), "dense1 is a Dense: im2col is for convolutions"),
        ("conv1.W", (0, 0), "im2col unrolls a layer's input: name the layer, not conv1.W"),
        ("conv2", (0, 0), "there is no layer 'conv2'; there are conv1, pool1, dense1"),
        ("conv1", (5, 0), "conv1 has rows 0 .. 4 (or -5 .. -1 from the end), got 5"),
        ("conv1", (0, 0, 0), "a place in conv1 is row, column; got 3 numbers"),
    ],
)
def test_mistakes_in_a_row_of_im2col(trace, name, at, message):
    with pytest.raises(TinyCNNError) as caught:
        im2col_row(trace, name, at)
    assert str(caught.value) == message
