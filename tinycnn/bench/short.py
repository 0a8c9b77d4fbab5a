"""The results in a few rows: how many times as fast as the fastest of all peers, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tinycnn.bench.engines import ENGINES, PEERS, TRAINERS
from tinycnn.bench.tables import MORE, Column, ResultTable, identity

# Tables of which each row is told, or their mean where they have one.
TOLD = (
    "race forward", "race training", "others paper forward", "others paper training", "others plain 8",
    "others kinds 8", "small forward", "small training",
)  # fmt: skip


def in_short(tables: Sequence[ResultTable]) -> ResultTable:
    """The ratios of the tables in `TOLD` in which every peer was asked, and ran where it can."""
    columns = [
        identity("work", "work"),
        identity("batch", "batch"),
        Column("ratio", "times the fastest peer", 2, MORE, paired=True, spread=True),
        Column("fastest", "which is"),
    ]
    short = ResultTable("short", "In short", columns)
    for table in tables:
        if table.name in TOLD and _has_all(table):
            for row in _rows(table):
                short.add(work=table.title.partition(", ms")[0], **row)
    return short


def _has_all(table: ResultTable) -> bool:
    """Whether all that train, or all that run, were asked, and those have times that take any batch."""
    asked = {column.name for column in table.columns} & set(PEERS)
    measured = {name for name in asked if any(row.get(name) is not None for row in table.rows)}
    limited = {name for name in asked if ENGINES[name].most_images}
    return asked in (set(PEERS), set(TRAINERS)) and asked - limited <= measured


def _rows(table: ResultTable) -> Iterator[dict[str, Any]]:
    means = [row for row in table.rows if "geometric mean" in row.values()]
    for row in means or table.rows:
        if "ratio" in row:
            shown = {"batch": row.get("batch"), "fastest": row.get("fastest")}
            yield {"ratio": row["ratio"], **({"batch": "mean"} if means else shown)}
