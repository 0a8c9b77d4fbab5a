"""The battery for one layer: each check by itself for pytest, all of them as a report."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tinycnn.errors import CheckFailedError
from tinycnn.shapes import times
from tinycnn.testing import gradient_checks, layer_checks
from tinycnn.testing.subject import MakesLayer, Subject

_WIDTH = 100


@dataclass(frozen=True)
class LayerCheck:
    """One check of the battery; ``str`` gives its name, ``asks`` says what it asks.

    Called with a layer (or a function that makes one, such as its class) and the shape of one
    input, it does ``run`` and returns nothing, or raises CheckFailedError, an AssertionError.
    """

    name: str
    asks: str
    run: Callable[[Subject], None]

    def __call__(
        self,
        layer: MakesLayer,
        input_shape: Sequence[int],
        *,
        batch_independent: bool | None = None,
        seed: int = 0,
    ) -> None:
        self.run(Subject(layer, input_shape, batch_independent=batch_independent, seed=seed))

    def __str__(self) -> str:
        return self.name


def _checks(*functions: Callable[[Subject], None]) -> tuple[LayerCheck, ...]:
    return tuple(
        LayerCheck(
            function.__name__.replace("_", " "), (function.__doc__ or "").split("\n")[0], function
        )
        for function in functions
    )


LAYER_CHECKS = _checks(
    layer_checks.shapes,
    gradient_checks.gradients,
    gradient_checks.gradients_at_ties,
    gradient_checks.gradient_of_the_loss,
    layer_checks.activation,
    layer_checks.no_mutation,
    layer_checks.read_only_inputs,
    layer_checks.memory_order,
    layer_checks.empty_batch,
    layer_checks.batch_independence,
    layer_checks.determinism,
    layer_checks.no_state,
    layer_checks.thread_safety,
    layer_checks.pickling,
    layer_checks.dtypes,
    layer_checks.context_options,
)


@dataclass(frozen=True)
class CheckResult:
    """What one ``check`` said: ``failure`` is None where it passed."""

    check: LayerCheck
    failure: CheckFailedError | None


@dataclass(frozen=True)
class LayerReport:
    """What all checks said of one ``layer``, with inputs of ``input_shape``: ``outcomes``, one a check.

    ``ok`` if every one passed, ``str`` for the table.
    """

    layer: str
    input_shape: tuple[int, ...]
    outcomes: tuple[CheckResult, ...]

    @property
    def ok(self) -> bool:
        """Every check passed."""
        return not self.failures

    @property
    def failures(self) -> dict[str, CheckFailedError]:
        """The failures by the name of their check."""
        return {
            outcome.check.name: outcome.failure
            for outcome in self.outcomes
            if outcome.failure is not None
        }

    def __str__(self) -> str:
        failed = len(self.failures)
        lines = [
            f"{self.layer}, input {times(self.input_shape)}: {len(self.outcomes)} checks, "
            f"{f'{failed} failed' if failed else 'all passed'}"
        ]
        for outcome in self.outcomes:
            verdict = "passes" if outcome.failure is None else "FAILS"
            lines.append(f"  {outcome.check.name:22}{verdict}")
            if outcome.failure is not None:
                lines += [
                    wrapped
                    for line in str(outcome.failure).splitlines()
                    for wrapped in [textwrap.fill(line, _WIDTH, initial_indent=" " * 6,
                                                  subsequent_indent=" " * 6)]
                ]  # fmt: skip
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, for JSON."""
        checks = [
            {
                "name": outcome.check.name,
                "asks": outcome.check.asks,
                "ok": outcome.failure is None,
                "failure": None if outcome.failure is None else str(outcome.failure),
            }
            for outcome in self.outcomes
        ]
        return {
            "layer": self.layer,
            "input_shape": list(self.input_shape),
            "ok": self.ok,
            "checks": checks,
        }


def check_layer(
    layer: MakesLayer,
    input_shape: Sequence[int],
    *,
    batch_independent: bool | None = None,
    seed: int = 0,
) -> LayerReport:
    """Run every check of `LAYER_CHECKS` on a layer for inputs of ``input_shape`` (H, W, C) or (D,).

    ``layer`` is a layer or a function that makes one, such as its class. ``batch_independent``
    False says that the samples of a batch may change each other's result (by default the layer's
    own word). Numbers are drawn from ``seed``.

    Raises ArgumentError for what is no layer, and CheckFailedError where the layer cannot even say its
    shapes; what a check finds stands in the report.
    """
    subject = Subject(layer, input_shape, batch_independent=batch_independent, seed=seed)
    outcomes = []
    for check in LAYER_CHECKS:
        try:
            check.run(subject)
        except CheckFailedError as failure:
            outcomes.append(CheckResult(check, failure))
        else:
            outcomes.append(CheckResult(check, None))
    return LayerReport(subject.name, subject.input_shape, tuple(outcomes))
