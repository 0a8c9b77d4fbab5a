"""``tinycnn train``: a network trained on a data set, everything of it kept in a folder."""

from __future__ import annotations

import argparse
import signal
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from tinycnn import strict_json
from tinycnn.commands import sources
from tinycnn.commands.train_report import Report, ended_by_sigterm, say
from tinycnn.errors import ArgumentError, FileError, TrainingError
from tinycnn.files import code_file
from tinycnn.small_networks import SMALL
from tinycnn.validation import check_number
from tinycnn.wording import option

if TYPE_CHECKING:
    from tinycnn.runs.folder import RunFolder
    from tinycnn.runs.run import TrainingRun
    from tinycnn.runs.settings import RunSettings
    from tinycnn.training import History

_EXAMPLES = """\
examples:
  tinycnn train digits                              scikit-learn's digits, within seconds
  tinycnn train fashion-mnist --full                all 60,000 pictures, by Debian's dataset-fashion-mnist
  tinycnn train fashion-mnist --model one-tower     AlexNet itself, pictures enlarged to 227 x 227
  tinycnn train photos/ --size 96                   a folder of photographs a class
  tinycnn train photos/ --model my_net.py:net       a network of one's own
  tinycnn train --resume --out RUN                  go on with a run, to the same bits

A run's folder has settings.json, history.json, curves.png, pictures of the first filters before and after,
latest.npz and best.npz. `tinycnn eval`, `predict` and `step` take it: --model RUN. Ctrl-C finishes the step
and saves; a second one ends at once.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "train",
        help="train a network on pictures",
        description="Train a network on labelled pictures; the usual settings are those of the model.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sources.add_data(parser, otherwise="not needed with --resume --out RUN")
    parser.add_argument(
        "--model", metavar="M",
        help=f"{sources.NAMES}, FILE.py:NAME, a saved model or a RUN to begin from (default: "
        f"{sources.USUAL_MODEL} for fashion-mnist and IDX files, else small, which takes the data's size)",
    )  # fmt: skip
    parser.add_argument(
        "--size", metavar="N", type=int,
        help="of --model small: images become N x N (default: as they are stored; photographs 64)",
    )  # fmt: skip
    parser.add_argument("--out", metavar="RUN", help="the run's folder (default: DATA-M)")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")
    parser.add_argument("--json", action="store_true", help="history and test as data")
    _add_recipe(parser.add_argument_group("how it is trained"))
    machine = parser.add_argument_group("what does not change the result")
    sources.add_threads(machine)
    machine.add_argument(
        "--save-every", metavar="MINUTES", type=float, default=5.0,
        help="a checkpoint within an epoch, too (default 5)",
    )  # fmt: skip
    parser.set_defaults(run=run)


def _add_recipe(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--epochs", metavar="N", type=int)
    group.add_argument("--batch", metavar="N", type=int, help="images a step")
    group.add_argument("--rate", metavar="R", type=float, help="learning rate")
    group.add_argument("--optimizer", metavar="O", help="sgd, nesterov, adam, adamw")
    group.add_argument("--momentum", metavar="M", type=float, help="of sgd and nesterov")
    group.add_argument("--decay", metavar="D", type=float, help="weight decay; biases have none")
    group.add_argument(
        "--schedule", metavar="S",
        help="of the rate: cosine, constant, steps (divided by 10 twice), plateau (where validation stalls)",
    )  # fmt: skip
    group.add_argument(
        "--warm-up", metavar="E", type=float, help="epochs in which the rate rises at first"
    )
    group.add_argument("--smoothing", metavar="S", type=float, help="of labels")
    group.add_argument("--clip", metavar="C", type=float, help="a gradient's largest norm; 0: none")
    group.add_argument(
        "--augment", metavar="A,..", type=_names,
        help="shift, mirror, colour, or none (default: what leaves the data's classes as they are)",
    )  # fmt: skip
    group.add_argument(
        "--validation", metavar="SHARE", type=float,
        help="of the training part, where the data have no validation part (default 0.1)",
    )  # fmt: skip
    group.add_argument(
        "--patience", metavar="N", type=int,
        help="end after N epochs without a better validation loss (default 0: never)",
    )  # fmt: skip
    group.add_argument(
        "--damaged", metavar="WHAT", help="pictures that can't be read: stop (default) or skip"
    )
    group.add_argument("--seed", metavar="N", type=int, help="of weights, order, masks, parts")


def _names(text: str) -> tuple[str, ...]:
    return () if text == "none" else tuple(text.split(","))


def run(arguments: argparse.Namespace) -> int:
    """Train, print the history and how good the network is on the test part."""
    from tinycnn.runs.run import TrainingRun

    minutes = check_number(arguments.save_every, "--save-every", above=0)
    folder, settings = _planned(arguments)
    with sources.threads(arguments), sources.own_code_running(settings.model):
        work = TrainingRun(folder, settings)
        say(repr(work))
        say(f"to {str(folder.path)!r}: {_words(work.settings)}")
        return _train(work, arguments, minutes)


def _planned(arguments: argparse.Namespace) -> tuple[RunFolder, RunSettings]:
    """Where the run is to be, and its settings: those of its folder where it is gone on with."""
    from tinycnn.runs.folder import RunFolder
    from tinycnn.runs.settings import RunSettings, settings_for, settings_to_resume

    given = {each.name: getattr(arguments, each.name) for each in fields(RunSettings)}
    if arguments.data is None and not (arguments.resume and arguments.out):
        raise ArgumentError(
            "which pictures? tinycnn train DATA; to go on with a run: --resume --out RUN"
        )
    model = arguments.model or _usual_model(arguments.data)
    folder = RunFolder(arguments.out or f"{_word(arguments.data)}-{_word(model)}")
    if arguments.resume and folder.is_there:
        return folder, settings_to_resume(folder.settings(), given)
    if arguments.data is None:
        raise FileError(f"there is no run in {arguments.out!r} to go on with")
    folder.expect_new()
    given = {name: value for name, value in given.items() if name not in ("data", "model")}
    return folder, settings_for(arguments.data, model, given)


def _usual_model(data: str | None) -> str:
    """That of clothing for what is in its format; else one that takes pictures of any size."""
    from tinycnn.data.known import is_mnist_folder

    of_clothing = data == "fashion-mnist" or is_mnist_folder(Path(data or "."))
    return sources.USUAL_MODEL if of_clothing else SMALL


def _word(source: str) -> str:
    """What a data set or a model is called in a folder's name: "my_net.py:net" is net."""
    return Path(source.rpartition(":")[2] if code_file(source) else source).stem or "run"


