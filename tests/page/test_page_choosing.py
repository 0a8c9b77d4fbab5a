"""Which numbers a page opens beforehand."""

import numpy as np
import pytest

from tinycnn.explain import open_lesson
from tinycnn.page import choosing


@pytest.mark.parametrize("spoilt", [0, 1, 9 * 512 * 1000 // 10, 512 * 1000])
def test_the_largest_gradients_are_opened_and_of_equal_ones_the_first(spoilt):
    """Those that Python's own sort puts in front; NaN comes last."""
    lesson = open_lesson(model="mini")
    W = lesson.backward["fc3"].grads["W"]
    rng = np.random.default_rng(0)
    W[...] = rng.integers(-40, 41, W.shape) * (rng.random(W.shape) < 1e-4)
    W.ravel()[rng.permutation(W.size)[:spoilt]] = np.nan
    sizes = np.where(np.isnan(W), -1, np.abs(W)).ravel().tolist()
    largest = sorted(range(W.size), key=lambda at: (-sizes[at], at))[:3]
    chosen = [one.place for one in choosing.chosen(lesson) if one.name == "fc3.W"]
    assert [row * 1000 + column for row, column in chosen] == largest
