"""Losses as a trace's backward takes them, and their gradients checked, explained, and put wrong."""

import math

import numpy as np
import pytest
from small_nets import images, plain_net

import tinycnn as tc
from tinycnn.errors import ArgumentError, DTypeError, ShapeError
from tinycnn.layers import Conv2D, Dense, Softmax
from tinycnn.losses import CrossEntropy, LossFunction, MeanSquaredError

SMOOTHED = CrossEntropy(label_smoothing=0.1, class_weights=[1, 2, 0.5, 3, 1])
LABELS = [3, 0]


def logits_net(**options):
    """`plain_net` without its softmax, on the same weights."""
    layers = [Conv2D(4, 3, stride=2, activation="relu"), tc.layers.MaxPool2D(2), Dense(5)]
    return tc.Sequential(layers, (11, 9, 3), **options)


def by_hand(logits, labels, loss):
    """Loss and gradient of the smoothed labels by softmax and logarithm, one after the other."""
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    e, w = loss.label_smoothing, np.asarray(loss.class_weights)
    q = np.stack([(1 - e) * w[label] * np.eye(5)[label] + e / 5 * w for label in labels])
    total = w[labels].sum()
    return -(q * np.log(p)).sum() / total, (q.sum(axis=1, keepdims=True) * p - q) / total


@pytest.mark.parametrize("net", [plain_net, logits_net])
def test_softmax_and_a_smoothed_loss_are_one_step(net):
    trace = net(dtype="float64").trace(images(2))
    trace.backward(labels=LABELS, loss=SMOOTHED)
    loss, dz = by_hand(trace.logits, LABELS, SMOOTHED)
    assert trace.loss == pytest.approx(loss, rel=1e-14)
    np.testing.assert_allclose(trace.records[-1].dz, dz, rtol=1e-12, atol=1e-15)
    assert (trace.records[-1].dy is None) == (net is plain_net)
    assert trace.loss_function is SMOOTHED


def test_the_loss_without_a_name_is_the_plain_cross_entropy():
    passes = [plain_net().trace(images(2)) for _ in range(2)]
    gradients = [
        passes[0].backward(labels=LABELS),
        passes[1].backward(labels=LABELS, loss=CrossEntropy()),
    ]
    np.testing.assert_array_equal(gradients[0].flat, gradients[1].flat)
    assert passes[0].loss == passes[1].loss
    assert passes[0].loss_function.is_plain


@pytest.mark.parametrize("net", [plain_net, logits_net])
def test_squared_errors_compare_y_even_behind_a_softmax(net):
    trace = net(dtype="float64").trace(images(2))
    targets = np.random.default_rng(0).standard_normal((2, 5))
    gradients = trace.backward(labels=targets, loss=MeanSquaredError())
    assert trace.loss == pytest.approx(((trace.y - targets) ** 2).mean(), rel=1e-14)
    np.testing.assert_allclose(trace.records[-1].dy, (trace.y - targets) / 5)
    expected = net(dtype="float64").trace(images(2)).backward((trace.y - targets) / 5)
    np.testing.assert_allclose(gradients.flat, expected.flat, rtol=1e-12)


class Absolute(LossFunction):
    """A loss of a user's: the mean absolute error."""

    def __call__(self, outputs, labels):
        errors = outputs - np.asarray(labels)
        return np.abs(errors).mean(), np.sign(errors) / errors.size


class Margin(LossFunction):
    """Another, which takes logits: the mean of the label's logit, negated."""

    takes_logits = True

    def __call__(self, outputs, labels):
        return -outputs[np.arange(len(outputs)), labels].mean(), -np.eye(5)[labels] / len(outputs)


LOSSES = {
    "smoothed": (SMOOTHED, LABELS),
    "squared": (MeanSquaredError(), np.random.default_rng(1).standard_normal((2, 5))),
    "absolute": (Absolute(), np.random.default_rng(2).standard_normal((2, 5))),
    "margin": (Margin(), LABELS),
}


