"""``tinycnn bench``: how fast the engine is, beside others."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinycnn.errors import ArgumentError

if TYPE_CHECKING:
    from tinycnn.bench.report import BenchReport
    from tinycnn.bench.settings import Settings
    from tinycnn.bench.tables import ResultTable

_PARTS = (
    "race", "layers", "small", "training", "others", "pools", "cliffs", "gemm", "scaling", "memory", "start",
    "busy", "agreement",
)  # fmt: skip


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "bench",
        help="how fast the engine is, beside others where they are installed",
        description="Measure in turns, each candidate in a process of its own, and check results first. "
        "docs/benchmarks.md says what each part asks and how to read it.",
    )
    parser.add_argument(
        "part", nargs="*", metavar="PART", help=f"{', '.join(_PARTS)}; default: all"
    )
    parser.add_argument("--quick", action="store_true", help="what matters most, within a minute")
    parser.add_argument(
        "--threads", metavar="T", type=int, help="of each candidate; default: the cores"
    )
    parser.add_argument("--batch", metavar="N", type=int, nargs="+", default=[], help="batch sizes")
    parser.add_argument("--work", choices=["forward", "training"], help="the race: only this")
    parser.add_argument("--engines", metavar="NAME", nargs="*", help="peers to compare with")
    parser.add_argument("--layers", metavar="NAME", nargs="*", default=[], help="only these layers")
    parser.add_argument("--rounds", metavar="N", type=int, help="how often all take their turn")
    parser.add_argument("--seconds", metavar="S", type=float, default=0.2, help="of a turn")
    parser.add_argument(
        "--minutes", metavar="M", type=float, help="cliffs: how long sizes are swept; default: 10"
    )
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="cliffs: of the sizes")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write everything as data")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="write the tables")
    parser.add_argument("--save", metavar="FILE", type=Path, help="the roofline as a picture")
    parser.add_argument(
        "--compare", metavar="OLD.json", type=Path, help="exit 1 if slower than OLD"
    )
    parser.add_argument(
        "--from", metavar="FILE", type=Path, nargs="+", dest="earlier",
        help="measure nothing: the tables of runs that --json wrote",
    )  # fmt: skip
    parser.add_argument("--require", action="store_true", help="exit 1 if a goal is missed")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the tables, write what is asked for; 1 if anything is wrong or slower."""
    from tinycnn.bench import comparison, parts
    from tinycnn.bench.report import BenchReport

    settings = _settings(arguments)
    names = arguments.part or (parts.QUICK if settings.quick else _PARTS)
    _expect_outputs(arguments, names)
    old = comparison.read(arguments.compare) if arguments.compare else None
    if arguments.earlier:
        report = comparison.report_of(arguments.earlier)
        _print(report.tables)
        return _end(arguments, report, old)
    # Where results are written to is no part of them, and may name a folder of somebody's machine.
    left_out = {"run", "json", "markdown", "save"}
    report = BenchReport(
        {name: str(value) for name, value in vars(arguments).items() if name not in left_out}
    )
    try:
        for name in names:
            before = len(report.tables)
            try:
                parts.run(name, settings, report)
            finally:  # what was measured before an interruption is shown too
                _print(report.tables[before:])
    except BaseException:  # Ctrl-C among them: what was measured is kept
        _end(arguments, report, None)
        raise
    return _end(arguments, report, old)


def _end(arguments: argparse.Namespace, report: BenchReport, old: Mapping[str, Any] | None) -> int:
    """Write what is asked for and say what is wrong, missed or slower than ``old``; the exit code."""
    print(f"\n{report.heading()}", flush=True)
    report.write(arguments.json, arguments.markdown)
    slower = old is not None and _compare(old, report)
    for what in report.missed:
        print(f"missed: {what}", file=sys.stderr)
    return 1 if report.wrong or slower or (arguments.require and report.missed) else 0


def _expect_outputs(arguments: argparse.Namespace, names: Sequence[str]) -> None:
    """Refuse files that could not be written in the end, before anything is measured."""
    from tinycnn import figures
    from tinycnn.files import expect_ending, expect_writable

    for name, target, endings in (
        ("what --json writes", arguments.json, ("", ".json")),
        ("what --markdown writes", arguments.markdown, ("", ".markdown", ".md", ".txt")),
    ):
        if target is not None:
            expect_ending(name, target, endings)
            expect_writable(target)
    if arguments.save is not None:
        if arguments.earlier or "layers" not in names:
            raise ArgumentError(
                "--save draws what the part layers measures: tinycnn bench layers --save"
            )
        figures.expect(arguments.save)


def _settings(arguments: argparse.Namespace) -> Settings:
    from tinycnn.bench.engines import PEERS
    from tinycnn.bench.settings import Settings
    from tinycnn.validation import check_choice, check_int, check_number

    for name in arguments.part:
        check_choice(name, _PARTS, "PART")
    for name in arguments.engines or ():
        check_choice(name, PEERS, "--engines")
    return Settings(
        quick=arguments.quick,
        threads=0 if arguments.threads is None else check_int(arguments.threads, "--threads"),
        batches=tuple(check_int(batch, "--batch") for batch in arguments.batch),
        works=(arguments.work,) if arguments.work else (),
        layers=tuple(arguments.layers),
        engines=PEERS if arguments.engines is None else tuple(arguments.engines),
        rounds=None if arguments.rounds is None else check_int(arguments.rounds, "--rounds"),
        seconds=check_number(arguments.seconds, "--seconds"),
        minutes=None
        if arguments.minutes is None
        else check_number(arguments.minutes, "--minutes", above=0),
        seed=check_int(arguments.seed, "--seed", least=0),
        save=arguments.save,
    )


def _print(tables: Sequence[ResultTable]) -> None:
    for table in tables:
        if table.shown_rows():
            print(f"\n{table.text()}", flush=True)


def _compare(old: Mapping[str, Any], report: BenchReport) -> bool:
    """Print what changed; whether anything became slower."""
    from tinycnn.bench.comparison import SLOWER, compare

    table = compare(old, report.to_dict())
    print(f"\n{table.text()}" if table.rows else "\nNothing changed beyond the noise.")
    return any(row["verdict"] == SLOWER for row in table.rows)
