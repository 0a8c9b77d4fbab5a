"""Only ratios to the fastest of all peers are told, and of tables with a mean the mean."""

import pytest

from tinycnn.bench import contest
from tinycnn.bench.engines import ENGINES, OURS, PEERS, TRAINERS
from tinycnn.bench.report import BenchReport
from tinycnn.bench.short import in_short
from tinycnn.bench.tables import ResultTable, identity


def raced(name, peers, batch=1, absent=()):
    """A table in which each peer took twice as long as the one before it."""
    columns = [identity("batch", "batch"), *contest.columns([OURS, *peers])]
    table = ResultTable(name, "A race, ms an image", columns)
    present = [peer for peer in peers if peer not in absent]
    times = {peer: [2.0 * 2**place] for place, peer in enumerate(present)}
    table.add(batch=batch, **contest.row({OURS: [1.0], **times}, 1, BenchReport({}), "a race"))
    return table


@pytest.mark.parametrize(
    ("peers", "absent", "told"),
    [
        (PEERS, (), True),
        (TRAINERS, (), True),
        (PEERS, ("mnn",), False),  # asked, and not there
        (PEERS[:-1], (), False),  # not asked
        (PEERS, ("ncnn",), True),  # which takes one image only
    ],
)
def test_a_ratio_is_told_if_every_peer_took_part(peers, absent, told):
    rows = in_short([raced("race forward", peers, absent=absent)]).rows
    assert bool(rows) == told
    for row in rows:
        assert row["ratio"].median == 2 and row["fastest"] == ENGINES["torch"].title
        assert (row["work"], row["batch"]) == ("A race", 1)


def test_of_tables_with_a_mean_the_mean_is_told_and_of_others_nothing():
    table = raced("small forward", PEERS)
    contest.add_mean(table, "networks", 1.5, BenchReport({}))
    (row,) = in_short([table, raced("busy", PEERS)]).rows
    assert row["batch"] == "mean" and row["ratio"].median == pytest.approx(2)