@pytest.mark.parametrize("net", [plain_net, logits_net])
@pytest.mark.parametrize(("loss", "labels"), LOSSES.values(), ids=LOSSES)
def test_gradcheck_finds_each_right(net, loss, labels):
    report = tc.gradcheck(net(), images(2), labels=labels, loss=loss)
    assert report.ok, str(report)


class Mistaken(CrossEntropy):
    """Smoothing planted wrong: the label's own part of what is spread is forgotten."""

    def __call__(self, outputs, labels):
        loss, gradient = super().__call__(outputs, labels)
        gradient[np.arange(len(labels)), labels] += self.label_smoothing / 5 / len(labels)
        return loss, gradient


class HalvedError(MeanSquaredError):
    """The factor 2 of the square forgotten."""

    def __call__(self, outputs, labels):
        loss, gradient = super().__call__(outputs, labels)
        return loss, gradient / 2


@pytest.mark.parametrize(
    ("loss", "labels"),
    [(Mistaken(label_smoothing=0.01), LABELS), (HalvedError(), LOSSES["squared"][1])],
)
def test_a_planted_mistake_is_found(loss, labels):
    report = tc.gradcheck(plain_net(), images(2), labels=labels, loss=loss)
    assert report.verdict == "wrong"


@pytest.mark.parametrize("net", [plain_net, logits_net])
@pytest.mark.parametrize(("loss", "labels"), LOSSES.values(), ids=LOSSES)
def test_gradients_are_opened_whatever_the_loss(net, loss, labels):
    trace = net().trace(images(2))
    trace.backward(labels=labels, loss=loss)
    for what in ("dense1.z", "dense1.W", "conv1.b"):
        place = {"dense1.z": (3,), "dense1.W": (1, 2), "conv1.b": (0,)}[what]
        opened = trace.explain(what, at=place)
        assert opened.checks
        assert all(check.ok for check in opened.checks), str(opened)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sample", [0, 1])
def test_a_smoothed_loss_is_opened(dtype, sample):
    trace = plain_net(dtype=dtype).trace(images(2))
    trace.backward(labels=LABELS, loss=SMOOTHED)
    opened = trace.explain("loss", sample=sample)
    assert all(check.ok for check in opened.checks), str(opened)
    alone, _ = by_hand(
        trace.logits[sample : sample + 1].astype(float), LABELS[sample:][:1], SMOOTHED
    )
    weight = SMOOTHED.class_weights[LABELS[sample]]
    assert opened.value == pytest.approx(alone * weight, rel=1e-12)
    assert opened.checks[0].reference == pytest.approx(
        by_hand(trace.logits.astype(float), LABELS, SMOOTHED)[0], rel=1e-12
    )
    assert opened.trees[-1].terms == 5


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_squared_errors_are_opened(dtype):
    trace = logits_net(dtype=dtype).trace(images(2))
    targets = np.arange(10.0).reshape(2, 5) / 4
    trace.backward(labels=targets, loss=MeanSquaredError())
    opened = trace.explain("loss", sample=1)
    assert all(check.ok for check in opened.checks), str(opened)
    errors = trace.y.astype(float) - targets
    assert opened.value == pytest.approx((errors[1] ** 2).sum())
    assert "is divided by the 10 numbers" in str(opened)


def test_a_wrong_loss_is_seen_when_it_is_opened():
    trace = plain_net().trace(images(2))
    trace.backward(labels=LABELS, loss=SMOOTHED)
    trace.loss *= 1 + 1e-4
    assert not trace.explain("loss").ok


def test_a_users_own_loss_is_opened_by_its_gradients_only():
    trace = plain_net().trace(images(2))
    trace.backward(labels=LABELS, loss=Margin())
    with pytest.raises(
        ArgumentError, match=r"Margin\(\) is a loss of your own: what is opened of it"
    ):
        trace.explain("loss")


