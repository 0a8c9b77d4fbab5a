"""``tinycnn predict``: what a network takes pictures for."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinycnn import strict_json
from tinycnn.commands import sources, step_options
from tinycnn.errors import FileError
from tinycnn.files import is_folder
from tinycnn.tables import text_table
from tinycnn.validation import check_int

if TYPE_CHECKING:
    from tinycnn.runs.networks import Network
    from tinycnn.runs.recognition import Answer, Recognition

_EXAMPLES = """\
examples:
  tinycnn predict ankle-boot                        one of the ten pictures that come with tinycnn
  tinycnn predict my.png --model RUN                a picture of one's own, a network of one's own
  tinycnn predict photos/ --model RUN --json        all pictures of a folder, as data
  tinycnn predict cat.jpg --model net.npz --classes names.txt
                                                    classes by names that the network does not know
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "predict",
        help="what a network takes pictures for",
        description="Ask a network what it takes pictures for: the likeliest classes, with probabilities.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "pictures", metavar="IMAGE", nargs="+",
        help="pictures, .npy files, folders of them, or the names of bundled ones",
    )  # fmt: skip
    sources.add_model(parser)
    sources.add_classes(parser)
    parser.add_argument(
        "--top", metavar="N", type=int, default=5, help="how many classes (default 5)"
    )
    step_options.add_scaling(parser)
    sources.add_threads(parser)
    parser.add_argument("--json", action="store_true", help="everything as data")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what each picture is taken for; 1 if some could not be read."""
    top = check_int(arguments.top, "--top")
    files = list(_files(arguments.pictures))
    with sources.threads(arguments), sources.own_code_running(arguments.model):
        network = sources.network(arguments)
        found = _recognise(network, files, arguments, top)
    if not found.answers:
        raise FileError("no picture is left that could be read")
    if arguments.json:
        print(strict_json.dumps(_data(arguments.model, found)))
    else:
        print(_text(found))
    return 1 if found.left_out else 0


def _files(named: list[str]) -> Iterator[Path]:
    """The files that are named, and those in the folders that are."""
    from tinycnn.data.folder import pictures_in

    for each in map(Path, named):
        if not is_folder(each):
            yield each
            continue
        inside = sorted(pictures_in(each))
        if not inside:
            raise FileError(f"the folder {str(each)!r} has no pictures")
        yield from inside


def _recognise(
    network: Network, files: list[Path], arguments: argparse.Namespace, top: int
) -> Recognition:
    from tinycnn.explain.pictures import picture
    from tinycnn.explain.pictures.as_trained import way_of
    from tinycnn.runs.class_names import read_class_names
    from tinycnn.runs.recognition import recognise

    shape, way = network.model.input_shape, way_of(network, step_options.scaling(arguments))
    names = arguments.classes and read_class_names(arguments.classes, network.model.shapes[-1][0])
    return recognise(
        network, files, lambda file: picture.load(file, shape, way).x[0], top=top, classes=names
    )


def _data(model: str, found: Recognition) -> dict[str, Any]:
    return {
        "model": model,
        "pictures": [
            {"picture": str(file), "answers": [asdict(each) for each in answers]}
            for file, answers in found.answers.items()
        ],
        "left_out": [{"picture": str(file), "why": why} for file, why in found.left_out.items()],
    }


def _text(found: Recognition) -> str:
    """Of one picture all answers, a line each; of several a row each, with the two likeliest."""
    if len(found.answers) == 1:
        ((file, answers),) = found.answers.items()
        return "\n".join([f"{file}: {answers[0]}", *(f"  {_p(each)}  {each}" for each in answers)])
    rows = [
        [str(file), *(word for each in answers[:2] for word in (str(each), _p(each)))]
        for file, answers in found.answers.items()
    ]
    head = ["picture", "taken for", "p", "or", "p"][: len(rows[0])]
    return text_table(head, rows, 0)


def _p(answer: Answer) -> str:
    return f"{answer.probability:.4f}"
