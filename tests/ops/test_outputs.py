"""Arrays of a user's that results are written to: as they should lie, or refused in words."""

import numpy as np
import pytest
from op_checks import assert_same_bits

import tinycnn as tc
from tinycnn.errors import ArgumentError, TinyCNNError
from tinycnn.layers import Dense
from tinycnn.ops import conv2d_backward, dense_backward
from tinycnn.testing.layouts import LAYOUTS, laid_out

OVERLAP = r"^out shares memory with the model's parameters, with x or with dy; give what an earlier"
RNG = np.random.default_rng(0)


def single(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def convolution(algorithm):
    arrays = single(2, 7, 8, 6), single(2, 9, 10, 16), single(3, 3, 16, 6)
    return arrays, lambda *given, **options: conv2d_backward(*given, algorithm=algorithm, **options)


BACKWARDS = {
    **{name: convolution(name) for name in ("im2col", "direct", "winograd", "reference", "auto")},
    "dense": ((single(9, 6), single(9, 5), single(5, 6)), dense_backward),
    "dense, few images": ((single(2, 6), single(2, 5), single(5, 6)), dense_backward),
}
each_backward = pytest.mark.parametrize(
    ("arrays", "backward"), BACKWARDS.values(), ids=BACKWARDS.keys()
)


@each_backward
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("odd", [0, 1])
def test_any_layout_is_written_right_or_refused(arrays, backward, layout, odd):
    _, *expected = backward(*arrays)
    out = [np.full(array.shape, 77, np.float32) for array in expected]
    out[odd] = laid_out(out[odd], layout)
    if out[odd].flags.carray and out[odd].dtype == np.float32:
        _, *returned = backward(*arrays, out=tuple(out))
        assert all(mine is given for mine, given in zip(returned, out, strict=True))
        assert_same_bits(tuple(returned), tuple(expected))
        return
    with pytest.raises(TinyCNNError, match=f"^out's {('dW', 'db')[odd]} (must be|is read-only)"):
        backward(*arrays, out=tuple(out))
    assert (out[0] == 77).all()


@each_backward
def test_what_overlaps_is_refused(arrays, backward):
    dy, x, W = arrays
    dW, db = np.empty_like(W), np.empty(W.shape[-1], np.float32)
    whole = np.empty(W.size + len(db), np.float32)
    with pytest.raises(ArgumentError, match=r"^out's dW and db share memory; give arrays of their"):
        backward(*arrays, out=(whole[: W.size].reshape(W.shape), whole[W.size - 1 : -1]))
    backward(*arrays, out=(whole[: W.size].reshape(W.shape), whole[W.size :]))
    for place, given in enumerate((dy, x, W)):
        # Also where the engine reads a copy: the user's own array is not to be written to.
        for part in (given.reshape(-1)[: len(db)], np.asfortranarray(given)):
            other = list(arrays)
            if part.ndim > 1:
                other[place] = part
                part = part.reshape(-1, order="A")[: len(db)]
            with pytest.raises(ArgumentError, match=r"^out's db shares memory with an input"):
                backward(*other, out=(dW, part))


def test_masked_arrays_lists_and_single_arrays_are_no_outputs():
    (dy, x, W), backward = BACKWARDS["im2col"]
    dW, db = np.empty_like(W), np.empty(6, np.float32)
    for out in ((np.ma.array(dW), db), (dW.tolist(), db), dW, (dW,), 3):
        with pytest.raises(ArgumentError, match=r"^out must be two arrays \(dW, db\), got"):
            backward(dy, x, W, out=out)


def test_a_traces_gradients_are_not_written_over_what_it_reads():
    model, x = tc.Sequential([Dense(5, activation="softmax")], (4,)), single(2, 4)
    gradients = model.trace(x).backward(labels=[0, 1])
    with model.edit() as parameters:
        before = parameters.flat.copy()
        with pytest.raises(ArgumentError, match="out must be what an earlier backward"):
            model.trace(x).backward(labels=[0, 1], out=parameters)
        np.testing.assert_array_equal(parameters.flat, before)
    with pytest.raises(ArgumentError, match=OVERLAP):
        model.trace(gradients.flat[:20].reshape(5, 4)).backward(labels=[0] * 5, out=gradients)
    dy = gradients.flat[:10].reshape(2, 5)
    with pytest.raises(ArgumentError, match=OVERLAP):
        model.trace(x).backward(dy, out=gradients)
    assert model.trace(x).backward(dy.copy(), out=gradients) is gradients