def test_the_step_at_a_softmax_shows_the_smoothed_answer():
    trace = plain_net(dtype="float64").trace(images(2))
    trace.backward(labels=LABELS, loss=SMOOTHED)
    (tree,) = trace.explain("dense1.z", at=(3,)).trees
    _, dz = by_hand(trace.logits, LABELS, SMOOTHED)
    assert tree.value == pytest.approx(dz[0, 3], rel=1e-12)


def test_where_the_gradient_at_the_output_is_from_is_said():
    trace = logits_net().trace(images(2))
    trace.backward(labels=LABELS, loss=CrossEntropy(label_smoothing=0.25))
    assert "the loss, CrossEntropy(label_smoothing=0.25)" in str(trace.explain("dense1.y", at=(0,)))
    assert repr(SMOOTHED).startswith("CrossEntropy(label_smoothing=0.1, class_weights=[1.0, 2.0")
    assert repr(CrossEntropy()) == "CrossEntropy()"
    assert repr(MeanSquaredError()) == "MeanSquaredError()"


def test_what_a_loss_is_given_and_keeps_is_its_own():
    weights = np.array([1.0, 2, 3])
    loss = CrossEntropy(class_weights=weights)
    weights[0] = 7
    assert loss.class_weights.tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="read-only"):
        loss.class_weights[0] = 7


def test_training_with_smoothed_labels_goes_to_what_they_ask():
    """One softmax layer on one picture: in the end p is the smoothed label itself."""
    model = tc.Sequential([Dense(4), Softmax()], (3,), dtype="float64")
    optimizer = tc.optimizers.SGD(model, rate=0.3, momentum=0.5, weight_decay=0)
    for _ in range(300):
        trace = model.trace([[1, -1, 2]], training=True)
        optimizer.step(trace.backward(labels=[2], loss=CrossEntropy(label_smoothing=0.2)))
    np.testing.assert_allclose(model.predict([[1, -1, 2]]), [[0.05, 0.05, 0.85, 0.05]], atol=1e-6)
    entropy = -3 * 0.05 * math.log(0.05) - 0.85 * math.log(0.85)
    assert trace.loss == pytest.approx(entropy)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda trace: trace.backward(labels=LABELS, loss="mse"),
            ArgumentError,
            "loss must be one of tinycnn.losses, .* or a LossFunction of yours, got 'mse'",
        ),
        (
            lambda trace: trace.backward(trace.y, loss=MeanSquaredError()),
            ArgumentError,
            r"MeanSquaredError\(\) compares with labels: give backward labels, not dy",
        ),
        (
            lambda trace: trace.backward(labels=LABELS, loss=MeanSquaredError()),
            ShapeError,
            r"targets must have shape \(2, 5\) \(the shape of y\), got shape \(2,\)",
        ),
        (
            lambda trace: trace.backward(labels=LABELS, loss=CrossEntropy(class_weights=[1, 2])),
            ShapeError,
            "class_weights must have shape",
        ),
        (lambda trace: CrossEntropy(label_smoothing=1), ArgumentError, "label_smoothing must be"),
        (lambda trace: CrossEntropy(class_weights=[1, -1]), ArgumentError, "class_weights must be"),
        (lambda trace: CrossEntropy(class_weights=["a"]), DTypeError, "class_weights must hold"),
        (lambda trace: CrossEntropy(class_weights=[[1]]), ShapeError, "class_weights must have"),
        (
            lambda trace: tc.gradcheck(trace.model, images(2), loss=MeanSquaredError()),
            ArgumentError,
            "loss= is for models .* with labels=",
        ),
    ],
)
def test_bad_losses(call, kind, message):
    trace = plain_net().trace(images(2))
    with pytest.raises(kind, match=message):
        call(trace)
    assert trace.loss is None


def test_a_users_gradient_of_another_shape_is_refused():
    class Wrong(LossFunction):
        def __call__(self, outputs, labels):
            return 0.0, outputs[:, :1]

    with pytest.raises(ShapeError, match="the gradient that the loss gives must have shape"):
        plain_net().trace(images(2)).backward(labels=LABELS, loss=Wrong())
