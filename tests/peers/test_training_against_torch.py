"""Fifty steps from the same weights on the same batches, beside PyTorch: losses and weights agree to 1e-8."""

import numpy as np
import pytest
from training_in_torch import BOUND, NETWORKS, STEPS, InTorch, cross_entropy, network, train_ours

import tinycnn as tc
from tinycnn.losses import CrossEntropy, MeanSquaredError
from tinycnn.schedules import Cosine, DivideOnPlateau, Steps, WarmUp

pytestmark = pytest.mark.peers

WEIGHTS = [0.5, 1.0, 2.0, 1.0, 0.25]
SGD, Adam, AdamW = tc.optimizers.SGD, tc.optimizers.Adam, tc.optimizers.AdamW
# Ours, PyTorch's, and its decay of weights.
OPTIMIZERS = {
    "plain": (
        lambda model: SGD(model, 0.02, 0.0, 0.0),
        lambda optim, groups: optim.SGD(groups, lr=0.02),
        0.0,
    ),
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
    "smoothed": (CrossEntropy(label_smoothing=0.1), {"label_smoothing": 0.1}),
    "weighted": (CrossEntropy(class_weights=WEIGHTS), {"weight": WEIGHTS}),
    "both": (
        CrossEntropy(label_smoothing=0.2, class_weights=WEIGHTS),
        {"label_smoothing": 0.2, "weight": WEIGHTS},
    ),
}


def in_torch(torch, net, optimizer, **options):
    _, make, decay = OPTIMIZERS[optimizer]
    return InTorch(torch, net, make, decay=decay, **options)


@pytest.mark.parametrize("net", NETWORKS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_fifty_steps(torch, net, optimizer):
    model, theirs = network(net), in_torch(torch, net, optimizer)
    losses = train_ours(model, OPTIMIZERS[optimizer][0](model))
    theirs.expect_same(model, losses, theirs.train(cross_entropy(torch)))
    assert np.mean(losses[-5:]) < 0.99 * np.mean(losses[:5])  # something was learned


@pytest.mark.parametrize("net", ["plain", "normalized"])
@pytest.mark.parametrize("optimizer", ["momentum and decay", "AdamW"])
@pytest.mark.parametrize("loss", LOSSES)
def test_fifty_steps_of_another_loss(torch, loss, net, optimizer):
    function, options = LOSSES[loss]
    model, theirs = network(net), in_torch(torch, net, optimizer)
    losses = train_ours(model, OPTIMIZERS[optimizer][0](model), loss=function)
    theirs.expect_same(model, losses, theirs.train(cross_entropy(torch, **options)))


def test_fifty_steps_of_squared_errors(torch):
    class OneHotError(MeanSquaredError):
        def __call__(self, outputs, labels):
            return super().__call__(outputs, np.eye(5)[labels])

    def squared(y, labels):
        targets = torch.nn.functional.one_hot(labels, 5).to(torch.float64)
        return torch.nn.functional.mse_loss(y, targets)

    model, theirs = network("plain"), in_torch(torch, "plain", "Adam")
    losses = train_ours(model, OPTIMIZERS["Adam"][0](model), loss=OneHotError())
    theirs.expect_same(model, losses, theirs.train(squared))


def test_running_statistics_are_those_of_pytorch(torch):
    """But for the variance, which PyTorch takes of n - 1 numbers: the part that is not the beginning's 1."""
    model, theirs = network("normalized"), in_torch(torch, "normalized", "AdamW")
    train_ours(model, OPTIMIZERS["AdamW"][0](model))
    theirs.train(cross_entropy(torch))
    for name, old, n in (("batchnorm1", 0.99, 8 * 10 * 10), ("batchnorm2", 0.8, 8)):
        mean, variance = (theirs.weights[f"{name}.{part}"] for part in ("mean", "variance"))
        np.testing.assert_allclose(model.state()[f"{name}.mean"], mean, rtol=BOUND)
        left = old**STEPS
        expected = left + (variance.numpy() - left) * (n - 1) / n
        np.testing.assert_allclose(model.state()[f"{name}.variance"], expected, rtol=BOUND)


# --------------------------------------------------------------------- schedules, clipping, factors


def divided(lr, optimizer):
    return lr.MultiStepLR(optimizer, [10, 30], 0.1)


def cosine(lr, optimizer):
    return lr.CosineAnnealingLR(optimizer, 40, 0.001)


def warmed_up(lr, optimizer):
    rising = lr.LinearLR(optimizer, 1 / 6, total_iters=5)
    return lr.SequentialLR(optimizer, [rising, lr.CosineAnnealingLR(optimizer, 45)], [5])


# Ours and PyTorch's, of a rate of 0.003, and for how long: behind its end PyTorch's cosine rises again.
SCHEDULES = {
    "steps": (Steps(0.003, [10, 30]), divided, STEPS),
    "cosine": (Cosine(0.003, 40, 0.001), cosine, 40),
    "warm-up": (WarmUp(5, Cosine(0.003, 45)), warmed_up, STEPS),
}


# PyTorch warns of what its own SequentialLR does.
@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step")
@pytest.mark.parametrize("net", ["plain", "grouped"])
@pytest.mark.parametrize("optimizer", ["Adam", "AdamW"])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_fifty_steps_under_a_schedule(torch, schedule, optimizer, net):
    ours, make, last = SCHEDULES[schedule]
    model, theirs = network(net), in_torch(torch, net, optimizer)
    scheduler = Held(make(torch.optim.lr_scheduler, theirs.optimizer), last)
    losses = train_ours(model, OPTIMIZERS[optimizer][0](model), schedule=ours)
    theirs.expect_same(model, losses, theirs.train(cross_entropy(torch), schedule=scheduler))


class Held:
    """A scheduler that makes no more than so many steps."""

    def __init__(self, scheduler, steps):
        self.scheduler, self.left = scheduler, steps

    def step(self):
        if self.left:
            self.scheduler.step()
            self.left -= 1


def test_a_rate_divided_where_it_stalls_is_that_of_pytorch(torch):
    """PyTorch waits for one more than its patience."""
    errors = np.random.default_rng(0).random(60) / np.arange(1, 61)
    ours = DivideOnPlateau(0.1, 10, patience=4)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.1, patience=3, threshold=0.0, eps=0.0
    )
    for value in errors:
        theirs.step(value)
        assert ours.update(value) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)
    assert ours.divisions > 1


