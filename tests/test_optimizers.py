"""SGD against its recurrence written out in NumPy, and learning seen to happen."""

import copy
import re

import numpy as np
import pytest
from small_nets import images, plain_net, whole_net

import tinycnn as tc
from tinycnn.errors import ArgumentError, DTypeError, ShapeError
from tinycnn.layers import Dense
from tinycnn.optimizers import SGD
from tinycnn.optimizers import optimizer as shared
from tinycnn.runtime.threads import use_threads


def random_gradients(model, seed):
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(shape) for name, shape in model.parameter_shapes().items()}


def steps(model, optimizer, count=5, *, decays_biases=False):
    """The parameters after each of some steps with random gradients, and as the recurrence has them."""
    w = {name: view.astype(np.float64) for name, view in model.parameters().items()}
    v = {name: np.zeros(view.shape) for name, view in w.items()}
    for step in range(count):
        gradients = random_gradients(model, step)
        optimizer.step(gradients)
        for name, g in gradients.items():
            decay = optimizer.weight_decay * (decays_biases or not name.endswith(".b"))
            inside, outside = (0, decay) if optimizer.decoupled else (decay, 0)
            slope = g + inside * w[name]
            v[name] = optimizer.momentum * v[name] - optimizer.rate * slope
            ahead = optimizer.momentum * v[name] - optimizer.rate * slope
            step = ahead if optimizer.nesterov else v[name]
            w[name] = w[name] + step - optimizer.rate * outside * w[name]
        yield model.parameters(), w


def assert_follows(model, optimizer, tolerance, **options):
    for ours, expected in steps(model, optimizer, **options):
        for name, values in expected.items():
            assert np.abs(ours[name] - values).max() <= tolerance * np.abs(values).max(), name


SETTINGS = [
    {"rate": 0.05},
    {"rate": 0.05, "momentum": 0},
    {"rate": 0.05, "weight_decay": 0},
    {"rate": 0.05, "momentum": 0.5, "weight_decay": 0.2},
    {"rate": 0.05, "weight_decay": 0.2, "decoupled": True},
    {"rate": 0.05, "nesterov": True},
    {"rate": 0.05, "nesterov": True, "weight_decay": 0.2, "decoupled": True},
    {"rate": 0},
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-14), ("float32", 2e-6)])
def test_sgd_follows_its_recurrence(settings, dtype, tolerance):
    model = plain_net(dtype=dtype)
    with model.edit() as p:
        p["conv1.b"][...] = 1  # so that decay would be seen
    assert_follows(model, SGD(model, **settings), tolerance)


def test_biases_decay_if_they_are_to():
    model = plain_net(dtype="float64")
    with model.edit() as p:
        p["conv1.b"][...] = 1
    sgd = SGD(model, rate=0.05, weight_decay=0.2, decay_factors={"*": 1})
    assert_follows(model, sgd, 1e-14, decays_biases=True)


@pytest.mark.parametrize("threads", [1, 3])
def test_blocks_end_where_parameters_end(monkeypatch, threads):
    """Blocks of a few elements, none of which may reach into a bias with a weight's decay."""
    monkeypatch.setattr(shared, "_ELEMENTS", 7)
    model = plain_net(dtype="float64")
    with model.edit() as p:
        p["conv1.b"][...] = 1
    with use_threads(threads):
        assert_follows(model, SGD(model, rate=0.1, weight_decay=0.5), 1e-14)


def test_the_defaults_are_the_papers():
    optimizer = SGD(plain_net())
    settings = optimizer.rate, optimizer.momentum, optimizer.weight_decay
    assert settings == (0.01, 0.9, 0.0005)
    assert not optimizer.nesterov and not optimizer.decoupled
    assert optimizer.decay_factors.tolist() == [1, 0, 1, 0]
    assert optimizer.rate_factors.tolist() == [1, 1, 1, 1]


def test_two_steps_by_hand():
    model = tc.Sequential([Dense(1)], (1,), dtype="float64")
    with model.edit() as p:
        p["dense1.W"][...], p["dense1.b"][...] = 4, 4
    optimizer = SGD(model, rate=0.5, momentum=0.5, weight_decay=0.25)
    gradients = {"dense1.W": [[1.0]], "dense1.b": [1.0]}
    optimizer.step(gradients)  # v = -0.5 * (1 + 0.25 * 4) = -1; b: -0.5 * 1
    assert list(model.parameters().flat) == [3, 3.5]
    optimizer.step(gradients)  # v = -0.5 - 0.5 * (1 + 0.25 * 3) = -1.375; b: -0.25 - 0.5
    assert list(model.parameters().flat) == [1.625, 2.75]
    assert list(optimizer.velocities.flat) == [-1.375, -0.75]


def test_settings_may_change_between_steps():
    model = plain_net(dtype="float64")
    optimizer = SGD(model, rate=0.1)
    optimizer.step(random_gradients(model, 0))
    before = model.parameters().flat.copy()
    optimizer.rate, optimizer.momentum = 0, 0
    optimizer.step(random_gradients(model, 1))
    np.testing.assert_array_equal(model.parameters().flat, before)
    optimizer.rate = -1
    with pytest.raises(ArgumentError, match="rate must be a finite number from 0 up, got -1"):
        optimizer.step(random_gradients(model, 1))
    np.testing.assert_array_equal(model.parameters().flat, before)


