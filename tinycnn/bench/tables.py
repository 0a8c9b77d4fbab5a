"""Tables of figures: as text, as Markdown, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tinycnn.bench.rounds import Spread, plain, unplain
from tinycnn.tables import text_table

LESS, MORE = "less", "more"


@dataclass(frozen=True)
class Column:
    """One column. ``better`` says which direction a change is for the better; "" where none is.

    ``paired`` marks ratios taken within rounds, which say more than times. ``identity`` marks
    columns that say which row this is.
    """

    name: str
    heading: str
    digits: int | None = None
    better: str = ""
    paired: bool = False
    identity: bool = False
    spread: bool = False  # show the quartiles too

    def text(self, value: Any) -> str:
        """A value as the table shows it."""
        if value is None:
            return ""
        if isinstance(value, Spread):
            middle = self.text(value.median)
            if not self.spread:
                return middle
            return f"{middle} ({self.text(value.low)} - {self.text(value.high)})"
        if isinstance(value, (int, float)) and self.digits is not None:
            return f"{value:.{self.digits}f}"
        return str(value)


def identity(name: str, heading: str) -> Column:
    """A column that says which row this is."""
    return Column(name, heading, identity=True)


@dataclass
class ResultTable:
    """A table; ``rows`` map the columns' names to numbers, texts and `Spread`.

    ``only`` names a column: rows that have nothing there are kept as data, and not shown.
    """

    name: str
    title: str
    columns: Sequence[Column]
    note: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    only: str = ""

    def add(self, **row: Any) -> None:
        """Add a row."""
        self.rows.append(row)

    def shown_rows(self) -> list[dict[str, Any]]:
        """The rows that are shown."""
        return [row for row in self.rows if not self.only or row.get(self.only) is not None]

    def shown(self) -> list[Column]:
        """The columns in which these rows hold anything."""
        rows = self.shown_rows()
        return [c for c in self.columns if any(row.get(c.name) is not None for row in rows)]

    def texts(self) -> tuple[list[str], list[list[str]]]:
        """Headings and rows as texts."""
        columns = self.shown()
        body = [
            [column.text(row.get(column.name)) for column in columns] for row in self.shown_rows()
        ]
        return [column.heading for column in columns], body

    def text(self) -> str:
        """The table for a terminal."""
        head, body = self.texts()
        left = sum(column.identity for column in self.shown())
        parts = [self.title, "", text_table(head, body, len(head) - left)]
        return "\n".join([*parts, *(["", self.note] if self.note else [])])

    def markdown(self) -> str:
        """The table as Markdown, under a heading."""
        head, body = self.texts()
        sides = ["---" if column.identity else "---:" for column in self.shown()]
        lines = [f"| {' | '.join(cells)} |" for cells in (head, sides, *body)]
        note = ["", self.note] if self.note else []
        return "\n".join([f"### {self.title}", "", *lines, *note])

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> ResultTable:
        """The table that `to_dict` made ``data`` of."""
        columns = [Column(**column) for column in data["columns"]]
        rows = [{name: unplain(value) for name, value in row.items()} for row in data["rows"]]
        only = data.get("only", "")  # tables of earlier runs show all rows
        return cls(data["name"], data["title"], columns, data["note"], rows, only)

    def to_dict(self) -> dict[str, Any]:
        """The table as plain data."""
        return {
            "name": self.name,
            "title": self.title,
            "note": self.note,
            "only": self.only,
            "columns": [asdict(column) for column in self.columns],
            "rows": [plain(row) for row in self.rows],
        }


def row_key(table: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[str, ...]:
    """What tells a row of a table, given as plain data, from the others."""
    return tuple(str(row.get(c["name"])) for c in table["columns"] if c["identity"])
