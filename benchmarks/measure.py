"""Measure, keep the results beside this file, and write docs/benchmark-results.md and README's table anew.

    python benchmarks/measure.py [PART ...] [--only-page] [--rounds 3 ...]

Each part of `tinycnn bench` in full, one after the other: an hour and a half for all of them, on a machine
that does nothing else. Options of `tinycnn bench` are handed on to it. A part's results replace its earlier
ones. README's table has the ratios in which every peer took part.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tinycnn.bench.comparison import report_of
from tinycnn.bench.parts import PARTS
from tinycnn.bench.short import in_short

HERE = Path(__file__).resolve().parent
RESULTS, DOCS = HERE / "results", HERE.parent / "docs"
README, MARKS = HERE.parent / "README.md", ("<!-- speed -->", "<!-- end of speed -->")
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
    options, handed_on = parser.parse_known_args()
    RESULTS.mkdir(exist_ok=True)
    failed = []
    for part in [] if options.only_page else options.part or PARTS:
        picture = ["--save", str(PICTURE)] if part == "layers" else []
        if bench(part, *handed_on, "--json", str(RESULTS / f"{part}.json"), *picture):
            failed.append(part)
    files = [RESULTS / f"{part}.json" for part in PARTS]
    tables = RESULTS / "page.md"
    earlier = [str(file) for file in files if file.exists()]
    bench("--from", *earlier, "--markdown", str(tables), quiet=True)
    PAGE.write_text(BEGIN + tables.read_text(encoding="utf-8"), encoding="utf-8")
    tables.unlink()
    told = README.read_text(encoding="utf-8")
    README.write_text(with_table(told, [Path(file) for file in earlier]), encoding="utf-8")
    print(f"failed: {', '.join(failed)}" if failed else f"written: {PAGE}")
    return 1 if failed else 0


def with_table(text: str, files: list[Path]) -> str:
    """README with the table of these results between its two marks."""
    report = report_of(files)
    before, _, rest = text.partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    table = in_short(report.tables).markdown().partition("\n\n")[2]  # without its heading
    machine = f"{report.machine['processor']}, {report.machine['cores']} cores"
    return f"{before}{MARKS[0]}\n{table}\n\nOn {machine}.\n{MARKS[1]}{after}"


def bench(*arguments: str, quiet: bool = False) -> int:
    command = [sys.executable, "-m", "tinycnn", "bench", *arguments]
    return subprocess.run(command, stdout=subprocess.DEVNULL if quiet else None).returncode


if __name__ == "__main__":
    sys.exit(main())
