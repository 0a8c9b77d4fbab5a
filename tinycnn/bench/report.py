"""What a run has found: tables as they come, and all of it as JSON and as Markdown at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tinycnn import strict_json
from tinycnn.bench.machine import Load, removed, sentence
from tinycnn.bench.tables import ResultTable
from tinycnn.bench.team import Team
from tinycnn.bench.work import Workload
from tinycnn.files import write_text

FORMAT = 1  # of the JSON


class BenchReport:
    """Collects tables, wrong results, and goals that were missed."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = dict(options)
        self.tables: list[ResultTable] = []
        self.checks: list[dict[str, Any]] = []
        self.wrong: list[str] = []
        self.coarse: dict[str, float] = {}
        self.missed: list[str] = []
        self.absent: dict[str, str] = {}
        self.machine: dict[str, Any] = {}
        self._others: list[str] = []  # kinds of processor of earlier runs, if there are several
        self._load: Load | None = Load()
        self._earlier_load: float | None = None

    @classmethod
    def of(cls, runs: Sequence[Mapping[str, Any]]) -> BenchReport:
        """The tables of earlier runs, as `to_dict` gave them, in one report."""
        report = cls({})
        report._load = None
        report._earlier_load = max((run["others_used"] or 0.0 for run in runs), default=None)
        for run in runs:
            versions = report.machine.get("versions", {}) | run["machine"].get("versions", {})
            report.machine = {**run["machine"], **report.machine}
            processor = run["machine"].get("processor")
            if processor not in (None, report.machine.get("processor"), *report._others):
                report._others.append(processor)
            if versions:  # none where a run ended before it began
                report.machine["versions"] = versions
            report.absent |= run["absent"]
            report.checks += run["checks"]
            for who, error in run.get("coarse", {}).items():
                report.coarse[who] = max(error, report.coarse.get(who, 0.0))
            report.wrong += run["wrong"]
            report.missed += run["missed"]
            report.tables += map(ResultTable.of, run["tables"])
        return report

    def table(self, table: ResultTable) -> ResultTable:
        """Take a table in, to be filled."""
        self.tables.append(table)
        return table

    @contextmanager
    def team(self, names: Iterable[str], threads: int, **environment: str) -> Iterator[Team]:
        """Give a team for the ``with`` block; notes what machine this is, who is missing, who fails."""
        with Team(names, threads, **environment) as team:
            self._meet(team)
            try:
                yield team
            finally:
                self.wrong += [
                    f"{team.title(name)} failed: {why}" for name, why in team.failed.items()
                ]

    def _meet(self, team: Team) -> None:
        if not self.machine:
            self.machine = team.machine() | {"removed_from_environment": removed()}
        for hello in team.hello.values():
            self.machine["versions"] |= hello.get("versions", {})
        for name, why in team.missing.items():
            self.absent[name] = f"{team.title(name)} is not installed ({why})"

    def check(
        self, who: str, workload: Workload, error: float, bound: float, coarse: float = 0.0
    ) -> bool:
        """Whether a result is right: its error, a relative one, is within ``bound`` (and no NaN).

        Up to ``coarse`` it counts as right all the same, and the heading says who rounds so.
        """
        self.checks.append({"who": who, **vars(workload), "error": error, "bound": bound})
        if bound < error <= coarse:
            self.coarse[who] = max(error, self.coarse.get(who, 0.0))
            return True
        if not error <= bound:
            self.wrong.append(
                f"{who}, {workload.work} of {workload.network}, batch {workload.batch}: "
                f"off by {error:.1e} of the right result, {bound:.0e} is allowed"
            )
        return error <= bound

    def require(self, what: str, *, holds: bool) -> str:
        """A goal in words: "met" or "missed"."""
        if not holds:
            self.missed.append(what)
        return "met" if holds else "missed"

    def heading(self) -> str:
        """The machine, and what was left out."""
        lines = [sentence(self.machine)] if self.machine else []
        if left_out := self.machine.get("removed_from_environment"):
            lines.append(f"Measured without {', '.join(left_out)}, which were set.")
        if self._others:
            lines.append(f"Some tables were measured elsewhere, on: {'; '.join(self._others)}.")
        others = self.others_used()
        if others is not None and others > 0.05:
            lines.append(
                f"Other processes used {others:.0%} of the cores meanwhile: better measured again."
            )
        lines += [f"{why}." for why in self.absent.values()]
        lines += [
            f"{who} rounds coarsely: some results are off by {error:.0e} of the largest number, more than "
            f"others may. It is raced all the same."
            for who, error in self.coarse.items()
        ]
        lines += [f"WRONG: {what}" for what in self.wrong]
        return "\n".join(lines)

    def others_used(self) -> float | None:
        """The share of the cores that other processes used; of earlier runs, the largest."""
        return self._earlier_load if self._load is None else self._load.others()

    def markdown(self) -> str:
        """The heading and all tables that have rows, as Markdown."""
        parts = [
            self.heading().replace("\n", "\n\n"),
            *(t.markdown() for t in self.tables if t.shown_rows()),
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            "format": FORMAT,
            "options": self.options,
            "machine": self.machine,
            "others_used": self.others_used(),
            "absent": self.absent,
            "checks": self.checks,
            "wrong": self.wrong,
            "coarse": self.coarse,
            "missed": self.missed,
            "tables": [table.to_dict() for table in self.tables],
        }

    def write(self, json_file: Path | None, markdown_file: Path | None) -> None:
        """Write the files that are asked for."""
        if json_file is not None:
            write_text(json_file, strict_json.dumps(self.to_dict(), indent=1) + "\n")
        if markdown_file is not None:
            write_text(markdown_file, self.markdown())
