"""Optimizers and schedules by name."""

import pytest

import tinycnn as tc
from tinycnn.errors import ArgumentError
from tinycnn.recipes.usual import optimizer_named, schedule_named


def test_schedules():
    """Ten epochs of ten steps; the last step is number 99."""

    def rates(schedule, warm_up=0.0):
        found = schedule_named(schedule, 0.8, 100, warm_up)
        return [found(step) for step in range(100)]

    assert set(rates("constant")) == {0.8}
    assert rates("steps")[49:51] == pytest.approx([0.8, 0.08])
    assert rates("steps")[74:76] == pytest.approx([0.08, 0.008])
    cosine = rates("cosine")
    assert cosine[0] == 0.8 and cosine[50] == pytest.approx(0.4) and cosine[99] < 0.001
    warm = rates("cosine", warm_up=10)
    assert warm[:2] == pytest.approx([0.8 / 11, 1.6 / 11]) and warm[10] == 0.8 and warm[99] < 0.001
    assert rates("plateau")[99] == 0.8  # nothing was validated
    assert rates("cosine", warm_up=200)[99] == pytest.approx(0.8 * 100 / 201)  # it rises to the end


@pytest.mark.parametrize(("name", "rate", "decay"), [
    ("sgd", 0.02, 0.0005), ("nesterov", 0.02, 0.0005), ("adam", 0.002, 0), ("adamw", 0.002, 0.01),
])  # fmt: skip
def test_optimizers(name, rate, decay):
    model = tc.Sequential([tc.layers.Dense(2)], (3,))
    usual = optimizer_named(name, model)
    assert (usual.rate, usual.weight_decay, getattr(usual, "momentum", 0.9)) == (rate, decay, 0.9)
    found = optimizer_named(name, model, 0.3, momentum=0.5, weight_decay=0.2)
    assert (found.rate, found.weight_decay, getattr(found, "momentum", 0.5)) == (0.3, 0.2, 0.5)
    assert type(found).__name__ == {"adam": "Adam", "adamw": "AdamW"}.get(name, "SGD")
    assert getattr(found, "nesterov", False) == (name == "nesterov")


def test_another_name_is_refused():
    model = tc.Sequential([tc.layers.Dense(2)], (3,))
    with pytest.raises(ArgumentError, match="optimizer must be one of 'sgd', 'nesterov', 'adam'"):
        optimizer_named("lion", model)
