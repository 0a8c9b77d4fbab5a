"""Two other gradient checkers behind one door: PyTorch's, and the recipe of CS231n."""

import numpy as np

MOST_DERIVATIVES = (
    100_000  # outputs times cells; above, PyTorch's full Jacobian is out of the question
)


def torch_passes(torch, forward, backward, arrays, rng=0):
    """What torch.autograd.gradcheck says, with its own defaults, of a pair wrapped as a Function.

    In its full mode; where the Jacobian would be too large, in its fast mode.
    """

    class Wrapped(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *tensors):
            ctx.save_for_backward(*tensors)
            return torch.tensor(np.asarray(forward(*numbers(tensors)), np.float64))

        @staticmethod
        def backward(ctx, dy):
            returned = backward(*numbers([dy, *ctx.saved_tensors]))
            returned = returned if isinstance(returned, tuple) else (returned,)
            return tuple(torch.tensor(gradient.copy()) for gradient in returned)

    def numbers(tensors):
        return [tensor.detach().numpy() for tensor in tensors]

    torch.manual_seed(rng)
    inputs = [torch.tensor(array, requires_grad=True) for array in arrays]
    outputs = np.size(forward(*(array.copy() for array in arrays)))
    fast = outputs * max(array.size for array in arrays) > MOST_DERIVATIVES
    try:
        return torch.autograd.gradcheck(
            Wrapped.apply, inputs, raise_exception=False, fast_mode=fast
        )
    except (RuntimeError, AttributeError):  # a wrong shape, or no array at all
        return False


def cs231n_error(forward, backward, arrays, rng=0, step=1e-5):
    """The largest relative error by the recipe of Stanford's CS231n, as its assignments have it.

    Central differences of sum(y * dy) with a random dy and one step, |a - n| / max(1e-8, |a| + |n|)
    by cell (eval_numerical_gradient_array, rel_error); ten random cells of a large array, as in
    grad_check_sparse.
    """
    rng = np.random.default_rng(rng).spawn(1)[0]  # dy must not be an array of the same seed
    copies = [array.copy() for array in arrays]
    dy = rng.standard_normal(np.shape(forward(*copies)))
    claimed = backward(dy.copy(), *(array.copy() for array in arrays))
    claimed = claimed if isinstance(claimed, tuple) else (claimed,)
    worst = 0.0
    for array, gradient in zip(copies, claimed, strict=True):
        if np.shape(gradient) != array.shape:
            return np.inf
        cells = range(array.size) if array.size <= 2000 else rng.integers(0, array.size, 10)
        for cell in cells:
            kept, values = array.flat[cell], []
            for moved in (kept + step, kept - step):
                array.flat[cell] = moved
                values.append(np.array(forward(*copies)))
            array.flat[cell] = kept
            numeric = np.sum((values[0] - values[1]) * dy) / (2 * step)
            analytic = gradient.flat[cell]
            error = abs(analytic - numeric) / max(1e-8, abs(analytic) + abs(numeric))
            worst = max(worst, error)
    return worst