def _words(settings: RunSettings) -> str:
    """The recipe, as its options are called; without what the line before says."""

    def shown(value: object) -> object:
        return (",".join(value) or "none") if isinstance(value, tuple) else value

    left_out = ("data", "model", "full", *(() if settings.size else ("size",)))
    recipe = (item for item in settings.to_dict().items() if item[0] not in left_out)
    return ", ".join(f"{name.replace('_', '-')} {shown(value)}" for name, value in recipe)


def _train(work: TrainingRun, arguments: argparse.Namespace, minutes: float) -> int:
    """Train, and print what came of it; or say why it ended before."""
    report = Report()
    try:
        with ended_by_sigterm(report):
            history = work.train(resume=arguments.resume, minutes=minutes, callbacks=[report])
    except KeyboardInterrupt as interrupt:
        if not interrupt.args:  # a second one, which ends at once
            raise
        say(f"stopped by Ctrl-C after {report.words(work)}")
        return 130
    except TrainingError as error:
        say(_diverged(error, work))
        return 1
    if report.is_terminated:
        say(f"stopped by SIGTERM after {report.words(work)}")
        return 128 + signal.SIGTERM
    return _finish(work, history, arguments.json)


def _diverged(error: TrainingError, work: TrainingRun) -> str:
    """What was seen, and the options to try: to go on would give the same bits, and diverge again."""
    settings = work.settings
    clip = settings.clip / 2 if settings.clip else 1.0
    tried = f"--rate {settings.rate / 2:g}, --clip {clip:g} or --warm-up {settings.warm_up + 1:g}"
    said = f"{error.what}. Begin another run, with another --out: try {tried}"
    if not work.folder.latest.exists():
        return said
    return f"{said}; {option('--model', work.folder.path)} begins from this one's best weights"


def _finish(work: TrainingRun, history: History, as_data: bool) -> int:
    """Print what came of it: the epochs, and how good the network is on pictures it has never seen."""
    test = work.evaluate()
    if as_data:
        told = {"run": str(work.folder.path), **history.to_dict(), "test": test and test.to_dict()}
        print(strict_json.dumps(told))
        return 0
    print(history)
    if test is not None:
        print(f"\nTest, the network of {work.folder.checkpoint.name}: {test}")
    if not work.folder.curves_file.exists():
        say("curves and filters are drawn by matplotlib: pip install 'tinycnn[plot]'")
    name = option("--model", work.folder.path)
    say(
        f"done; ask it by: tinycnn predict PICTURE {name}, and open its numbers by: tinycnn step {name}"
    )
    return 0
