"""An optimizer's state read and put back: the steps after it have the same bits."""

import copy
import json
import pickle

import numpy as np
import pytest
from small_nets import images, plain_net

from tinycnn.errors import ArgumentError, DTypeError, ShapeError
from tinycnn.optimizers import SGD, Adam, AdamW

OPTIMIZERS = {
    "SGD": lambda model: SGD(model, rate=0.05),
    "Nesterov": lambda model: SGD(model, 0.05, nesterov=True, decoupled=True),
    "Adam": lambda model: Adam(model, rate=0.01, weight_decay=0.1),
    "AdamW": lambda model: AdamW(model, rate_factors={"*.b": 2}),
}


def train(model, optimizer, steps):
    for step in steps:
        optimizer.rate = 0.05 / (1 + step)
        trace = model.trace(images(2, seed=step), training=True, rng=step)
        optimizer.step(trace.backward(labels=[0, 1]))


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_run_that_is_taken_up_again_ends_in_the_same_bits(make):
    model = plain_net(rng=1)
    optimizer = make(model)
    train(model, optimizer, range(3))
    arrays = {name: array.copy() for name, array in optimizer.state_arrays().items()}
    numbers = json.loads(json.dumps(optimizer.state_numbers()))
    other = plain_net(rng=2)
    with other.edit() as p:
        p.flat[...] = model.parameters().flat
    resumed = type(optimizer)(other)  # with other settings, which the state puts right
    resumed.load_state(arrays, numbers)
    assert resumed.state_numbers() == optimizer.state_numbers()
    train(model, optimizer, range(3, 6))
    train(other, resumed, range(3, 6))
    assert optimizer.steps == resumed.steps == 6
    assert model.parameters().flat.tobytes() == other.parameters().flat.tobytes()
    for name, array in optimizer.state_arrays().items():
        np.testing.assert_array_equal(array, resumed.state_arrays()[name])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_copy_goes_on_as_the_first_one_does(make, copied):
    model = plain_net(rng=1)
    optimizer = make(model)
    train(model, optimizer, range(2))
    other = copied(optimizer)
    train(model, optimizer, range(2, 4))
    assert other.model.parameters().flat.tobytes() != model.parameters().flat.tobytes()
    train(other.model, other, range(2, 4))
    assert other.model.parameters().flat.tobytes() == model.parameters().flat.tobytes()


def test_what_the_state_of_sgd_is():
    optimizer = SGD(plain_net(), 0.1, 0.5, 0.25, nesterov=True)
    assert optimizer.state_numbers() == {
        "steps": 0, "rate": 0.1, "weight_decay": 0.25, "momentum": 0.5, "decoupled": False,
        "nesterov": True,
    }  # fmt: skip
    arrays = optimizer.state_arrays()
    names = [f"velocities.{name}" for name in ("conv1.W", "conv1.b", "dense1.W", "dense1.b")]
    assert list(arrays) == [*names, "rate_factors", "decay_factors"]
    assert not any(array.flags.writeable for array in arrays.values())


def changed(arrays, name, value):
    """``arrays`` with another value of a name, or without it."""
    others = {key: array for key, array in arrays.items() if key != name}
    return others if value is None else {**others, name: value}


@pytest.mark.parametrize(
    ("which", "name", "value", "kind", "message"),
    [
        (0, "velocities.conv1.b", None, ArgumentError, "of its arrays it lacks velocities.conv1.b"),
        (0, "means.conv1.b", np.ones(4), ArgumentError, "of its arrays it has means.conv1.b too many"),
        (0, "velocities.conv1.b", np.ones(3), ShapeError, "velocities.conv1.b must have shape"),
        (0, "velocities.conv1.b", [1j] * 4, DTypeError, "velocities.conv1.b must hold real numbers"),
        (1, "momentum", None, ArgumentError, "is not that of a SGD of this model: of its numbers it lacks"),
        (1, "beta1", 0.9, ArgumentError, "of its numbers it has beta1 too many"),
        (1, "momentum", -1, ArgumentError, "momentum must be a finite number from 0 up, got -1"),
        (1, "steps", 1.5, ArgumentError, "steps must be an int, got 1.5"),
    ],
)  # fmt: skip
def test_a_state_that_does_not_fit_changes_nothing(which, name, value, kind, message):
    model = plain_net()
    optimizer = SGD(model)
    train(model, optimizer, range(2))
    before = optimizer.velocities.flat.copy(), optimizer.state_numbers()
    given = [
        {name: np.zeros(array.shape) for name, array in optimizer.state_arrays().items()},
        {**optimizer.state_numbers(), "momentum": 0.1},
    ]
    given[which] = changed(given[which], name, value)
    with pytest.raises(kind, match=message):
        optimizer.load_state(*given)
    np.testing.assert_array_equal(optimizer.velocities.flat, before[0])
    assert optimizer.state_numbers() == before[1]


def test_the_state_of_another_optimizer_is_refused():
    model = plain_net()
    adam = Adam(model)
    with pytest.raises(ArgumentError, match="not that of a SGD of this model"):
        SGD(model).load_state(adam.state_arrays(), adam.state_numbers())
