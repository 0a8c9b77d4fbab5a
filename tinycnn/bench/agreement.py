"""Does the network answer as its formula does? Random images against im2col in float64."""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.bench import reference, work
from tinycnn.bench.engines import OURS
from tinycnn.bench.report import BenchReport
from tinycnn.bench.settings import Settings
from tinycnn.bench.tables import LESS, Column, ResultTable, identity
from tinycnn.bench.work import Workload
from tinycnn.progress import Progress

IMAGES = 200
_BLOCK = 20  # images that the reference works on at once


def run(settings: Settings, report: BenchReport) -> None:
    """Compare the logits, and the best class wherever it leads by more than the bound."""
    count = settings.batch_of(IMAGES, quick=16)
    workload = Workload("forward", "one-tower", count)
    columns = [
        identity("images", "images"),
        Column("error", "largest difference, of the largest logit", better=LESS),
        Column("bound", "bound"),
        Column("clear", "lead by more than the bound"),
        Column("same", "of these, same best class"),
    ]
    title = "AlexNet's logits against im2col in float64"
    table = report.table(ResultTable("agreement", title, columns))
    with report.team([OURS], settings.threads) as team, Progress(title, 1) as progress:
        team.load(workload)
        for results in team.results().values():
            found, expected = reference.logits(results["y"]), _expected(workload)
            error = float(np.abs(found - expected).max() / np.abs(expected).max())
            report.check("tinycnn", workload, error, reference.FORWARD_BOUND)
            clear, same = compare(found, expected)
            if same < clear:
                report.wrong.append(f"tinycnn: another best class for {clear - same} images")
            table.add(
                images=count, error=f"{error:.1e}", bound=f"{reference.FORWARD_BOUND:.0e}",
                clear=clear, same=same,
            )  # fmt: skip
        progress.advance()


def compare(found: Array, expected: Array) -> tuple[int, int]:
    """Rows of (N, classes) whose best class leads clearly, and those of them where both name it.

    Clearly: by more than two logits that are each off by the bound could change.
    """
    best_two = np.sort(expected, axis=1)[:, -2:]
    least = 2 * reference.FORWARD_BOUND * np.abs(expected).max()
    clear = best_two[:, 1] - best_two[:, 0] > least
    same = found.argmax(axis=1) == expected.argmax(axis=1)
    return int(clear.sum()), int((clear & same).sum())


def _expected(workload: Workload) -> Array:
    model = reference.double(workload.network)
    x = work.images(workload.batch, model.input_shape)
    parts = [
        model.trace(x[first : first + _BLOCK], algorithm="im2col").y
        for first in range(0, workload.batch, _BLOCK)
    ]
    return reference.logits(np.concatenate(parts))