@pytest.mark.parametrize("net", ["plain", "normalized"])
@pytest.mark.parametrize("nesterov", [False, True], ids=["momentum", "Nesterov"])
def test_velocities_keep_the_rates_that_they_were_made_with(torch, nesterov, net):
    """The paper's takes in rate * (g + decay * w), and this is what PyTorch's is handed, at a rate of 1."""
    decay, schedule = 0.01, WarmUp(5, Steps(0.02, [15], 0.3))
    theirs = InTorch(
        torch, net, lambda optim, groups: optim.SGD(groups, lr=1.0, momentum=0.9, nesterov=nesterov)
    )
    steps = iter(range(STEPS))

    def scaled(theirs):
        rate = schedule(next(steps))
        for weight in theirs.parameters:
            if weight.ndim > 1:
                weight.grad += decay * weight
            weight.grad *= rate

    model = network(net)
    optimizer = SGD(model, 0.02, 0.9, decay, nesterov=nesterov)
    losses = train_ours(model, optimizer, schedule=schedule)
    theirs.expect_same(model, losses, theirs.train(cross_entropy(torch), before_step=scaled))


def test_a_rate_that_changes_tells_pytorchs_velocities_from_the_papers(torch):
    model, theirs = network("plain"), in_torch(torch, "plain", "momentum and decay")
    scheduler = torch.optim.lr_scheduler.MultiStepLR(theirs.optimizer, [20], 0.1)
    optimizer = OPTIMIZERS["momentum and decay"][0](model)
    losses = train_ours(model, optimizer, schedule=Steps(0.02, [20]))
    expected = theirs.train(cross_entropy(torch), schedule=scheduler)
    np.testing.assert_allclose(losses[:21], expected[:21], rtol=BOUND)
    assert np.abs(np.subtract(losses, expected)[21:]).max() > 1e-3


