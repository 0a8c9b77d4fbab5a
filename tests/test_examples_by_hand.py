"""The examples with channels, with a loss and with steps, worked out again in plain Python.

Nothing of the engine takes part: the sums are loops over lists, of fractions where the numbers are.
"""

import math
from fractions import Fraction

import numpy as np
import pytest

from tinycnn.explain.examples.example import load, open_example

EXAMPLES = load()
PAIR = range(2)


def data(example, name):
    return EXAMPLES[example]["values"][name]["data"]


# --------------------------------------------------------------------------------------- channels


def test_channels_adds_up_over_what_each_result_has_no_index_for():
    x, W, b, dz = (data("channels", name) for name in ("x", "W", "b", "dz"))
    assert data("channels", "z") == [
        [[b[f] + sum(x[n][o + i][c] * W[i][c][f] for i in PAIR for c in PAIR) for f in PAIR]
         for o in PAIR]
        for n in PAIR
    ]  # fmt: skip
    assert data("channels", "dx") == [
        [[sum(dz[n][w - i][f] * W[i][c][f] for i in PAIR if w - i in PAIR for f in PAIR)
          for c in PAIR]
         for w in range(3)]
        for n in PAIR
    ]  # fmt: skip
    dW = [
        [[sum(dz[n][o][f] * x[n][o + i][c] for n in PAIR for o in PAIR) for f in PAIR]
         for c in PAIR]
        for i in PAIR
    ]  # fmt: skip
    db = [sum(dz[n][o][f] for n in PAIR for o in PAIR) for f in PAIR]
    assert data("channels", "dW") == dW and data("channels", "db") == db
    assert data("channels", "W_new") == [
        [[W[i][c][f] - dW[i][c][f] for f in PAIR] for c in PAIR] for i in PAIR
    ]
    assert data("channels", "b_new") == [b[f] - db[f] for f in PAIR]


# ---------------------------------------------------------------------------- a network with a loss


def network(W, b, odds):
    """Forward and backward of ``whole`` for a filter W and a bias b, by name.

    The logits are what the dense layer gives without ln 3 in its bias, and ``odds(logits)`` the
    exponentials of these and of ln 3, up to a common factor.
    """
    x, V, c = data("whole", "x"), data("whole", "V"), [0, -2]
    z = [
        [sum(x[i + p][j + q] * W[p][q] for p in PAIR for q in PAIR) + b for j in range(3)]
        for i in range(3)
    ]
    a = [[max(cell, 0) for cell in row] for row in z]
    windows = {(i, j): [(i + p, j + q) for p in PAIR for q in PAIR] for i in PAIR for j in PAIR}
    won = {at: max(cells, key=lambda cell: a[cell[0]][cell[1]]) for at, cells in windows.items()}
    y = [a[i][j] for i, j in won.values()]
    logits = [sum(y[d] * V[d][f] for d in range(4)) + c[f] for f in PAIR]
    e = odds(logits)
    p = [each / sum(e) for each in e]
    dlogits = [p[0] - 1, p[1]]
    dy = [sum(dlogits[f] * V[d][f] for f in PAIR) for d in range(4)]
    da = [[0] * 3 for _ in range(3)]
    for sent, (i, j) in zip(dy, won.values(), strict=True):
        da[i][j] += sent
    dz = [[da[i][j] if z[i][j] > 0 else 0 for j in range(3)] for i in range(3)]
    dx = [[0] * 4 for _ in range(4)]
    dW = [[0, 0], [0, 0]]
    for i, j, p_, q in np.ndindex(3, 3, 2, 2):
        dx[i + p_][j + q] += dz[i][j] * W[p_][q]
        dW[p_][q] += dz[i][j] * x[i + p_][j + q]
    return {
        "z": z, "a": a, "y": [y[:2], y[2:]], "p": p, "dlogits": dlogits, "da": da, "dz": dz, "dx": dx,
        "winner": [[windows[i, j].index(won[i, j]) for j in PAIR] for i in PAIR],
        "logits": [logits[0], logits[1] + math.log(3)], "loss": -math.log(p[0]),
        "dy": [dy[:2], dy[2:]], "dV": [[y[d] * dlogits[f] for f in PAIR] for d in range(4)],
        "dc": dlogits, "dW": dW, "db": [sum(map(sum, dz))],
    }  # fmt: skip


def in_fractions(logits):
    assert logits[1] == logits[0]  # and so the two differ by ln 3 alone
    return [Fraction(1), Fraction(3)]


def in_floats(logits):
    return [math.exp(logits[0] - logits[1]), 3.0]


def computed(name):
    """What the engine gives of an example, by name."""
    return {entry["result"]: entry["computed"] for entry in open_example(name).to_dict()["worked"]}


def test_whole_is_what_fractions_give():
    expected = network([[1, 0], [-1, 2]], -1, in_fractions)
    assert expected["p"] == [Fraction(1, 4), Fraction(3, 4)] and expected["db"] == [0]
    for name, numbers in expected.items():
        wanted = np.array(numbers, np.float64)
        np.testing.assert_allclose(data("whole", name), wanted, rtol=0, atol=1e-15, err_msg=name)


@pytest.mark.parametrize("name", ["whole", "learning"])
def test_each_pass_and_each_step_is_what_plain_python_gives(name):
    steps, ours = EXAMPLES[name]["steps"], computed(name)
    W, b, losses = [[1, 0], [-1, 2]], -1, []
    for number in range(1, steps + 2):
        expected = network(W, b, in_floats)
        losses.append(expected["loss"])
        for key, numbers in expected.items():
            mine = ours.get(key if number == 1 else f"{key}_{number}")
            assert (mine is None) == (number > steps and key not in PASSED_FORWARD), key
            if mine is not None:
                np.testing.assert_allclose(mine, numbers, rtol=1e-13, atol=1e-14, err_msg=key)
        if number <= steps:
            W = [[W[i][j] - 0.1 * expected["dW"][i][j] for j in PAIR] for i in PAIR]
            b = b - 0.1 * expected["db"][0]
            np.testing.assert_allclose(ours[f"W_{number + 1}"], W, rtol=0, atol=1e-14)
            np.testing.assert_allclose(ours[f"b_{number + 1}"], [b], rtol=0, atol=1e-14)
    changes = open_example(name).to_dict()["changes"]
    assert [change["real"] for change in changes] == pytest.approx(list(np.diff(losses)))


PASSED_FORWARD = ("z", "a", "y", "winner", "logits", "p", "loss", "dlogits")


def test_learning_follows_from_the_distance_of_the_two_logits():
    distance, changes = -math.log(3), open_example("learning").to_dict()["changes"]
    for change in changes:
        missing = 1 - 1 / (1 + math.exp(-distance))  # 1 - p of the right class
        assert change["loss"] == pytest.approx(math.log1p(math.exp(-distance)), rel=1e-13)
        assert change["predicted"] == pytest.approx(-0.1 * 4 * missing**2, rel=1e-13)
        distance += 0.1 * 4 * missing
        after = math.log1p(math.exp(-distance))
        assert change["loss_after"] == pytest.approx(after, rel=1e-13)
        assert change["real"] == pytest.approx(after - change["loss"], rel=1e-12)
    assert [round(changes[0][key], 3) for key in ("predicted", "real")] == [-0.225, -0.216]
