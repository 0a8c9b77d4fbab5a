"""Fifty steps from the same weights on the same batches, beside PyTorch: losses and weights agree."""

import numpy as np
import pytest
from twins import error

import tinycnn as tc
from tinycnn.layers import BatchNormalization, Conv2D, Dense, MaxPool2D
from tinycnn.losses import CrossEntropy, MeanSquaredError

pytestmark = pytest.mark.peers

STEPS, BOUND = 50, 1e-8
WEIGHTS = [0.5, 1.0, 2.0, 1.0, 0.25]
TO_TORCH = {1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}
SHAPE = (12, 12, 2)


def net(*, normalized=False):
    """A convolution, a pool and two dense layers, ending in logits; float64."""
    # A bias before a normalisation has no effect: what moves it is rounding alone.
    first = [Conv2D(6, 3, bias=False), BatchNormalization()] if normalized else [Conv2D(6, 3)]
    layers = [*first, MaxPool2D(2), Dense(16, activation="relu"), Dense(5)]
    return tc.Sequential(layers, SHAPE, rng=1, dtype="float64")


def batches():
    """The batches of all steps: classes that can be told apart, under noise."""
    rng = np.random.default_rng(0)
    patterns = rng.standard_normal((5, *SHAPE))
    for _ in range(STEPS):
        labels = rng.integers(0, 5, 8)
        yield 0.5 * patterns[labels] + rng.standard_normal((8, *SHAPE)), labels


def forward_in_torch(torch, w, x, *, normalized):
    F = torch.nn.functional
    x = F.conv2d(x, w["conv1.W"], w.get("conv1.b"))
    if normalized:
        gamma, beta = w["batchnorm1.gamma"], w["batchnorm1.beta"]
        x = F.batch_norm(
            x, None, None, gamma, beta, training=True, eps=BatchNormalization().epsilon
        )
    x = F.max_pool2d(x, 2).permute(0, 2, 3, 1).flatten(1)
    x = torch.relu(F.linear(x, w["dense1.W"], w["dense1.b"]))
    return F.linear(x, w["dense2.W"], w["dense2.b"])


# Our optimizer, and PyTorch's on its weights that decay and those that do not.
SGD, Adam, AdamW = tc.optimizers.SGD, tc.optimizers.Adam, tc.optimizers.AdamW
OPTIMIZERS = {
    "momentum and decay": (
        lambda model: SGD(model, 0.02, 0.9, 0.01),
        lambda optim, groups: optim.SGD(groups, lr=0.02, momentum=0.9),
        0.01,
    ),
    "Nesterov": (
        lambda model: SGD(model, 0.02, 0.9, 0.01, nesterov=True),
        lambda optim, groups: optim.SGD(groups, lr=0.02, momentum=0.9, nesterov=True),
        0.01,
    ),
    "Adam": (
        lambda model: Adam(model, 0.003, weight_decay=0.01),
        lambda optim, groups: optim.Adam(groups, lr=0.003),
        0.01,
    ),
    "AdamW": (
        lambda model: AdamW(model, 0.003, weight_decay=0.1),
        lambda optim, groups: optim.AdamW(groups, lr=0.003),
        0.1,
    ),
}
LOSSES = {
    "cross-entropy": (CrossEntropy(), {}),
    "smoothed": (CrossEntropy(label_smoothing=0.1), {"label_smoothing": 0.1}),
    "weighted": (CrossEntropy(class_weights=WEIGHTS), {"weight": WEIGHTS}),
    "both": (
        CrossEntropy(label_smoothing=0.2, class_weights=WEIGHTS),
        {"label_smoothing": 0.2, "weight": WEIGHTS},
    ),
}


def train_ours(model, optimizer, loss, *, rate=None, clip=None):
    """The losses, and the gradients' norms."""
    losses, norms = [], []
    for step, (x, labels) in enumerate(batches()):
        if rate is not None:
            optimizer.rate = rate(step)
        trace = model.trace(x, training=True)
        gradients = trace.backward(labels=labels, loss=loss)
        norms.append(tc.optimizers.clip_by_norm(gradients, clip) if clip else 0.0)
        optimizer.step(gradients)
        losses.append(trace.loss)
    return losses, norms


