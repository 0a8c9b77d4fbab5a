"""The battery: every case run, and the table of what came out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tinycnn.checking.battery.case import GradientCase
from tinycnn.checking.battery.network_cases import network_cases
from tinycnn.checking.battery.operations import LAYERS, OPS
from tinycnn.checking.report import GradientReport
from tinycnn.tables import text_table


def all_cases(seed: int = 0) -> list[GradientCase]:
    """Every case, its numbers drawn from ``seed``."""
    return [*OPS.cases(seed), *LAYERS.cases(seed), *network_cases(seed)]


@dataclass(frozen=True)
class CaseResult:
    """One case and its report."""

    case: GradientCase
    report: GradientReport

    @property
    def ok(self) -> bool:
        """Whether the report passes, with its worst error below the case's bound."""
        return self.report.ok and self.report.worst < self.case.bound

    @property
    def checked(self) -> int:
        """Derivatives that were compared."""
        return sum(tensor.checked for tensor in self.report.tensors)

    @property
    def skipped(self) -> int:
        """Derivatives that say nothing: a kink, or too small to be seen."""
        return sum(len(tensor.skipped) for tensor in self.report.tensors)


def run(
    cases: Iterable[GradientCase],
    *,
    seed: int = 0,
    samples: int | None = None,
    directions: int | None = None,
) -> Iterator[CaseResult]:
    """Run the cases one after the other; ``samples`` and ``directions`` as in `gradcheck`."""
    for case in cases:
        yield CaseResult(case, case.run(rng=seed, samples=samples, directions=directions))


@dataclass(frozen=True)
class BatteryReport:
    """What the battery found: ``ok``, a table as ``str``, and plain data."""

    results: list[CaseResult]

    @property
    def ok(self) -> bool:
        """Whether every case passes."""
        return not self.failures

    @property
    def failures(self) -> list[CaseResult]:
        """The cases that do not."""
        return [result for result in self.results if not result.ok]

    def __str__(self) -> str:
        count, failed = len(self.results), len(self.failures)
        verdict = f"{failed} NOT ok" if failed else "all ok"
        parts = [
            f"Gradients against differences in float64: {count} cases, {verdict}",
            text_table(_HEAD, [_row(group) for group in self._groups()], 5),
            *(f"{result.case.name}\n\n{_why(result)}" for result in self.failures),
            _NOTE,
        ]
        return "\n\n".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            "ok": self.ok,
            "cases": [
                {
                    "name": result.case.name,
                    "ok": result.ok,
                    "bound": result.case.bound,
                    "worst": result.report.worst,
                    "report": result.report.to_dict(),
                }
                for result in self.results
            ],
        }

    def _groups(self) -> list[list[CaseResult]]:
        """The cases of one op or layer together, in the order of their first ones."""
        groups: dict[str, list[CaseResult]] = {}
        for result in self.results:
            groups.setdefault(result.case.name.split(":")[0], []).append(result)
        return list(groups.values())


_HEAD = ("gradient of", "", "cases", "compared", "skipped", "worst error", "allowed")
_NOTE = (
    "Compared: derivatives along random directions of a whole array, and of single\n"
    "cells. Skipped: at a maximum's tie or ReLU's zero no difference means anything.\n"
    "Error: |a - n| / max(|a|, |n|, RMS of the tensor's gradient)."
)


def _row(group: list[CaseResult]) -> list[str]:
    worst = max(result.report.worst for result in group)
    skipped = sum(result.skipped for result in group)
    return [
        group[0].case.name.split(":")[0],
        "" if all(result.ok for result in group) else "NOT ok",
        str(len(group)),
        f"{sum(result.checked for result in group):,}",
        f"{skipped:,}" if skipped else "",
        f"{worst:.1e}",
        f"{group[0].case.bound:.0e}",
    ]


def _why(result: CaseResult) -> str:
    if result.report.ok:
        return f"the worst error, {result.report.worst:.1e}, is not below {result.case.bound:.0e}"
    return str(result.report)
