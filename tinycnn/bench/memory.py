"""Peak memory of a process that runs AlexNet, and what one pass of ours adds to it. On Linux."""

from __future__ import annotations

from typing import Any

from tinycnn.bench import memory_peak
from tinycnn.bench.engines import OURS
from tinycnn.bench.report import BenchReport
from tinycnn.bench.settings import Settings
from tinycnn.bench.tables import LESS, Column, ResultTable, identity
from tinycnn.bench.work import Workload
from tinycnn.progress import Progress
from tinycnn.wording import many

NETWORK = "one-tower"
BATCH = 128
CALLS = 3
MB = 1e6
GOAL = 1.0  # times the leanest peer
ONE_IMAGE_GOAL = 1.2  # the same of a process that does one image once
PASS_BATCH = 8
ROOM = 150  # MB that a pass may take besides gradients and activations


def run(settings: Settings, report: BenchReport) -> None:
    """Measure beside the peers, then one pass of ours against what it must keep."""
    if not memory_peak.is_told():
        report.absent["memory"] = "This system does not tell a process's peak memory"
        return
    batch = settings.batch_of(BATCH, quick=8)
    for work in settings.works or ("forward", "training"):
        _beside_peers(work, Workload(work, NETWORK, batch), CALLS, GOAL, settings, report)
    if "forward" in (settings.works or ("forward",)):
        once = Workload("forward", NETWORK, 1)
        _beside_peers("one image", once, 1, ONE_IMAGE_GOAL, settings, report)
    _one_pass(settings, report)


def _beside_peers(
    what: str, workload: Workload, calls: int, goal: float, settings: Settings, report: BenchReport
) -> None:
    names = [OURS, *settings.peers(trainers=workload.work == "training")]
    columns = [
        identity("engine", "engine"),
        Column("before", "before, MB", 0),
        Column("peak", "peak, MB", 0, LESS),
        Column("ratio", "times the leanest peer", 2),
        Column("goal", "at most", 1),
        Column("verdict", "goal"),
    ]
    note = (
        f"Most that a fresh process held resident while it did the work {many(calls, 'time')}: everything "
        f"counts, weights, code and libraries. Before: once the network was loaded."
    )
    title = f"Peak memory, AlexNet {workload.work}, batch {workload.batch}"
    table = report.table(ResultTable(f"memory {what}", title, columns, note=note))
    with Progress(title, len(names)) as progress:
        _compile(workload, settings, report)
        for name in names:
            progress.say(name)
            row = _peak(name, workload, calls, settings, report)
            if row:
                table.add(engine=name, **row)
            progress.advance()
    _compare(table, what, goal, report)


def _compile(workload: Workload, settings: Settings, report: BenchReport) -> None:
    """Let a process of its own compile what is not compiled yet."""
    with report.team([OURS], settings.threads) as team:
        team.load(workload)
        team.first(OURS)


def _peak(
    name: str, workload: Workload, calls: int, settings: Settings, report: BenchReport
) -> dict[str, Any]:
    # What one process writes, the network as a file, the other finds: making it counts as nobody's memory.
    writer = f"{name} {settings.threads + 1}"
    with report.team([writer, name], settings.threads) as team:
        for each in (writer, name):
            team.load(workload, [each] if each in team.present else [])
        answer = team.peak(name, calls) if name in team.present else {}
    report.absent.pop(writer, None)  # said of the other already
    if "peak" not in answer:
        return {}
    return {"before": answer["before"] / MB, "peak": answer["peak"] / MB}


def _compare(table: ResultTable, what: str, goal: float, report: BenchReport) -> None:
    peaks = {row["engine"]: row["peak"] for row in table.rows}
    leanest = min((peak for name, peak in peaks.items() if name != OURS), default=None)
    if OURS in peaks and leanest is not None:
        ratio = peaks[OURS] / leanest
        verdict = report.require(
            f"peak memory, {what}: {goal} of the leanest peer's", holds=ratio <= goal
        )
        table.rows[0] |= {"ratio": ratio, "goal": goal, "verdict": verdict}


def _one_pass(settings: Settings, report: BenchReport) -> None:
    columns = [
        identity("way", "gradients between layers"),
        Column("gradients", "gradients, MB", 1),
        Column("activations", "activations kept, MB", 1),
        Column("allowed", "allowed, MB", 1),
        Column("growth", "growth of the peak, MB", 1, LESS),
        Column("verdict", "goal"),
    ]
    note = f"Allowed: gradients, activations that the trace keeps, and {ROOM} MB for all else."
    network = "mini" if settings.quick else NETWORK
    title = f"One pass forward and backward, AlexNet ({network}), batch {PASS_BATCH}"
    table = report.table(ResultTable("memory pass", title, columns, note=note))
    for way in ("kept", "released"):
        workload = Workload(f"pass {way}", network, PASS_BATCH)
        _compile(workload, settings, report)
        with report.team([OURS], settings.threads) as team:
            team.load(workload)
            answer = team.peak(OURS, 1)
            sizes = team.results().get(OURS)
        if "peak" not in answer or sizes is None:
            continue
        gradients, activations = (float(sizes[key]) / MB for key in ("gradients", "activations"))
        growth, allowed = (answer["peak"] - answer["before"]) / MB, gradients + activations + ROOM
        verdict = report.require(
            f"a pass, gradients {way}: at most {allowed:.0f} MB", holds=growth <= allowed
        )
        table.add(
            way=way, gradients=gradients, activations=activations, allowed=allowed, growth=growth,
            verdict=verdict,
        )  # fmt: skip
