"""Where are we slower than PyTorch? Every op forward and backward, at sizes from one end to the other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import cycle, zip_longest
from typing import Any

import numpy as np

from tinycnn.bench import contest
from tinycnn.bench.engines import OURS
from tinycnn.bench.operations import OPERATIONS, Operation
from tinycnn.bench.report import BenchReport
from tinycnn.bench.rounds import geometric_mean
from tinycnn.bench.settings import Settings
from tinycnn.bench.tables import MORE, Column, ResultTable, identity
from tinycnn.bench.work import Workload
from tinycnn.progress import Progress

GOAL = 0.8  # times PyTorch's speed, each
MINUTES, QUICK_MINUTES = 10.0, 2.0
SECONDS = 0.03  # of a turn, unless less is asked for: many sizes are better than exact times
MOST = 1 << 31  # multiply-adds of one call, and
CELLS = 1 << 24  # numbers of one array, the result among them: no draw takes long, or much memory


def run(settings: Settings, report: BenchReport) -> None:
    """Sweep until the time is over: sizes drawn by the seed, or if quick the fixed ones, once."""
    names = [OURS, *settings.peers(trainers=True)]
    rounds, seconds = settings.rounds_of(3), min(settings.seconds, SECONDS)
    table, totals = _tables(names, settings, rounds, report)
    end = time.monotonic() + 60 * (
        settings.minutes or (QUICK_MINUTES if settings.quick else MINUTES)
    )
    swept = fixed() if settings.quick else drawn(settings.seed)
    with (
        report.team(names, settings.threads) as team,
        Progress("cliffs", None) as progress,
    ):
        try:
            for operation, direction in swept:
                if time.monotonic() >= end or OURS not in team.present:
                    break
                workload = Workload(f"op {direction}", operation.text, operation.batch)
                times = contest.measure(team, workload, rounds, seconds, report, progress)
                row = contest.row(times, 1, report, operation.text)
                if "ratio" in row and row["ratio"].median < 1:
                    row["slower"] = 1 / row["ratio"].median
                table.add(op=operation.name, direction=direction, sizes=operation.words, **row)
        finally:  # an interrupted sweep says what it has found
            table.rows.sort(key=lambda row: row.get("slower", 0.0), reverse=True)
            _summarize(table, totals, report)


def fixed() -> Iterator[tuple[Operation, str]]:
    """The fixed sizes of each op in turn: whenever the time is over, every op has had its share."""
    for turn in zip_longest(
        *([kind(*sizes) for sizes in kind.fixed] for kind in OPERATIONS.values())
    ):
        for operation in turn:
            if operation is not None:
                yield from ((operation, direction) for direction in operation.directions)


def drawn(seed: int) -> Iterator[tuple[Operation, str]]:
    """Sizes of each op in turn, without end; the same ones for a seed."""
    rng = np.random.default_rng(seed)
    kinds = [kind for kind in OPERATIONS.values() for _ in range(kind.share)]
    for kind in cycle(kinds):
        operation = kind.draw(rng)
        while not is_bounded(operation):
            operation = kind.draw(rng)
        yield from ((operation, direction) for direction in kind.directions)


def is_bounded(operation: Operation) -> bool:
    """Whether it takes little enough time and memory to be swept."""
    return operation.largest() <= CELLS and operation.cost() <= MOST


def _tables(
    names: list[str], settings: Settings, rounds: int, report: BenchReport
) -> tuple[ResultTable, ResultTable]:
    keys = [identity("op", "op"), identity("direction", "direction")]
    note = contest.note(names, settings.threads, rounds)
    slower = Column("slower", "times slower", 2)
    figures = [*contest.columns(names, 3), slower]
    sizes = identity("sizes", "sizes")
    totals = [
        Column("swept", "sizes swept"),
        Column("mean", "geometric mean", 2, MORE),
        Column("least", "least ratio", 2, MORE),
        Column("slow", "sizes below the goal"),
        Column("goal", "each at least", 2),
        Column("verdict", "goal"),
    ]
    return (
        report.table(
            ResultTable(
                "cliffs", "Where PyTorch is faster, worst first, ms", [*keys, sizes, *figures],
                note=note, only=slower.name,
            )
        ),
        report.table(ResultTable("cliffs by op", "Every op beside PyTorch", [*keys, *totals])),
    )  # fmt: skip


def _summarize(table: ResultTable, totals: ResultTable, report: BenchReport) -> None:
    """A row for each op and direction: the mean of its ratios, and the least of them."""
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in table.rows:
        rows.setdefault((row["op"], row["direction"]), []).append(row)
    for (op, direction), swept in sorted(rows.items()):
        found = [row["ratio"].median for row in swept if "ratio" in row]
        if not found:
            totals.add(op=op, direction=direction, swept=len(swept))
            continue
        verdict = report.require(
            f"cliffs, {op} {direction}: each {GOAL} times PyTorch", holds=min(found) >= GOAL
        )
        totals.add(
            op=op, direction=direction, swept=len(swept), mean=geometric_mean(found),
            least=min(found), slow=sum(ratio < GOAL for ratio in found), goal=GOAL, verdict=verdict,
        )  # fmt: skip