def test_fifty_steps_of_decoupled_decay_with_momentum(torch):
    """PyTorch's SGD has none: its weights are made smaller before each step."""
    rate, decay = 0.02, 0.1
    theirs = InTorch(
        torch, "grouped", lambda optim, groups: optim.SGD(groups, lr=rate, momentum=0.9)
    )

    def decayed(theirs):
        for weight in theirs.parameters:
            if weight.ndim > 1:
                weight *= 1 - rate * decay

    model = network("grouped")
    losses = train_ours(model, SGD(model, rate, 0.9, decay, decoupled=True))
    theirs.expect_same(model, losses, theirs.train(cross_entropy(torch), before_step=decayed))


@pytest.mark.parametrize("optimizer", ["momentum and decay", "AdamW"])
def test_fifty_steps_of_clipped_gradients(torch, optimizer):
    """PyTorch's own clipping divides by the norm + 1e-6; its norm is taken here, and divided by as it is."""
    norms, most = [], 4.0

    def clipped(theirs):
        gradients = [weight.grad for weight in theirs.parameters]
        norms.append(torch.nn.utils.get_total_norm(gradients).item())
        for gradient in gradients:
            gradient *= min(1.0, most / norms[-1])

    model, theirs = network("plain"), in_torch(torch, "plain", optimizer)
    losses = train_ours(model, OPTIMIZERS[optimizer][0](model), clip=most)
    theirs.expect_same(model, losses, theirs.train(cross_entropy(torch), before_step=clipped))
    assert min(norms) < most < max(norms)


@pytest.mark.parametrize("optimizer", ["momentum and decay", "AdamW"])
def test_fifty_steps_of_rates_of_their_own(torch, optimizer):
    kind = {"momentum and decay": SGD, "AdamW": AdamW}[optimizer]
    rate = {SGD: 0.02, AdamW: 0.003}[kind]
    factors = {"*.b": 2.0, "dense2.*": 0.1, "conv1.b": 0.0}

    def rates(name):
        factor = 2.0 if name.endswith(".b") else 1.0
        factor = 0.1 if name.startswith("dense2.") else factor
        return {"lr": rate * (0.0 if name == "conv1.b" else factor)}

    theirs = in_torch(torch, "plain", optimizer, rates=rates)
    model = network("plain")
    decay = OPTIMIZERS[optimizer][2]
    losses = train_ours(model, kind(model, rate, weight_decay=decay, rate_factors=factors))
    theirs.expect_same(model, losses, theirs.train(cross_entropy(torch)))


# ------------------------------------------------------------------------------- the tests tested


# What a slip in a formula would do: each must be seen.
PLANTED = {
    "decay on the biases": lambda model: SGD(model, 0.02, 0.9, 0.01, decay_factors={"*": 1}),
    "decoupled decay": lambda model: SGD(model, 0.02, 0.9, 0.01, decoupled=True),
    "a rate a millionth off": lambda model: SGD(model, 0.02 * (1 + 1e-6), 0.9, 0.01),
    "Nesterov": lambda model: SGD(model, 0.02, 0.9, 0.01, nesterov=True),
}


@pytest.mark.parametrize("wrong", PLANTED)
def test_a_planted_error_is_caught(torch, wrong):
    model, theirs = network("plain"), in_torch(torch, "plain", "momentum and decay")
    losses = train_ours(model, PLANTED[wrong](model))
    with pytest.raises(AssertionError):
        theirs.expect_same(model, losses, theirs.train(cross_entropy(torch)))


@pytest.mark.parametrize("epsilon", [1e-7, 1e-10])
def test_another_epsilon_of_adam_is_caught(torch, epsilon):
    model, theirs = network("plain"), in_torch(torch, "plain", "Adam")
    losses = train_ours(model, Adam(model, 0.003, epsilon=epsilon, weight_decay=0.01))
    with pytest.raises(AssertionError):
        theirs.expect_same(model, losses, theirs.train(cross_entropy(torch)))
