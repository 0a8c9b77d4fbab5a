"""Each layer of AlexNet by itself, forward and backward, beside the processor's and memory's limits."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tinycnn.bench import contest
from tinycnn.bench.engines import LIMITS, OURS
from tinycnn.bench.limits import Limits, measure_limits
from tinycnn.bench.report import BenchReport
from tinycnn.bench.rounds import Spread
from tinycnn.bench.settings import Settings
from tinycnn.bench.tables import LESS, Column, ResultTable, identity
from tinycnn.bench.work import Workload, build
from tinycnn.inference.plan import plan
from tinycnn.progress import Progress
from tinycnn.summary import Row
from tinycnn.wording import many

NETWORK = "one-tower"
QUICK = ("conv2", "pool2", "fc1")
BATCH = 32
_NOTE = (
    "GFLOP/s count the multiply-adds of the layer's formula, two operations each: an algorithm that "
    "multiplies less may show more than the processor's peak. Bytes are those of each input, weight "
    "and result once. A convolution stands alone here, not in a group with its neighbours, and backward "
    "gives dx too, but for conv1."
)


@dataclass(frozen=True)
class Work:
    """What one layer has to do in one direction: operations and the least bytes moved."""

    flops: float
    bytes: float

    @property
    def intensity(self) -> float:
        """Arithmetic intensity: operations for each byte moved."""
        return self.flops / self.bytes


def run(settings: Settings, report: BenchReport) -> None:
    """Measure the limits, then each layer; with `Settings.save`, draw the roofline."""
    batch = settings.batch_of(BATCH, quick=8)
    rounds = settings.rounds_of(5)
    model = build(NETWORK)
    rows = {row.name: row for row in model.summary().rows}
    inputs = dict(zip(rows, model.shapes, strict=False))
    names = settings.chosen(rows, QUICK)
    key = [identity("layer", "layer"), identity("direction", "direction")]
    table = report.table(ResultTable("layers", "", [*key, *_COLUMNS], note=_NOTE))
    steps = plan(model.layers, model.input_shape, model.dtype, batch).steps
    methods = {name: ", ".join(s.method for s in steps if s.layer == name) for name in names}
    with (
        report.team([LIMITS], settings.threads) as limits_team,
        report.team([OURS], settings.threads) as team,
        Progress("layers", (3 + 2 * len(names)) * rounds) as progress,
    ):
        limits = measure_limits(
            limits_team, settings.threads, rounds, settings.seconds, report, progress
        )
        table.title = (
            f"Layers of AlexNet, batch {batch}, {many(settings.threads, 'thread')}: {limits}"
        )
        for name in names:
            for direction in ("forward", "backward"):
                if direction == "forward" and not methods[name]:
                    continue  # there is nothing to do
                workload = Workload(direction, f"{NETWORK}/{name}", batch)
                times = contest.measure(team, workload, rounds, settings.seconds, report, progress)
                for seconds in times.values():
                    work = work_of(
                        rows[name], inputs[name], direction, batch, first=name == "conv1"
                    )
                    figures = _figures(seconds, work, limits)
                    method = {"method": methods[name]} if direction == "forward" else {}
                    table.add(layer=name, direction=direction, **method, **figures)
    if settings.save is not None:
        from tinycnn.bench.roofline import save

        save(table, limits, settings.save)


def work_of(
    row: Row, input_shape: tuple[int, ...], direction: str, batch: int, *, first: bool
) -> Work:
    """Operations and least bytes of one layer for a batch; the ``first`` gives no dx."""
    x, y = math.prod(input_shape), math.prod(row.output_shape)
    if direction == "forward":
        return Work(2 * batch * row.multiply_adds, 4 * (batch * (x + y) + row.parameters))
    # Read: x, y, dy, W. Written: dx, dW. What has no parameters needs x to no purpose: winners and
    # masks are a quarter of a number at most, and left out.
    if not row.parameters:
        return Work(0, 4 * batch * (x + y))
    flops = 2 * batch * row.multiply_adds * (1 if first else 2)
    return Work(flops, 4 * (batch * (x + 2 * y + (0 if first else x)) + 2 * row.parameters))


_COLUMNS = [
    Column("method", "carried out by"),
    Column("ms", "ms", 3, LESS),
    Column("gflops", "GFLOP/s", 0),
    Column("peak", "of the peak", 2),
    Column("gbytes", "GB/s", 1),
    Column("memory", "of the memory", 2),
    Column("intensity", "FLOP a byte", 1),
]


def _figures(times: list[float], work: Work, limits: Limits) -> dict[str, object]:
    seconds = Spread.of(times)
    per_second = work.bytes / seconds.median
    found = {
        "ms": seconds.times(1e3),
        "gbytes": per_second / 1e9,
        "memory": per_second / limits.bandwidth,
    }
    if not work.flops:
        return found
    flops = work.flops / seconds.median
    return found | {
        "gflops": flops / 1e9, "peak": flops / limits.flops, "intensity": work.intensity,
    }  # fmt: skip
