"""Start-up: imports, the first call ever, which compiles, and the first call of a process."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from statistics import median

from tinycnn.bench.engines import ENGINES, OURS, PEERS
from tinycnn.bench.machine import clean_environment
from tinycnn.bench.report import BenchReport
from tinycnn.bench.rounds import Rounds, Spread, ratio
from tinycnn.bench.settings import Settings
from tinycnn.bench.tables import LESS, Column, ResultTable, identity
from tinycnn.bench.work import Workload
from tinycnn.errors import TinyCNNError
from tinycnn.progress import Progress

NETWORK = "one-tower"
SUMMARY_GOAL = 4.0  # times `import numpy`
STEP_GOAL = 2.0  # seconds
FIRST_GOALS = {"forward": 12.0, "training": 20.0}  # seconds of the first call ever
BATCH = 32
_FIRST_LAYER = "conv1"


def run(settings: Settings, report: BenchReport) -> None:
    """Measure whole commands, then first calls."""
    with tempfile.TemporaryDirectory() as cache:
        _commands(cache, settings, report)
    _calls(settings, report)


def _commands(cache: str, settings: Settings, report: BenchReport) -> None:
    tinycnn = ["-m", "tinycnn"]
    step = [*tinycnn, "step", *(["--model", "mini"] if settings.quick else [])]
    runs: dict[str, Callable[[], float]] = {
        "import numpy": partial(finish, ["-c", "import numpy"], cache),
        "import tinycnn": partial(finish, ["-c", "import tinycnn"], cache),
        "tinycnn summary": partial(finish, [*tinycnn, "summary"], cache),
        "tinycnn step, to its first layer": partial(first_layer, step, cache),
    }
    for package in dict.fromkeys(ENGINES[name].packages[-1] for name in PEERS):
        if find_spec(package) is not None:
            runs[f"import {package}"] = partial(finish, ["-c", f"import {package}"], cache)
    rounds = settings.rounds_of(5)
    times: Rounds = {name: [] for name in runs}
    columns = [
        identity("command", "a fresh process"),
        Column("seconds", "seconds", 2, LESS, spread=True),
        Column("ratio", "times import numpy", 2, LESS, paired=True),
        Column("goal", "at most"),
        Column("verdict", "goal"),
    ]
    table = report.table(
        ResultTable("start commands", "From the start of a process to its end", columns)
    )
    with Progress("start", 1 + rounds * len(runs)) as progress:
        first = first_layer(step, cache)
        progress.advance()
        for _ in range(rounds):
            for name, measure in runs.items():
                times[name].append(measure())
                progress.advance()
    for name in runs:
        row: dict[str, object] = {"command": name, "seconds": Spread.of(times[name])}
        row["ratio"] = ratio(times, name, "import numpy")
        if name == "tinycnn summary":
            met = ratio(times, name, "import numpy").median <= SUMMARY_GOAL
            row |= {"goal": f"{SUMMARY_GOAL:g} times", "verdict": report.require(name, holds=met)}
        if name.startswith("tinycnn step"):
            met = median(times[name]) <= STEP_GOAL
            row |= {"goal": f"{STEP_GOAL:g} s", "verdict": report.require(name, holds=met)}
        table.add(**row)
    table.add(command="the same at the very first start", seconds=first)


def _calls(settings: Settings, report: BenchReport) -> None:
    columns = [
        identity("engine", "engine"),
        identity("work", "work"),
        identity("when", "when"),
        Column("load", "load, s", 2),
        Column("first", "first call, s", 2, LESS),
        Column("later", "later call, s", 3),
        Column("goal", "at most, s", 0),
        Column("verdict", "goal"),
    ]
    batch = settings.batch_of(BATCH, quick=1)
    title = f"First calls, AlexNet at batch {batch}"
    note = "Ever: with an empty TINYCNN_CACHE_DIR, so that everything is compiled."
    table = report.table(ResultTable("start calls", title, columns, note=note))
    works = settings.works or (("forward",) if settings.quick else ("forward", "training"))
    for work in works:
        with tempfile.TemporaryDirectory() as cache:
            for when in ("ever", "of a process"):
                _call(table, OURS, work, when, batch, cache, settings, report)
        for name in settings.peers(trainers=work == "training"):
            _call(table, name, work, "of a process", batch, "", settings, report)


def _call(
    table: ResultTable, name: str, work: str, when: str, batch: int, cache: str, settings: Settings,
    report: BenchReport,
) -> None:  # fmt: skip
    environment = {"TINYCNN_CACHE_DIR": cache} if cache else {}
    with report.team([name], settings.threads, **environment) as team:
        loaded = team.load(Workload(work, NETWORK, batch)).get(name, {})
        first = team.first(name) if team.present else None
        later = team.first(name) if team.present else None
    if first is None:
        return
    row: dict[str, object] = {"load": loaded["load_seconds"], "first": first, "later": later}
    if when == "ever":
        goal = FIRST_GOALS[work]
        row |= {
            "goal": goal,
            "verdict": report.require(f"the first {work} ever", holds=first <= goal),
        }
    table.add(engine=name, work=work, when=when, **row)


def finish(arguments: list[str], cache: str) -> float:
    """Seconds that a fresh Python takes for ``arguments``, from start to end."""
    start = time.perf_counter()
    environment = clean_environment() | {"TINYCNN_CACHE_DIR": cache}
    subprocess.run(
        [sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=environment
    )
    return time.perf_counter() - start


def first_layer(arguments: list[str], cache: str) -> float:
    """Seconds until a fresh Python prints the row of the first layer."""
    start = time.perf_counter()
    found = None
    environment = clean_environment() | {"TINYCNN_CACHE_DIR": cache}
    with subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if found is None and line.split()[:1] == [_FIRST_LAYER]:
                found = time.perf_counter() - start
    if process.returncode or found is None:
        raise TinyCNNError(
            f"python {' '.join(arguments)} failed or printed no row of {_FIRST_LAYER}"
        )
    return found
