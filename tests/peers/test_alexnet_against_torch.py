"""AlexNet written out in PyTorch and given our weights: its logits, its loss and every gradient."""

import numpy as np
import pytest
from twins import error

import tinycnn as tc

pytestmark = pytest.mark.peers

BOUND = 1e-10  # of a tensor's largest value


def alexnet(torch, w, x, *, paper, alpha=5 * 1e-4, rows=(0, 2, 3, 1)):
    """Logits of images x (N, 3, 227, 227); ``rows`` is the order of axes in which fc1 gets them.

    The paper's alpha, 1e-4, is for the sum of five squares, PyTorch's for their mean.
    """
    F, groups = torch.nn.functional, 2 if paper else 1

    def conv(x, name, **options):
        return torch.relu(F.conv2d(x, w[f"{name}.W"], w[f"{name}.b"], **options))

    def pool(x):
        norm = F.local_response_norm(x, 5, alpha, 0.75, 2.0) if paper else x
        return F.max_pool2d(norm, 3, 2)

    x = pool(conv(x, "conv1", stride=4))
    x = pool(conv(x, "conv2", padding=2, groups=groups))
    x = conv(x, "conv3", padding=1)
    x = conv(x, "conv4", padding=1, groups=groups)
    x = conv(x, "conv5", padding=1, groups=groups)
    x = F.max_pool2d(x, 3, 2).permute(rows).flatten(1)
    x = torch.relu(F.linear(x, w["fc1.W"], w["fc1.b"]))
    x = torch.relu(F.linear(x, w["fc2.W"], w["fc2.b"]))
    return F.linear(x, w["fc3.W"], w["fc3.b"])


# Of our axes, (KH, KW, C, F) and (D, F), to PyTorch's and back.
TO_TORCH = {1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}
FROM_TORCH = {1: (0,), 2: (1, 0), 4: (2, 3, 1, 0)}


@pytest.mark.parametrize("variant", ["one-tower", "paper"])
def test_alexnet(torch, variant):
    paper = variant == "paper"
    model = tc.alexnet(variant=variant, dtype="float64")
    x = 60 * np.random.default_rng(1).standard_normal((2, 227, 227, 3))  # pixels less their mean
    labels = np.array([3, 777])
    trace = model.trace(x)
    gradients = trace.backward(labels=labels)
    logits = trace.records[-1].z

    w = {
        name: torch.tensor(array.transpose(TO_TORCH[array.ndim])).requires_grad_()
        for name, array in model.parameters().items()
    }
    x_ = torch.tensor(x.transpose(0, 3, 1, 2)).contiguous().requires_grad_()
    logits_ = alexnet(torch, w, x_, paper=paper)
    loss_ = torch.nn.functional.cross_entropy(logits_, torch.tensor(labels))
    loss_.backward()

    assert error(logits, logits_.detach().numpy()) <= BOUND
    assert error(trace.y, torch.softmax(logits_, 1).detach().numpy()) <= BOUND
    assert trace.loss == pytest.approx(loss_.item(), rel=BOUND)
    assert error(trace.records[0].dx, x_.grad.numpy().transpose(0, 2, 3, 1)) <= BOUND
    assert list(gradients) == list(w)
    for name, gradient in gradients.items():
        theirs = w[name].grad.numpy().transpose(FROM_TORCH[gradient.ndim])
        assert np.any(theirs)
        assert error(gradient, theirs) <= BOUND, name

    # The comparison tells: channels first, height after width, and LRN's other dialect.
    planted = [
        {"rows": (0, 1, 2, 3)},
        {"rows": (0, 3, 2, 1)},
        *([{"alpha": 1e-4}] if paper else []),
    ]
    with torch.no_grad():
        for wrong in planted:
            other = alexnet(torch, w, x_, paper=paper, **wrong).numpy()
            assert error(logits, other) > 1e5 * BOUND
