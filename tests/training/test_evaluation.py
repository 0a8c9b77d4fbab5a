"""An evaluation's numbers, redone in NumPy from the traced logits."""

import json

import numpy as np
import pytest
from trained_nets import net, validation
from twins import error

import tinycnn as tc
from tinycnn.errors import ArgumentError, TrainingError
from tinycnn.layers import Conv2D, Dense, Softmax
from tinycnn.training import Evaluation, evaluate
from tinycnn.training.outputs import Outputs


def test_loss_accuracies_and_confusion():
    model = net()
    found = evaluate(model, validation())
    x, labels = (np.concatenate(parts) for parts in zip(*validation(), strict=True))
    z = model.trace(x).logits.astype(float)
    logs = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    assert found.count == 25
    assert found.loss == pytest.approx(-logs[np.arange(25), labels].mean(), rel=1e-5)
    order = np.argsort(-z, axis=1)
    assert found.top1 == (order[:, 0] == labels).mean()
    assert found.top5 == (order[:, :5] == labels[:, None]).any(axis=1).mean()
    expected = [[((labels == i) & (order[:, 0] == j)).sum() for j in range(6)] for i in range(6)]
    assert found.confusion.tolist() == expected
    for number, name in enumerate("abcdef"):
        there, said = labels == number, order[:, 0] == number
        assert found.recall[name] == (there & said).sum() / there.sum()
        if said.any():
            assert found.precision[name] == (there & said).sum() / said.sum()
        else:
            assert np.isnan(found.precision[name])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "end", [[Dense(4, activation="softmax")], [Dense(4), Softmax()], [Dense(4)], [Softmax()]]
)
def test_logits_are_those_of_a_trace(end, dtype):
    layers = [Conv2D(3, 3, activation="relu"), *end]
    model = tc.Sequential([type(each)(**options(each)) for each in layers], (6, 5, 2), dtype=dtype)
    x = np.random.default_rng(0).standard_normal((7, 6, 5, 2))
    trace = model.trace(x)
    assert error(Outputs(model, logits=True)(x), trace.logits) < 1e-6
    assert error(Outputs(model, logits=False)(x), trace.y) < 1e-6


def options(layer):
    """What builds one like it."""
    if isinstance(layer, Conv2D):
        return {"filters": 3, "kernel": 3, "activation": "relu"}
    return {"units": 4, "activation": layer.activation.name} if isinstance(layer, Dense) else {}


def test_a_loss_far_beyond_what_a_probability_can_hold():
    """exp(-500) is 0 in float32; its logarithm, by way of the logits, is still -500."""
    model = tc.Sequential([Dense(2, activation="softmax")], (1,))
    with model.edit() as parameters:
        parameters["dense1.W"][...] = [[500, 0]]
    assert evaluate(model, [(np.ones((1, 1)), np.array([1]))]).loss == pytest.approx(500)


def test_class_weights_count_over_all_images_not_batch_by_batch():
    loss = tc.losses.CrossEntropy(class_weights=[1, 2, 3, 0, 5, 6])
    one, several = (evaluate(net(), validation(size), loss=loss).loss for size in (25, 4))
    assert one == pytest.approx(several, rel=1e-6)


def test_of_equal_answers_the_first_class_stands_first():
    loss, outputs = tc.losses.CrossEntropy(), np.zeros((7, 7))
    found = Evaluation.of(outputs, np.arange(7), loss)
    assert found.top1 == 1 / 7 and found.top5 == 5 / 7
    assert found.confusion.sum(axis=0).tolist() == [7, 0, 0, 0, 0, 0, 0]
    assert found.loss == pytest.approx(np.log(7))


def test_it_is_read_from_the_beginning_each_time():
    batches = validation()
    next(iter(batches))
    assert evaluate(net(), batches).count == evaluate(net(), batches).count == 25


def test_as_text_and_as_data():
    found = evaluate(net(), validation())
    assert str(found).startswith(f"25 images: loss {found.loss:.4f}, top-1 {found.top1:.2%}, top-5")
    assert len(str(found).splitlines()) == 2 + 2 + 6
    assert json.loads(json.dumps(found.to_dict()))["confusion"] == found.confusion.tolist()
    assert "<table>" in found._repr_html_()


def test_what_cannot_be_evaluated():
    with pytest.raises(ArgumentError, match="no images to evaluate"):
        evaluate(net(), [])
    with pytest.raises(ArgumentError, match=r"must be what tinycnn.data.batches gives.*25 images"):
        evaluate(net(), validation().dataset)
    model = net()
    with model.edit() as parameters:
        parameters.flat[...] = np.nan
    with pytest.raises(TrainingError, match="NaN or infinity for 25 images of 25"):
        evaluate(model, validation())
