"""Adam, and AdamW, whose decay is decoupled."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from tinycnn.optimizers.factors import Factors
from tinycnn.optimizers.optimizer import Elements, Optimizer, Update
from tinycnn.validation import check_number

if TYPE_CHECKING:
    from tinycnn.model import Sequential

_check_beta = partial(check_number, below=1)


class Adam(Optimizer):
    """Adam on ``model``: each element's step is its mean gradient over the root of its mean square.

        g = g + weight_decay * w
        m = beta1 * m + (1 - beta1) * g;      q = beta2 * q + (1 - beta2) * g**2
        w = w - rate * (m / (1 - beta1**t)) / (sqrt(q / (1 - beta2**t)) + epsilon)

    t is the number of the step, from 1: m and q start at 0, and are divided by what they lack for that.
    ``buffers["means"]`` has m, ``buffers["squares"]`` q. ``decoupled``, ``rate_factors`` and
    ``decay_factors`` are as in `Optimizer`; decoupled decay by default is `AdamW`. Settings may be changed
    between steps. Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1,
    as PyTorch has it.

    Raises ArgumentError for a setting or factor that is no finite number from 0 up, a beta from 1 on, and
    a pattern that names no parameter.
    """

    settings: ClassVar[Mapping[str, Callable[[Any, str], float]]] = {
        **Optimizer.settings,
        "beta1": _check_beta,
        "beta2": _check_beta,
        "epsilon": check_number,
    }
    beta1: float
    beta2: float
    epsilon: float

    def __init__(
        self,
        model: Sequential,
        rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        decoupled: bool = False,
        rate_factors: Factors | None = None,
        decay_factors: Factors | None = None,
    ) -> None:
        super().__init__(
            model, buffers=("means", "squares"), decoupled=decoupled, rate_factors=rate_factors,
            decay_factors=decay_factors, rate=rate, beta1=beta1, beta2=beta2, epsilon=epsilon,
            weight_decay=weight_decay,
        )  # fmt: skip

    def update(self, elements: Elements) -> Update:
        """What the next step does with ``elements``, each parameter's rate and decay."""
        from tinycnn.kernels.adam import adam

        beta1, beta2, epsilon = (self.setting(name) for name in ("beta1", "beta2", "epsilon"))
        rates = elements.rates / (1 - beta1 ** (self.steps + 1))
        scale = 1 / math.sqrt(1 - beta2 ** (self.steps + 1))
        means, squares = self.buffers["means"].flat, self.buffers["squares"].flat
        given = beta1, beta2, scale, epsilon, *elements._replace(rates=rates)
        return lambda weights, gradients, first, last: adam(
            weights, gradients, means, squares, first, last, *given
        )


class AdamW(Adam):
    """Adam whose weight decay is decoupled: each step takes rate * weight_decay * w from w besides.

    The decay of a weight then does not depend on how large its gradients are, as it does in `Adam`,
    where it is divided by their root mean square. The arguments are those of `Adam`, and so are the
    errors. Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, algorithm 2,
    where the schedule multiplies ``rate``, as in PyTorch.
    """

    def __init__(
        self,
        model: Sequential,
        rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
        *,
        rate_factors: Factors | None = None,
        decay_factors: Factors | None = None,
    ) -> None:
        super().__init__(
            model, rate, beta1, beta2, epsilon, weight_decay, decoupled=True,
            rate_factors=rate_factors, decay_factors=decay_factors,
        )  # fmt: skip
