"""A network and its training said twice: for this engine, and for PyTorch's functions and optimizers."""

import numpy as np
from twins import error

import tinycnn as tc
from tinycnn.layers import (
    AveragePool2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    GlobalAveragePool2D,
    LocalResponseNorm,
    MaxPool2D,
    ReLU,
)

STEPS, BOUND = 50, 1e-8
SHAPE = (12, 12, 2)
TO_TORCH = {1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}


def batches():
    """The batches of all steps: classes that can be told apart, under noise."""
    rng = np.random.default_rng(0)
    patterns = rng.standard_normal((5, *SHAPE))
    for _ in range(STEPS):
        labels = rng.integers(0, 5, 8)
        yield 0.5 * patterns[labels] + rng.standard_normal((8, *SHAPE)), labels


# ---------------------------------------------------------------------------------------- networks


def plain():
    return [Conv2D(6, 3), MaxPool2D(2), Dense(16, activation="relu"), Dense(5)]


def plain_in_torch(torch, w, x):
    F = torch.nn.functional
    x = F.max_pool2d(F.conv2d(x, w["conv1.W"], w["conv1.b"]), 2)
    return two_dense(torch, w, x)


def two_dense(torch, w, x):
    F = torch.nn.functional
    x = torch.relu(F.linear(rows(x), w["dense1.W"], w["dense1.b"]))
    return F.linear(x, w["dense2.W"], w["dense2.b"])


def rows(x):
    """Feature maps (N, C, H, W) flattened as H, W, C."""
    return x.permute(0, 2, 3, 1).flatten(1)


def normalized():
    # A bias before a normalisation has no effect: what moves it is rounding alone.
    return [
        Conv2D(6, 3, bias=False), BatchNormalization(), ReLU(), MaxPool2D(2),
        Dense(16, bias=False), BatchNormalization(momentum=0.8), ReLU(), Dense(5),
    ]  # fmt: skip


def normalized_in_torch(torch, w, x):
    F, epsilon = torch.nn.functional, BatchNormalization().epsilon

    def normal(x, name):
        running = w[f"{name}.mean"], w[f"{name}.variance"]
        old = {"batchnorm1": 0.99, "batchnorm2": 0.8}[name]
        return F.batch_norm(
            x, *running, w[f"{name}.gamma"], w[f"{name}.beta"], True, 1 - old, epsilon
        )

    x = F.max_pool2d(torch.relu(normal(F.conv2d(x, w["conv1.W"]), "batchnorm1")), 2)
    x = torch.relu(normal(F.linear(rows(x), w["dense1.W"]), "batchnorm2"))
    return F.linear(x, w["dense2.W"], w["dense2.b"])


def grouped():
    """Groups, strides and padding, overlapping windows, dropout of nothing, and a softmax at the end."""
    return [
        Conv2D(6, 3, padding="same", groups=2, activation="relu"),
        Conv2D(8, 3, stride=2, padding=1, groups=2, activation="relu"),
        MaxPool2D(3, stride=2), Dropout(0.0), Dense(5, activation="softmax"),
    ]  # fmt: skip


def grouped_in_torch(torch, w, x):
    F = torch.nn.functional
    x = torch.relu(F.conv2d(x, w["conv1.W"], w["conv1.b"], padding=1, groups=2))
    x = torch.relu(F.conv2d(x, w["conv2.W"], w["conv2.b"], stride=2, padding=1, groups=2))
    return F.linear(rows(F.max_pool2d(x, 3, 2)), w["dense1.W"], w["dense1.b"])


def averaged():
    """Means in place of maxima, neighbouring channels, dilation and a 1 x 1 kernel."""
    return [
        Conv2D(6, (3, 2), dilation=2, activation="relu"),
        LocalResponseNorm(size=3, alpha=0.5, alpha_over_size=True), AveragePool2D(2),
        Conv2D(8, 1, activation="relu"), GlobalAveragePool2D(), Dense(5),
    ]  # fmt: skip


def averaged_in_torch(torch, w, x):
    F = torch.nn.functional
    x = torch.relu(F.conv2d(x, w["conv1.W"], w["conv1.b"], dilation=2))
    x = F.avg_pool2d(F.local_response_norm(x, 3, alpha=0.5, beta=0.75, k=2.0), 2)
    x = torch.relu(F.conv2d(x, w["conv2.W"], w["conv2.b"])).mean((2, 3))
    return F.linear(x, w["dense1.W"], w["dense1.b"])


NETWORKS = {
    "plain": (plain, plain_in_torch),
    "normalized": (normalized, normalized_in_torch),
    "grouped": (grouped, grouped_in_torch),
    "averaged": (averaged, averaged_in_torch),
}


def network(name):
    return tc.Sequential(NETWORKS[name][0](), SHAPE, rng=1, dtype="float64")


# ---------------------------------------------------------------------------------------- training


def train_ours(model, optimizer, **options):
    """The losses, by the trainer."""
    trainer = tc.Trainer(model, optimizer, progress=False, **options)
    trainer.fit(list(batches()), epochs=1)
    return trainer.history.steps


class InTorch:
    """The same network in PyTorch: ``weights`` by name, ``optimizer`` over those that decay and the rest."""

    def __init__(self, torch, name, make, *, decay=0.0, rates=lambda name: {}):
        self.torch, self.forward = torch, NETWORKS[name][1]
        model = network(name)
        self.weights = {
            name: torch.tensor(array.transpose(TO_TORCH[array.ndim]).copy())
            for name, array in model.arrays().items()
        }
        groups = []
        for own in model.parameter_shapes():
            weight = self.weights[own].requires_grad_()
            decays = {"weight_decay": decay if weight.ndim > 1 else 0.0}
            groups.append({"params": [weight], **decays, **rates(own)})
        self.optimizer = make(torch.optim, groups)

    @property
    def parameters(self):
        return [weight for weight in self.weights.values() if weight.requires_grad]

    def train(self, loss_of, *, schedule=None, before_step=None):
        """The losses; ``before_step(self)`` may change gradients or weights."""
        losses = []
        for x, labels in batches():
            self.optimizer.zero_grad()
            x_ = self.torch.tensor(x.transpose(0, 3, 1, 2))
            loss = loss_of(self.forward(self.torch, self.weights, x_), self.torch.tensor(labels))
            loss.backward()
            if before_step is not None:
                with self.torch.no_grad():
                    before_step(self)
            self.optimizer.step()
            if schedule is not None:
                schedule.step()
            losses.append(loss.item())
        return losses

    def expect_same(self, model, losses, expected, bound=BOUND):
        """Losses and final parameters agree."""
        np.testing.assert_allclose(losses, expected, rtol=bound, atol=0)
        for name, array in model.parameters().items():
            theirs = self.weights[name].detach().numpy()
            assert error(array, theirs.transpose(np.argsort(TO_TORCH[array.ndim]))) <= bound, name


def cross_entropy(torch, **options):
    if "weight" in options:
        options["weight"] = torch.tensor(options["weight"], dtype=torch.float64)
    return lambda z, labels: torch.nn.functional.cross_entropy(z, labels, **options)
