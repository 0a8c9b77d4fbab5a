"""Measure, keep the results beside this file, and write docs/benchmark-results.md anew.

    python benchmarks/measure.py [PART ...] [--only-page]

Each part of `tinycnn bench` in full, one after the other: half an hour for all of them, on a machine that
does nothing else. A part's results replace its earlier ones.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tinycnn.bench.parts import PARTS

HERE = Path(__file__).resolve().parent
RESULTS, DOCS = HERE / "results", HERE.parent / "docs"
PAGE, PICTURE = DOCS / "benchmark-results.md", DOCS / "roofline.svg"
BEGIN = f"""# Benchmark results

Made by `python benchmarks/measure.py`, which keeps the numbers in `benchmarks/results`. What they mean, and
how to measure on your machine, is in [benchmarks](benchmarks.md).

![The layers of AlexNet under the roofs of memory and processor]({PICTURE.name})

"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="*", help=", ".join(PARTS))
    parser.add_argument("--only-page", action="store_true", help="measure nothing, write the page")
    options = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    failed = []
    for part in [] if options.only_page else options.part or PARTS:
        picture = ["--save", str(PICTURE)] if part == "layers" else []
        if bench(part, "--json", str(RESULTS / f"{part}.json"), *picture):
            failed.append(part)
    files = [RESULTS / f"{part}.json" for part in PARTS]
    tables = RESULTS / "page.md"
    earlier = [str(file) for file in files if file.exists()]
    bench("--from", *earlier, "--markdown", str(tables), quiet=True)
    PAGE.write_text(BEGIN + tables.read_text(encoding="utf-8"), encoding="utf-8")
    tables.unlink()
    print(f"failed: {', '.join(failed)}" if failed else f"written: {PAGE}")
    return 1 if failed else 0


def bench(*arguments: str, quiet: bool = False) -> int:
    command = [sys.executable, "-m", "tinycnn", "bench", *arguments]
    return subprocess.run(command, stdout=subprocess.DEVNULL if quiet else None).returncode


if __name__ == "__main__":
    sys.exit(main())
