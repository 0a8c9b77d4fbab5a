"""The mean cross-entropy of logits that are drawn at random and know nothing of the label."""

from __future__ import annotations

import math

import numpy as np

_WIDEST = 50.0  # beyond it the largest logit alone counts, and the loss grows as the spread does
_STEP = 0.125


def expected_loss(classes: int, spread: float) -> float:
    """Mean cross-entropy of ``classes`` independent normal logits of standard deviation ``spread``.

    The label's own logit is 0 in the mean, so it is E[ln S] with S = sum(exp z), at least ln K, for
    the mean of exponentials is at least the exponential of the mean. Frullani's integral
    ln S = integral of (exp(-t) - exp(-t S)) / t over t > 0, with t = exp(u), parts the classes:

        E[ln S] = integral over u of exp(-exp(u)) - phi(u)^K,   phi(u) = E[exp(-exp(u + z))].

    Both integrands are smooth and die away at both ends, where the trapezoidal rule converges
    exponentially (Trefethen and Weideman, "The exponentially convergent trapezoidal rule", 2014).
    """
    s = min(spread, _WIDEST)
    g = np.arange(-9, 9, min(0.5, 2 * _STEP / s) if s else 0.5)
    weights = np.exp(-(g**2) / 2)
    weights /= weights.sum()
    total = 0.0
    for u in np.arange(-40 - 11 * s, 5 + 10 * s, _STEP).tolist():
        missing = float(weights @ -np.expm1(-np.exp(np.minimum(u + s * g, 700.0))))  # 1 - phi
        power = math.exp(classes * math.log1p(-missing)) if missing < 1 else 0.0
        total += math.exp(-math.exp(min(u, 700.0))) - power
    return max(math.log(classes), _STEP * total * max(1.0, spread / _WIDEST))