def train_theirs(torch, model, make, decay, loss_of, *, normalized=False, rate=None, clip=None):
    w = {
        name: torch.tensor(array.transpose(TO_TORCH[array.ndim]).copy()).requires_grad_()
        for name, array in model.parameters().items()
    }
    groups = [
        {"params": [v for v in w.values() if v.ndim > 1], "weight_decay": decay},
        {"params": [v for v in w.values() if v.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer, losses, norms = make(torch.optim, groups), [], []
    for step, (x, labels) in enumerate(batches()):
        for group in optimizer.param_groups if rate is not None else ():
            group["lr"] = rate(step)
        optimizer.zero_grad()
        x_ = torch.tensor(x.transpose(0, 3, 1, 2))
        loss = loss_of(forward_in_torch(torch, w, x_, normalized=normalized), torch.tensor(labels))
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(list(w.values()), clip)) if clip else 0.0)
        optimizer.step()
        losses.append(loss.item())
    final = {
        name: v.detach().numpy().transpose(np.argsort(TO_TORCH[v.ndim])) for name, v in w.items()
    }
    return losses, norms, final


def cross_entropy(torch, **options):
    if "weight" in options:
        options["weight"] = torch.tensor(options["weight"], dtype=torch.float64)
    return lambda z, labels: torch.nn.functional.cross_entropy(z, labels, **options)


def assert_agree(model, ours, theirs, final, bound=BOUND):
    np.testing.assert_allclose(ours, theirs, rtol=bound, atol=0)
    for name, array in model.parameters().items():
        assert error(array, final[name]) <= bound, name


@pytest.mark.parametrize("normalized", [False, True], ids=["plain", "normalized"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_fifty_steps(torch, optimizer, loss, normalized):
    ours, theirs, decay = OPTIMIZERS[optimizer]
    function, options = LOSSES[loss]
    model = net(normalized=normalized)
    theirs_ = train_theirs(
        torch, model, theirs, decay, cross_entropy(torch, **options), normalized=normalized
    )
    losses, _ = train_ours(model, ours(model), function)
    assert_agree(model, losses, theirs_[0], theirs_[2])
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])  # something was learned


def test_fifty_steps_of_squared_errors(torch):
    class OneHotError(MeanSquaredError):
        def __call__(self, outputs, labels):
            return super().__call__(outputs, np.eye(5)[labels])

    def squared(y, labels):
        targets = torch.nn.functional.one_hot(labels, 5).to(torch.float64)
        return torch.nn.functional.mse_loss(y, targets)

    make, theirs, decay = OPTIMIZERS["Adam"]
    model = net()
    expected, _, final = train_theirs(torch, model, theirs, decay, squared)
    losses, _ = train_ours(model, make(model), OneHotError())
    assert_agree(model, losses, expected, final)


def test_fifty_steps_of_clipped_gradients_under_a_schedule(torch):
    """PyTorch divides by the norm + 1e-6, so agreement ends there."""
    schedule = tc.schedules.WarmUp(5, tc.schedules.Cosine(0.003, 45))
    make, theirs, decay = OPTIMIZERS["AdamW"]
    model = net()
    options = {"rate": schedule, "clip": 0.5}
    expected, norms, final = train_theirs(
        torch, model, theirs, decay, cross_entropy(torch), **options
    )
    losses, our_norms = train_ours(model, make(model), CrossEntropy(), **options)
    np.testing.assert_allclose(our_norms, norms, rtol=1e-4)
    assert max(norms) > 0.5
    assert_agree(model, losses, expected, final, bound=1e-4)


# What a slip in a formula would do: each must be seen.
PLANTED = {
    "decay on the biases": lambda model: SGD(model, 0.02, 0.9, 0.01, decay_factors={"*": 1}),
    "decoupled decay": lambda model: SGD(model, 0.02, 0.9, 0.01, decoupled=True),
    "a rate a millionth off": lambda model: SGD(model, 0.02 * (1 + 1e-6), 0.9, 0.01),
    "Nesterov": lambda model: SGD(model, 0.02, 0.9, 0.01, nesterov=True),
}


@pytest.mark.parametrize("wrong", PLANTED)
def test_a_planted_error_is_caught(torch, wrong):
    _, theirs, decay = OPTIMIZERS["momentum and decay"]
    model = net()
    expected, _, final = train_theirs(torch, model, theirs, decay, cross_entropy(torch))
    losses, _ = train_ours(model, PLANTED[wrong](model), CrossEntropy())
    with pytest.raises(AssertionError):
        assert_agree(model, losses, expected, final)


@pytest.mark.parametrize("epsilon", [1e-7, 1e-10])
def test_another_epsilon_of_adam_is_caught(torch, epsilon):
    _, theirs, decay = OPTIMIZERS["Adam"]
    model = net()
    expected, _, final = train_theirs(torch, model, theirs, decay, cross_entropy(torch))
    adam = Adam(model, 0.003, epsilon=epsilon, weight_decay=0.01)
    losses, _ = train_ours(model, adam, CrossEntropy())
    with pytest.raises(AssertionError):
        assert_agree(model, losses, expected, final)
