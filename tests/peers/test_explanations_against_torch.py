"""Opened numbers against PyTorch: the same weights, its float64, and for conv1 the same bits."""

import numpy as np
import pytest

from tinycnn.explain import explain, open_lesson

pytestmark = pytest.mark.peers

BOUND = 1e-5  # of a tensor's largest value: our float32 against PyTorch's float64
COUNT = 10

TO_TORCH = {1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}  # of (KH, KW, C, F) and (D, F)
FROM_TORCH = {1: (0,), 2: (1, 0), 4: (2, 3, 1, 0)}


class Chain:
    """The lesson's network in PyTorch, float64: every layer's input, output and logits, and gradients."""

    def __init__(self, torch, lesson):
        F = torch.nn.functional
        self.weights = {
            name: torch.tensor(
                array.astype(np.float64).transpose(TO_TORCH[array.ndim])
            ).requires_grad_()
            for name, array in lesson.model.parameters().items()
        }
        x = torch.tensor(lesson.picture.x.astype(np.float64).transpose(0, 3, 1, 2)).requires_grad_()
        self.x, self.z, self.y = {}, {}, {}
        for record in lesson.trace.records:
            name, kind = record.name, record.name.rstrip("0123456789")
            self.x[name] = x
            if kind == "conv":
                padding, stride = {"conv1": (0, 4), "conv2": (2, 1)}.get(name, (1, 1))
                weight, bias = self.weights[f"{name}.W"], self.weights[f"{name}.b"]
                z = F.conv2d(x, weight, bias, stride=stride, padding=padding)
                y = torch.relu(z)
            elif kind == "pool":
                y = z = F.max_pool2d(x, 3, 2)
            elif kind == "dropout":
                y = z = self.dropped(torch, record, x)
            else:
                flat = x.permute(0, 2, 3, 1).flatten(1) if x.ndim == 4 else x
                z = F.linear(flat, self.weights[f"{name}.W"], self.weights[f"{name}.b"])
                y = torch.softmax(z, 1) if name == "fc3" else torch.relu(z)
            self.z[name], self.y[name] = z, y
            x = y
        for tensor in (*self.x.values(), *self.z.values(), *self.y.values()):
            tensor.retain_grad()
        self.loss = F.cross_entropy(self.z["fc3"], torch.tensor([lesson.label]))
        self.loss.backward()

    @staticmethod
    def dropped(torch, record, x):
        if record.saved is None:
            return x * 1.0
        mask = record.saved.transpose(0, 3, 1, 2) if record.saved.ndim == 4 else record.saved
        return x * torch.tensor(mask) / (1 - record.layer.rate)


def ours(tensor):
    """A tensor of PyTorch's in our axes, without the batch."""
    array = tensor.detach().numpy()[0]
    return array.transpose(1, 2, 0) if array.ndim == 3 else array


@pytest.fixture(scope="module", params=[False, True], ids=["", "training"])
def lesson(request):
    return open_lesson(model="mini", training=request.param, seed=2)


@pytest.fixture(scope="module")
def chain(torch, lesson):
    return Chain(torch, lesson)


def drawn(array, seed):
    """Places of an array; every other one where it is not zero."""
    rng = np.random.default_rng(seed)
    some = np.argwhere(array)
    for i in range(COUNT):
        place = some[rng.integers(len(some))] if i % 2 else [rng.integers(n) for n in array.shape]
        yield tuple(int(index) for index in place)


def compare(lesson, what, expected):
    """Ten numbers opened: the value shown, and the sum that the explanation adds up to it."""
    largest = np.abs(expected).max()
    assert largest > 0
    for place in drawn(expected, len(what)):
        opened = explain(lesson.backward, what, place)
        assert opened.ok
        assert abs(opened.value - expected[place]) <= BOUND * largest, (what, place)
    return largest


def test_cells_of_every_layer(lesson, chain):
    for record in lesson.trace.records:
        compare(lesson, record.name, ours(chain.y[record.name]))


def test_sums_before_the_activation(lesson, chain):
    for record in lesson.trace.records:
        if not record.params:
            continue
        z = ours(chain.z[record.name])
        for place in drawn(z, 3):
            opened = explain(lesson.trace, record.name, place)
            total = opened.trees[0].value + float(record.params["b"][place[-1]])
            assert abs(total - z[place]) <= BOUND * np.abs(z).max()
            assert opened.checks[0].reference == pytest.approx(total, rel=1e-12, abs=1e-15)


def test_gradients_of_every_weight_and_bias(lesson, chain):
    for name, weight in chain.weights.items():
        gradient = weight.grad.numpy()
        compare(lesson, name, gradient.transpose(FROM_TORCH[gradient.ndim]))


def test_gradients_of_every_input(lesson, chain):
    for record in lesson.trace.records:
        compare(lesson, f"{record.name}.x", ours(chain.x[record.name].grad))


def test_gradients_of_every_output_and_before_every_activation(lesson, chain):
    for record in lesson.trace.records:
        if record.name != "fc3":
            compare(lesson, f"{record.name}.y", ours(chain.y[record.name].grad))
        compare(lesson, f"{record.name}.z", ours(chain.z[record.name].grad))


def test_the_loss(lesson, chain):
    opened = explain(lesson.backward, "loss")
    assert opened.value == pytest.approx(chain.loss.item(), rel=BOUND)


def test_a_difference_of_the_loss_is_the_gradient_too(lesson, chain):
    """What stands beside the engine's gradient, itself against PyTorch's: far nearer than float32."""
    for name in ("conv1.W", "conv3.W", "fc1.b", "fc3.W"):
        gradient = chain.weights[name].grad.numpy()
        gradient = gradient.transpose(FROM_TORCH[gradient.ndim])
        for place in drawn(gradient, 5):
            check = explain(lesson.backward, name, place).checks[-1]
            assert check.against.startswith("(L(+h) - L(-h))")
            near = 2e-6 * np.abs(gradient).max() + 1e-8
            assert abs(check.reference - gradient[place]) <= near, (name, place)


@pytest.mark.parametrize("model", ["one-tower", "mini", "torchvision"])
def test_the_first_convolution_of_a_lesson_is_the_same_to_the_last_bit(torch, model):
    """Its partial sums are floats (multiples of 2**-17 below 2**7), so no engine rounds any."""
    lesson = open_lesson(model=model)
    record = lesson.trace["conv1"]
    weight, bias = (
        torch.tensor(record.params[name].transpose(TO_TORCH[record.params[name].ndim]))
        for name in "Wb"
    )
    x = torch.tensor(lesson.picture.x.transpose(0, 3, 1, 2))
    z = torch.nn.functional.conv2d(x, weight, bias, stride=4, padding=record.layer.padding)
    y = torch.relu(z)
    for mine, theirs in ((record.z, z), (record.y, y)):
        theirs = np.ascontiguousarray(theirs.numpy().transpose(0, 2, 3, 1))
        assert mine.dtype == theirs.dtype == np.float32
        # Equal numbers have equal bits, but for the sign of a zero.
        assert (mine + np.float32(0)).tobytes() == (theirs + np.float32(0)).tobytes()
    assert explain(lesson.trace, "conv1", (5, 5, 5)).checks[0].bound == 0
