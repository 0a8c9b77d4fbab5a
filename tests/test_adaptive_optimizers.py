"""Adam and AdamW against their recurrences written out in NumPy, and by hand."""

import numpy as np
import pytest
from small_nets import images, plain_net, whole_net

import tinycnn as tc
from tinycnn.errors import ArgumentError
from tinycnn.layers import Dense
from tinycnn.optimizers import Adam, AdamW
from tinycnn.optimizers import optimizer as shared
from tinycnn.runtime.threads import use_threads


def random_gradients(model, seed):
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(shape) for name, shape in model.parameter_shapes().items()}


def assert_follows(model, optimizer, tolerance, count=5):
    """Algorithm 1 of Adam's paper, and algorithm 2 of AdamW's, in float64."""
    w = {name: view.astype(np.float64) for name, view in model.parameters().items()}
    m = {name: np.zeros(view.shape) for name, view in w.items()}
    q = {name: np.zeros(view.shape) for name, view in w.items()}
    beta1, beta2 = optimizer.beta1, optimizer.beta2
    for t in range(1, count + 1):
        gradients = random_gradients(model, t)
        optimizer.step(gradients)
        for name, g in gradients.items():
            decay = 0 if name.endswith(".b") else optimizer.weight_decay
            if not optimizer.decoupled:
                g = g + decay * w[name]
            m[name] = beta1 * m[name] + (1 - beta1) * g
            q[name] = beta2 * q[name] + (1 - beta2) * g**2
            m_hat, q_hat = m[name] / (1 - beta1**t), q[name] / (1 - beta2**t)
            step = m_hat / (np.sqrt(q_hat) + optimizer.epsilon)
            if optimizer.decoupled:
                step = step + decay * w[name]
            w[name] = w[name] - optimizer.rate * step
            error = np.abs(model.parameters()[name] - w[name]).max()
            assert error <= tolerance * np.abs(w[name]).max(), name


SETTINGS = [
    (Adam, {}),
    (Adam, {"rate": 0.05, "weight_decay": 0.2}),
    (Adam, {"beta1": 0, "beta2": 0.5, "epsilon": 0.1}),
    (Adam, {"rate": 0.05, "weight_decay": 0.2, "decoupled": True}),
    (AdamW, {}),
    (AdamW, {"rate": 0.05, "weight_decay": 0.2}),
]


@pytest.mark.parametrize(("kind", "settings"), SETTINGS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-13), ("float32", 4e-6)])
def test_adam_follows_its_recurrence(kind, settings, dtype, tolerance):
    model = plain_net(dtype=dtype)
    with model.edit() as p:
        p["conv1.b"][...] = 1  # so that decay would be seen
    assert_follows(model, kind(model, **settings), tolerance)


@pytest.mark.parametrize("threads", [1, 3])
def test_blocks_end_where_parameters_end(monkeypatch, threads):
    monkeypatch.setattr(shared, "_ELEMENTS", 7)
    model = plain_net(dtype="float64")
    with model.edit() as p:
        p["conv1.b"][...] = 1
    with use_threads(threads):
        assert_follows(model, AdamW(model, rate=0.1, weight_decay=0.5), 1e-13)


def test_the_defaults_are_those_of_the_papers_and_pytorch():
    adam, adamw = Adam(plain_net()), AdamW(plain_net())
    for optimizer in (adam, adamw):
        found = optimizer.rate, optimizer.beta1, optimizer.beta2, optimizer.epsilon
        assert found == (0.001, 0.9, 0.999, 1e-8)
    assert (adam.weight_decay, adam.decoupled) == (0, False)
    assert (adamw.weight_decay, adamw.decoupled) == (0.01, True)


def test_two_steps_by_hand():
    """With beta1 = 1/2, beta2 = 3/4: m/(1/2) = 4, q/(1/4) = 16, a step of 4/4; then m/(3/4) = -2/(3/4)."""
    model = tc.Sequential([Dense(1, bias=False)], (1,), dtype="float64")
    with model.edit() as p:
        p["dense1.W"][...] = 5
    optimizer = Adam(model, rate=1, beta1=0.5, beta2=0.75, epsilon=0)
    optimizer.step({"dense1.W": [[4.0]]})  # m = 2, q = 4
    assert model.parameters()["dense1.W"] == pytest.approx(4)
    optimizer.step({"dense1.W": [[-6.0]]})  # m = 1 - 3 = -2, q = 3 + 9 = 12
    expected = 4 + (2 / 0.75) / np.sqrt(12 / (1 - 0.75**2))
    assert model.parameters()["dense1.W"] == pytest.approx(expected)
    assert optimizer.buffers["means"].flat.tolist() == [-2]
    assert optimizer.buffers["squares"].flat.tolist() == [12]


@pytest.mark.parametrize("kind", [Adam, AdamW])
def test_threads_change_no_bit(kind, monkeypatch):
    monkeypatch.setattr(shared, "_ELEMENTS", 50)

    def trained(threads):
        with use_threads(threads):
            model = whole_net(rng=1)
            optimizer = kind(model)
            for step in range(3):
                trace = model.trace(images(2, seed=step), training=True, rng=step)
                optimizer.step(trace.backward(labels=[0, 1]))
            return model.parameters().flat.tobytes()

    assert len({trained(threads) for threads in (1, 2, 3, 8)}) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beta1": 1}, "beta1 must be a finite number from 0 up and below 1, got 1"),
        ({"beta2": -0.1}, "beta2 must be a finite number from 0 up and below 1, got -0.1"),
        ({"epsilon": -1}, "epsilon must be a finite number from 0 up, got -1"),
        ({"weight_decay": np.nan}, "weight_decay must be a finite number from 0 up, got nan"),
    ],
)
def test_bad_settings_are_refused_at_once_and_at_a_step(settings, message):
    with pytest.raises(ArgumentError, match=message):
        AdamW(plain_net(), **settings)
    model = plain_net()
    optimizer = AdamW(model)
    vars(optimizer).update(settings)
    with pytest.raises(ArgumentError, match=message):
        optimizer.step(random_gradients(model, 0))
    assert optimizer.steps == 0
    np.testing.assert_array_equal(model.parameters().flat, plain_net().parameters().flat)