def test_what_backward_gives_and_a_dict_of_it_are_the_same():
    models = [whole_net(rng=1) for _ in range(3)]
    for i, model in enumerate(models):
        optimizer = SGD(model)
        for step in range(2):
            gradients = model.trace(images(2, seed=step)).backward(labels=[0, 1])
            if i == 1:
                gradients = dict(reversed(list(gradients.items())))
            if i == 2:
                gradients = {name: values.tolist() for name, values in gradients.items()}
            optimizer.step(gradients)
    for model in models[1:]:
        np.testing.assert_array_equal(model.parameters().flat, models[0].parameters().flat)


def test_gradients_of_another_dtype_are_converted():
    model, other = plain_net(), plain_net(dtype="float64")
    gradients = other.trace(images(2)).backward(labels=[0, 1])
    expected = plain_net()
    SGD(expected).step(dict(gradients))
    SGD(model).step(gradients)
    np.testing.assert_array_equal(model.parameters().flat, expected.parameters().flat)


def test_gradients_of_the_same_names_in_another_order_go_to_their_names():
    model, other = (
        tc.Sequential([Dense(3, name=name) for name in names], (3,)) for names in ("ab", "ba")
    )
    gradients = other.trace(images(2, (3,))).backward(labels=[0, 1])
    expected = copy.deepcopy(model)
    SGD(expected).step(dict(gradients))
    SGD(model).step(gradients)
    np.testing.assert_array_equal(model.parameters().flat, expected.parameters().flat)


def test_gradients_are_left_alone():
    model = plain_net()
    gradients = model.trace(images(2)).backward(labels=[0, 1])
    before = gradients.flat.copy()
    SGD(model).step(gradients)
    np.testing.assert_array_equal(gradients.flat, before)
    given = random_gradients(model, 0)
    for values in given.values():
        values.flags.writeable = False
    SGD(model).step(given)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            lambda g: g.pop("conv1.b"),
            ArgumentError,
            "gradients must hold conv1.W, conv1.b, dense1.W, dense1.b, got conv1.W, dense1.W, dens",
        ),
        (
            lambda g: g.update(other=np.zeros(1)),
            ArgumentError,
            "gradients must hold conv1.W, conv1.b, dense1.W, dense1.b, got conv1.W, conv1.b, den",
        ),
        (
            lambda g: g.update({"dense1.b": np.zeros(4)}),
            ShapeError,
            "dense1.b must have shape (5,)",
        ),
        (lambda g: g.update({"dense1.b": 0.0}), ShapeError, "dense1.b must have shape (5,)"),
        (lambda g: g.update({"dense1.b": [1j] * 5}), DTypeError, "dense1.b must hold real numbers"),
    ],
)
def test_gradients_that_do_not_fit_change_nothing(change, error, message):
    model = plain_net()
    before, version = model.parameters().flat.copy(), model.version
    optimizer, gradients = SGD(model), random_gradients(model, 0)
    change(gradients)
    with pytest.raises(error, match=re.escape(message)):
        optimizer.step(gradients)
    np.testing.assert_array_equal(model.parameters().flat, before)
    assert not optimizer.velocities.flat.any()
    assert model.version == version


@pytest.mark.parametrize(
    ("gradients", "came"),
    [
        (None, "by name, as trace.backward returns them, got a NoneType"),
        (1.0, "got a float"),
        ([{"dense1.W": 1}], "got a list"),
        ({"dense1.W", "dense1.b"}, "got a set"),
        (np.ones(8), "got an ndarray"),
        ("abc", "got a str"),
        ({}, ", got none"),
        ({1: 2}, ", got 1"),
    ],
)
def test_what_is_no_gradients_by_name(gradients, came):
    optimizer = SGD(tc.Sequential([Dense(2)], (3,)))
    with pytest.raises(ArgumentError, match=f"^gradients must hold dense1.W, dense1.b.*{came}$"):
        optimizer.step(gradients)


@pytest.mark.parametrize("name", ["rate", "momentum", "weight_decay"])
@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), "0.1", None])
def test_settings_out_of_range(name, value):
    with pytest.raises(ArgumentError, match=f"{name} must be a finite number from 0 up, got"):
        SGD(plain_net(), **{name: value})


def test_a_step_raises_the_version():
    model = plain_net()
    version = model.version
    SGD(model).step(random_gradients(model, 0))
    assert model.version > version


def test_threads_change_no_bit():
    def trained(threads):
        with use_threads(threads):
            model = whole_net(rng=1)
            optimizer = SGD(model)
            for step in range(3):
                trace = model.trace(images(2, seed=step), training=True, rng=step)
                optimizer.step(trace.backward(labels=[0, 1]))
            return model.parameters().flat.tobytes()

    assert len({trained(threads) for threads in (1, 2, 3, 8)}) == 1


def test_the_loss_falls_where_classes_can_be_told_apart():
    """Each class is an image of its own under a little noise."""
    rng = np.random.default_rng(0)
    labels = np.arange(20) % 5
    x = images(5, seed=1)[labels] + 0.1 * rng.standard_normal((20, 11, 9, 3))
    model = plain_net(rng=3)
    optimizer = SGD(model, rate=0.02)
    losses, gradients = [], None
    for step in range(25):
        trace = model.trace(x, training=True, rng=step)
        gradients = trace.backward(labels=labels, out=gradients)
        optimizer.step(gradients)
        losses.append(trace.loss)
    assert losses[-1] < 0.05 * losses[0]
    assert (model.predict(x).argmax(axis=1) == labels).all()
