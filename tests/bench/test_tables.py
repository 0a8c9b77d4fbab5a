from dataclasses import replace

from tinycnn.bench.rounds import Spread
from tinycnn.bench.tables import LESS, Column, ResultTable, identity

TABLE = ResultTable(
    "race",
    "A race",
    [
        identity("batch", "batch"),
        Column("ms", "ms an image", 2, LESS),
        Column("ratio", "ratio", 1, spread=True),
        Column("unused", "unused"),
    ],
    note="Two rounds.",
    rows=[
        {"batch": 1, "ms": Spread(1.234, 1, 2), "ratio": Spread(2, 1.5, 2.5)},
        {"batch": 32, "ms": 0.5, "unused": None},
    ],
)


def test_as_text_with_numbers_flush_right_and_no_empty_column():
    assert TABLE.text().splitlines() == [
        "A race",
        "",
        "batch  ms an image            ratio",
        "-----  -----------  ---------------",
        "1             1.23  2.0 (1.5 - 2.5)",
        "32            0.50",
        "",
        "Two rounds.",
    ]


def test_as_markdown():
    assert TABLE.markdown().splitlines() == [
        "### A race",
        "",
        "| batch | ms an image | ratio |",
        "| --- | ---: | ---: |",
        "| 1 | 1.23 | 2.0 (1.5 - 2.5) |",
        "| 32 | 0.50 |  |",
        "",
        "Two rounds.",
    ]


def test_as_data():
    data = TABLE.to_dict()
    assert data["rows"][0]["ms"] == {"median": 1.234, "low": 1, "high": 2}
    assert [column["name"] for column in data["columns"] if column["identity"]] == ["batch"]
    assert data["columns"][1]["better"] == "less"


def test_data_is_read_back():
    assert ResultTable.of(TABLE.to_dict()) == TABLE


def test_rows_that_have_nothing_in_a_column_may_be_kept_as_data_only():
    table = replace(TABLE, only="ratio")
    assert len(table.text().splitlines()) == len(TABLE.text().splitlines()) - 1
    assert len(table.to_dict()["rows"]) == 2 and ResultTable.of(table.to_dict()) == table
    assert replace(table, rows=TABLE.rows[1:]).shown_rows() == []
