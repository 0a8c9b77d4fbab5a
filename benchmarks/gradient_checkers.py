"""Which gradient checker misses planted errors, and which raises false alarms?

Runs the catalogues of the tests, errors planted on purpose and right gradients that tempt to an
alarm, through tc.gradcheck, torch.autograd.gradcheck (if PyTorch is installed) and the recipe of
CS231n, and prints a table in Markdown. Ends with 1 if tc.gradcheck misses one or raises an alarm.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from checking.other_checkers import cs231n_error, torch_passes  # noqa: E402
from checking.planted import PLANTED  # noqa: E402
from checking.right import RIGHT  # noqa: E402

from tinycnn.checking import gradcheck  # noqa: E402

try:
    import torch
except ImportError:
    torch = None

# CS231n's own words on a relative error: "1e-4 is usually okay for objectives with kinks", without
# kinks it is too high; at "1e-7 and less you should be happy".
CS231N = {"CS231n, 1e-4": 1e-4, "CS231n, 1e-7": 1e-7}
Verdict = Callable[[Callable[..., Any], Callable[..., Any], list[np.ndarray], int], str]


def ours(forward: Any, backward: Any, arrays: list[np.ndarray], seed: int) -> str:
    report = gradcheck((forward, backward), *arrays, rng=seed)
    failed = report.problems or any(tensor.failures for tensor in report.tensors)
    return "fails" if failed else "passes" if report.ok else "undecided"


def pytorch(forward: Any, backward: Any, arrays: list[np.ndarray], seed: int) -> str:
    return "passes" if torch_passes(torch, forward, backward, arrays, seed) else "fails"


def cs231n(limit: float) -> Verdict:
    def verdict(forward: Any, backward: Any, arrays: list[np.ndarray], seed: int) -> str:
        try:
            error = cs231n_error(forward, backward, arrays, seed)
        except (AttributeError, TypeError):  # a gradient that is no array
            return "fails"
        return "passes" if error <= limit else "fails"

    return verdict


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="of each right gradient (10)")
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    checkers: dict[str, Verdict] = {"tc.gradcheck": ours}
    if torch:
        torch.set_num_threads(1)
        checkers[f"torch.autograd.gradcheck ({torch.__version__.partition('+')[0]})"] = pytorch
    checkers |= {name: cs231n(limit) for name, limit in CS231N.items()}
    bad = planted_errors(checkers, options.only)
    return int(bad + false_alarms(checkers, options.seeds, options.only) > 0)


def planted_errors(checkers: dict[str, Verdict], only: str) -> int:
    cases = [case for case in PLANTED if only in case.name]
    rows, missed = [], dict.fromkeys(checkers, 0)
    for case in cases:
        cells = []
        for name, verdict in checkers.items():
            passes = verdict(case.forward, case.backward, list(case.arrays.values()), 0) == "passes"
            missed[name] += passes
            cells.append("**missed**" if passes else "caught")
        rows.append([case.name, *cells])
    print(f"## {len(cases)} planted errors\n")
    table(["error", *checkers], [row for row in rows if "**missed**" in row])
    table(["all of them", *checkers], [["missed", *map(str, missed.values())]])
    return missed["tc.gradcheck"]


def false_alarms(checkers: dict[str, Verdict], seeds: int, only: str) -> int:
    cases = [case for case in RIGHT if only in case.name]
    rows, alarms, undecided = [], dict.fromkeys(checkers, 0), 0
    for case in cases:
        cells = []
        for name, verdict in checkers.items():
            found = []
            for seed in range(seeds):
                pair, arrays = case.draw(np.random.default_rng(seed))
                found.append(verdict(pair.forward, pair.backward, arrays, seed))
            alarms[name] += found.count("fails")
            undecided += found.count("undecided")
            cells.append(str(found.count("fails")))
        rows.append([case.name, *cells])
    print(f"## {len(cases)} right gradients, {seeds} seeds each: false alarms\n")
    table(["right", *checkers], [row for row in rows if set(row[1:]) != {"0"}])
    total = len(cases) * seeds
    shares = [f"{count} of {total}" for count in alarms.values()]
    table(["all of them", *checkers], [["false alarms", *shares]])
    print(f"tc.gradcheck ended undecided, and said why, in {undecided} of {total}.")
    return alarms["tc.gradcheck"]


def table(head: list[str], rows: list[list[str]]) -> None:
    print(f"| {' | '.join(head)} |\n| {' | '.join('---' for _ in head)} |")
    for row in rows:
        print(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |")
    print()


if __name__ == "__main__":
    sys.exit(main())
