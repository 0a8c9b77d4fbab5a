"""Two runs side by side: what became slower, beyond the noise?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tinycnn.bench.report import FORMAT, BenchReport
from tinycnn.bench.rounds import unplain
from tinycnn.bench.tables import LESS, Column, ResultTable, identity, row_key
from tinycnn.errors import FileError
from tinycnn.files import expect_regular

LEAST = 0.05  # a change below this part is noise
SLOWER, FASTER = "slower", "faster"

Data = Mapping[str, Any]


def read(path: Path) -> dict[str, Any]:
    """Read what an earlier run wrote with --json."""
    try:
        if path.exists():
            expect_regular(path, "run's JSON")
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileError:
        raise
    except (OSError, ValueError) as error:
        raise FileError(f"{str(path)!r} cannot be read as a run's JSON: {error}") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise FileError(
            f"{str(path)!r} is not a run of this version, which writes format {FORMAT}: measure again "
            f"with tinycnn bench --json"
        )
    with _undamaged(path):  # what is done with it in the end, before anything is measured
        compare(data, data)
    return data


def report_of(paths: Sequence[Path]) -> BenchReport:
    """Read earlier runs into one report."""
    runs = [read(path) for path in paths]
    for path, run in zip(paths, runs, strict=True):
        with _undamaged(path):
            one = BenchReport.of([run])
            _ = one.markdown(), [table.text() for table in one.tables]
    return BenchReport.of(runs)


@contextmanager
def _undamaged(path: Path) -> Iterator[None]:
    """Say of which file it is that something is missing, or is of another kind."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise FileError(
            f"{str(path)!r} is a damaged run: {type(error).__name__}: {error}; measure again with "
            f"tinycnn bench --json"
        ) from error


def compare(old: Data, new: Data) -> ResultTable:
    """Every figure that both runs have and that changed beyond the noise.

    In a row with ratios, taken within rounds, these count and times do not: another day's machine
    changes times. Beyond the noise: medians 5 % apart at least, and the quartiles do not overlap.
    """
    columns = [
        identity("table", "table"),
        identity("row", "row"),
        identity("column", "figure"),
        Column("old", "old", 2, spread=True),
        Column("new", "new", 2, spread=True),
        Column("change", "new / old", 2),
        Column("verdict", "change"),
    ]
    same = old["machine"].get("processor") == new["machine"].get("processor")
    note = "" if same else "The two runs were made on different processors: compare ratios only."
    table = ResultTable("comparison", "Changes beyond the noise", columns, note=note)
    for name, row, column, before, after in _pairs(old, new):
        verdict = change(before, after, column["better"])
        if verdict:
            quotient = _middle(after) / _middle(before) if _middle(before) else None
            table.add(
                table=name, row=", ".join(row), column=column["heading"],
                old=unplain(before), new=unplain(after), change=quotient, verdict=verdict,
            )  # fmt: skip
    return table


def change(before: Any, after: Any, better: str) -> str:
    """`SLOWER`, `FASTER` or "": of two figures, single numbers or with quartiles."""
    (low, middle, high), (new_low, new_middle, new_high) = _bounds(before), _bounds(after)
    if new_low > high and new_middle > middle * (1 + LEAST):
        return SLOWER if better == LESS else FASTER
    if new_high < low and new_middle < middle * (1 - LEAST):
        return FASTER if better == LESS else SLOWER
    return ""


def _pairs(old: Data, new: Data) -> Iterator[tuple[str, tuple[str, ...], Data, Any, Any]]:
    earlier = {table["name"]: table for table in old["tables"]}
    for table in new["tables"]:
        before = earlier.get(table["name"])
        if before is None:
            continue
        rows = {row_key(before, row): row for row in before["rows"]}
        for row in table["rows"]:
            key = row_key(table, row)
            past = rows.get(key, {})
            both = [
                c for c in table["columns"]
                if c["better"] and _is_figure(row.get(c["name"])) and _is_figure(past.get(c["name"]))
            ]  # fmt: skip
            paired = [c for c in both if c["paired"]]
            for column in paired or both:
                yield table["name"], key, column, past[column["name"]], row[column["name"]]


def _is_figure(value: Any) -> bool:
    values = _bounds(value) if isinstance(value, dict) else (value,)
    return all(isinstance(part, (int, float)) for part in values)  # no text, such as "NaN"


def _bounds(value: Any) -> tuple[float, float, float]:
    if isinstance(value, dict):
        return value["low"], value["median"], value["high"]
    return value, value, value


def _middle(value: Any) -> float:
    return float(_bounds(value)[1])
