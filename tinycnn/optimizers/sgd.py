"""Stochastic gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from tinycnn.optimizers.factors import Factors
from tinycnn.optimizers.optimizer import Elements, Optimizer, Update
from tinycnn.parameters import FlatArrays
from tinycnn.validation import check_number

if TYPE_CHECKING:
    from tinycnn.model import Sequential


class SGD(Optimizer):
    """Stochastic gradient descent on ``model``, with momentum and weight decay, as in the AlexNet paper.

        v = momentum * v - rate * (g + weight_decay * w);   w = w + v

    With ``nesterov`` the step looks ahead: w = w + momentum * v - rate * (g + weight_decay * w), with the
    new v. Where the rate stays, both are PyTorch's; where it changes, PyTorch's velocities follow at once,
    and these, like the paper's, keep the rates that they were made with.

    ``decoupled``, ``rate_factors`` and ``decay_factors`` are as in `Optimizer`: biases do not decay, as in
    the paper's code. Settings may be changed between steps.
    Source: Krizhevsky et al. 2012, section 5; Sutskever et al., "On the importance of initialization and
    momentum in deep learning", 2013, for Nesterov's.

    Raises ArgumentError for a rate, momentum, decay or factor that is no finite number from 0 up, and for
    a pattern that names no parameter.
    """

    settings: ClassVar[Mapping[str, Callable[[Any, str], float]]] = {
        **Optimizer.settings,
        "momentum": check_number,
    }
    switches: ClassVar[tuple[str, ...]] = (*Optimizer.switches, "nesterov")
    momentum: float

    def __init__(
        self,
        model: Sequential,
        rate: float = 0.01,
        momentum: float = 0.9,
        weight_decay: float = 0.0005,
        *,
        nesterov: bool = False,
        decoupled: bool = False,
        rate_factors: Factors | None = None,
        decay_factors: Factors | None = None,
    ) -> None:
        super().__init__(
            model, buffers=("velocities",), decoupled=decoupled, rate_factors=rate_factors,
            decay_factors=decay_factors, rate=rate, momentum=momentum, weight_decay=weight_decay,
        )  # fmt: skip
        self.nesterov = nesterov

    @property
    def velocities(self) -> FlatArrays:
        """The velocity of each parameter, by name."""
        return self.buffers["velocities"]

    def update(self, elements: Elements) -> Update:
        """What the next step does with ``elements``, each parameter's rate and decay."""
        from tinycnn.kernels.sgd import sgd_momentum

        velocities = self.velocities.flat
        given = self.setting("momentum"), self.nesterov, *elements
        return lambda weights, gradients, first, last: sgd_momentum(
            weights, gradients, velocities, first, last, *given
        )
