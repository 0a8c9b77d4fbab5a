"""How ops that no stored example has are worked out by hand: compared with the naive twins."""

import numpy as np
import pytest
from equations import evaluate

from tinycnn.explain.examples import by_hand
from tinycnn.explain.examples.arithmetic import Value
from tinycnn.kernels import reference


@pytest.mark.parametrize(
    ("kernel", "stride"), [((2, 2), (1, 1)), ((2, 3), (2, 2)), ((1, 2), (3, 2)), ((4, 5), (4, 5))]
)
def test_means_of_windows_and_their_gradients(kernel, stride):
    rng = np.random.default_rng(4)
    x, dx = rng.integers(-5, 6, (2, 4, 5, 2)).astype(float), np.empty((2, 4, 5, 2))
    sizes = [(size - k) // s + 1 for size, k, s in zip((4, 5), kernel, stride, strict=True)]
    y, dy = np.empty((2, *sizes, 2)), rng.integers(-5, 6, (2, *sizes, 2)).astype(float)
    window = (kernel, stride, (0, 0), (4, 5), True)
    reference.avg_pool2d(x, 0, 2 * sizes[0], *window, y)
    reference.avg_pool2d_backward(dy, 0, 2, *window, dx)
    given = {"kernel": kernel, "stride": stride}
    forward = by_hand.work_out("avg_pool2d", [Value.of("x", x)], [Value.of("y", y)], given)
    backward = by_hand.work_out(
        "avg_pool2d_backward",
        [Value.of("dy", dy)],
        [Value.of("dx", dx)],
        given | {"x_shape": x.shape},
    )
    for (cells,), expected in ((forward, y), (backward, dx)):
        np.testing.assert_allclose([cell.value for cell in cells], expected.ravel(), atol=1e-14)
        for cell in cells:
            assert np.isclose(evaluate(cell.arithmetic) if cell.arithmetic else 0, cell.value)
    for cell in backward[0]:
        assert cell.arithmetic or cell.note == "lies in no window"
