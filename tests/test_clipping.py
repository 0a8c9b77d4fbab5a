import math

import numpy as np
import pytest
from small_nets import images, plain_net, whole_net

from tinycnn.errors import ArgumentError
from tinycnn.optimizers import clip_by_norm, clipping
from tinycnn.runtime.threads import use_threads


def gradients(model=None):
    model = model or plain_net()
    return model.trace(images(2)).backward(labels=[0, 1])


def norm_of(arrays):
    return math.sqrt(math.fsum(float(g) ** 2 for array in arrays.values() for g in array.flat))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("part", [0.01, 0.5, 0.999])
def test_a_longer_gradient_is_cut_to_the_norm_in_its_own_direction(dtype, part):
    found = gradients(plain_net(dtype=dtype))
    before, norm = found.flat.copy(), norm_of(found)
    assert clip_by_norm(found, part * norm) == pytest.approx(norm, rel=1e-14)
    assert norm_of(found) == pytest.approx(part * norm, rel=1e-6)
    np.testing.assert_allclose(found.flat, part * before, rtol=1e-6)


@pytest.mark.parametrize("most", [math.inf, 1e9, None])
def test_a_shorter_one_stays_bit_for_bit(most):
    found = gradients()
    before = found.flat.copy()
    norm = clip_by_norm(found) if most is None else clip_by_norm(found, most)
    assert norm == pytest.approx(norm_of(found), rel=1e-14)
    np.testing.assert_array_equal(found.flat, before)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_told_and_left_alone(bad):
    found = gradients()
    found.flat[3] = bad
    before = found.flat.copy()
    assert not math.isfinite(clip_by_norm(found, 1.0))
    np.testing.assert_array_equal(found.flat, before)


def test_by_hand():
    found = gradients()
    found.flat[...] = 0
    found.flat[:2] = 3, 4
    assert clip_by_norm(found, 2.5) == 5
    assert found.flat[:3].tolist() == [1.5, 2, 0]


def test_the_same_bits_for_every_number_of_threads(monkeypatch):
    monkeypatch.setattr(clipping, "_ELEMENTS", 100)

    def clipped(threads):
        with use_threads(threads):
            found = gradients(whole_net())
            return clip_by_norm(found, 0.1), found.flat.tobytes()

    assert len({clipped(threads) for threads in (1, 2, 3, 8)}) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: clip_by_norm(gradients(), 0), "most must be a finite number above 0, got 0"),
        (lambda: clip_by_norm(gradients(), -1), "most must be a finite number above 0, got -1"),
        (lambda: clip_by_norm(gradients(), math.nan), "most must be a finite number above 0"),
        (lambda: clip_by_norm(dict(gradients()), 1), "what trace.backward returned, got a dict"),
        (
            lambda: clip_by_norm(plain_net().parameters(), 1),
            "what trace.backward returned, got a F",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
