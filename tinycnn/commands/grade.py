"""``tinycnn grade``: the files of a whole class, graded at once."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from tinycnn import strict_json
from tinycnn.errors import FileError
from tinycnn.files import expect_ending, expect_writable, write_text
from tinycnn.progress import Progress
from tinycnn.validation import check_int, check_number

if TYPE_CHECKING:
    from tinycnn.classroom.grading.marks import Mark

_EXAMPLES = """\
examples:
  tinycnn grade submissions --csv marks.csv --feedback feedback
  tinycnn grade submissions --exercise conv-backward --strict --jobs 4
  tinycnn grade /autograder/submission --gradescope /autograder/results/results.json

exit code: 0 every file passes; 1 one does not, or can't be graded; 2 bad input; 130 interrupted
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "grade",
        help="grade the exercises of a whole class",
        description="Grade filled-in exercises, each in a process of its own, which is ended with "
        "whatever it has started.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "sources", nargs="+", metavar="FILE|DIR", help="files, or folders with all that is in them"
    )
    parser.add_argument("--csv", metavar="FILE", help="write a row a file, for a spreadsheet")
    parser.add_argument("--feedback", metavar="DIR", help="write a report a file to DIR")
    parser.add_argument(
        "--gradescope",
        metavar="FILE",
        help="write Gradescope's results.json for one student's files",
    )
    parser.add_argument(
        "--exercise", metavar="NAME", help="what the files have to be (default: what each says)"
    )
    parser.add_argument(
        "--strict", action="store_true", help="fail what uses more than NumPy and Python's library"
    )
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=float, default=10.0, help="for a case (default 10)"
    )
    parser.add_argument(
        "--memory", metavar="MB", type=int, default=2048, help="for a file (default 2048)"
    )
    parser.add_argument(
        "--jobs", metavar="N", type=int, help="how many at once (default: a core each)"
    )
    parser.add_argument("--json", action="store_true", help="everything as data")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Grade, write what was asked for, and print the table; 1 unless everything passes."""
    _check(arguments)
    marks = _marks(arguments)
    _write(arguments, marks)
    good = all(mark.grade.ok for mark in marks) and bool(marks)
    if arguments.json:
        print(strict_json.dumps({"ok": good, "results": [mark.to_dict() for mark in marks]}))
    elif marks:
        _print(marks)
    return 0 if good else 1


def _check(arguments: argparse.Namespace) -> None:
    """Refuse what can't be done before any work is."""
    from tinycnn.classroom.exercises.catalogue import named
    from tinycnn.classroom.exercises.choosing import expect_hypothesis

    check_number(arguments.timeout, "--timeout", above=0, below=1e6)
    check_int(arguments.memory, "--memory", least=256)
    if arguments.jobs is not None:
        check_int(arguments.jobs, "--jobs", most=1024)
    if arguments.exercise is not None:
        named(arguments.exercise)
    for target, what, ending in (
        (arguments.csv, "a table of marks", ".csv"),
        (arguments.gradescope, "results for Gradescope", ".json"),
    ):
        if target is not None:
            expect_ending(what, target, (ending,))
            expect_writable(target)
    expect_hypothesis()


def _marks(arguments: argparse.Namespace) -> list[Mark]:
    from tinycnn.classroom.grading.judges import grade_all
    from tinycnn.classroom.grading.marks import Mark, handed_in
    from tinycnn.classroom.grading.submissions import submissions
    from tinycnn.runtime.cores import cores

    found = submissions(arguments.sources)
    if not found and arguments.gradescope is None:  # Gradescope's student has to be told
        raise FileError(f"{', '.join(map(repr, arguments.sources))} holds no Python file")
    graded = grade_all(
        [one.path for one in found],
        jobs=arguments.jobs or cores(),
        exercise=arguments.exercise,
        timeout=arguments.timeout,
        memory=arguments.memory,
        strict=arguments.strict,
    )
    marks: dict[int, Mark] = {}
    with closing(graded), Progress("grading", len(found)) as progress:
        for place, grade in graded:
            marks[place] = Mark(found[place], grade)
            progress.advance()
    return handed_in([marks[place] for place in range(len(found))])


def _write(arguments: argparse.Namespace, marks: list[Mark]) -> None:
    from tinycnn.classroom.grading.feedback import write_feedback
    from tinycnn.classroom.grading.gradescope import gradescope_results
    from tinycnn.classroom.grading.marks import marks_csv

    written = []
    if arguments.feedback is not None:
        write_feedback(arguments.feedback, marks)
        written.append(arguments.feedback)
    if arguments.csv is not None:
        write_text(arguments.csv, marks_csv(marks))
        written.append(arguments.csv)
    if arguments.gradescope is not None:
        results = gradescope_results([mark.grade for mark in marks])
        write_text(arguments.gradescope, strict_json.dumps(results, indent=2))
        written.append(arguments.gradescope)
    for name in written:
        print(f"tinycnn: wrote {name}", file=sys.stderr)


def _print(marks: list[Mark]) -> None:
    """The report of one file, the table of several."""
    from tinycnn.classroom.grading.marks import marks_table

    print(marks[0].grade if len(marks) == 1 else marks_table(marks))
