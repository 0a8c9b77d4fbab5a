"""The battery: every case of `tinycnn.checking.cases` run, and the table of what came out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tinycnn.checking.dialects import Case
from tinycnn.checking.report import Report
from tinycnn.tables import text_table


@dataclass(frozen=True)
class Outcome:
    """One case and its report."""

    case: Case
    report: Report

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
    cases: Iterable[Case],
    *,
    seed: int = 0,
    samples: int | None = None,
    directions: int | None = None,
) -> Iterator[Outcome]:
    """Run the cases one after the other; ``samples`` and ``directions`` as in `gradcheck`."""
    for case in cases:
        yield Outcome(case, case.run(rng=seed, samples=samples, directions=directions))


@dataclass(frozen=True)
class BatteryReport:
    """What the battery found: ``ok``, a table as ``str``, and plain data."""

    outcomes: list[Outcome]

    @property
    def ok(self) -> bool:
        """Whether every case passes."""
        return not self.failures

    @property
    def failures(self) -> list[Outcome]:
        """The cases that do not."""
        return [outcome for outcome in self.outcomes if not outcome.ok]

    def __str__(self) -> str:
        count, failed = len(self.outcomes), len(self.failures)
        verdict = f"{failed} NOT ok" if failed else "all ok"
        parts = [
            f"Gradients against differences in float64: {count} cases, {verdict}",
            text_table(_HEAD, [_row(group) for group in self._groups()], 5),
            *(f"{outcome.case.name}\n\n{_why(outcome)}" for outcome in self.failures),
            _NOTE,
        ]
        return "\n\n".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            "ok": self.ok,
            "cases": [
                {
                    "name": outcome.case.name,
                    "ok": outcome.ok,
                    "bound": outcome.case.bound,
                    "worst": outcome.report.worst,
                    "report": outcome.report.to_dict(),
                }
                for outcome in self.outcomes
            ],
        }

    def _groups(self) -> list[list[Outcome]]:
        """The cases of one op or layer together, in the order of their first ones."""
        groups: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            groups.setdefault(outcome.case.name.split(":")[0], []).append(outcome)
        return list(groups.values())


_HEAD = ("gradient of", "", "cases", "compared", "skipped", "worst error", "allowed")
_NOTE = (
    "Compared: derivatives along random directions of a whole array, and of single\n"
    "cells. Skipped: at a maximum's tie or ReLU's zero no difference means anything.\n"
    "Error: |a - n| / max(|a|, |n|, RMS of the tensor's gradient)."
)


def _row(group: list[Outcome]) -> list[str]:
    worst = max(outcome.report.worst for outcome in group)
    skipped = sum(outcome.skipped for outcome in group)
    return [
        group[0].case.name.split(":")[0],
        "" if all(outcome.ok for outcome in group) else "NOT ok",
        str(len(group)),
        f"{sum(outcome.checked for outcome in group):,}",
        f"{skipped:,}" if skipped else "",
        f"{worst:.1e}",
        f"{group[0].case.bound:.0e}",
    ]


def _why(outcome: Outcome) -> str:
    if outcome.report.ok:
        return f"the worst error, {outcome.report.worst:.1e}, is not below {outcome.case.bound:.0e}"
    return str(outcome.report)
