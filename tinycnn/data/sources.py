"""A data set by one word, a name or a path: its parts, and what its pictures may be turned into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tinycnn.data.dataset import Dataset
from tinycnn.data.folder import folder, part_folders
from tinycnn.data.known import digits, fashion_mnist, is_mnist_folder, mnist_folder
from tinycnn.data.npz import array_names, npz
from tinycnn.errors import ArgumentError, DataError, FileError
from tinycnn.files import is_folder
from tinycnn.validation import check_number

NAMES = ("digits", "fashion-mnist")
"""The data sets that `read` knows by name."""

_HELD_OUT = 0.2  # of a set that its authors have not cut into parts


@dataclass(frozen=True)
class Parts:
    """The parts of a data set: ``train``, and ``validation`` and ``test`` where it has them, else None.

    ``mirrors`` says that a picture's mirror image is one of its class as well, as it is not of a digit.
    """

    train: Dataset
    test: Dataset | None = None
    validation: Dataset | None = None
    mirrors: bool = False

    def held_out(self, share: float, seed: int) -> tuple[Dataset, Dataset | None]:
        """The training part, and that for validation: its own, or a ``share`` of the first, by ``seed``.

        None for a share of 0. Raises ArgumentError for a share that is not below 1, or leaves a class out.
        """
        share = check_number(share, "the share for validation", below=1)
        if self.validation is not None or not share:
            return self.train, self.validation
        train, validation = self.train.split(1 - share, share, rng=seed)
        return train, validation


def read(
    source: str | Path,
    *,
    full: bool = False,
    size: int | tuple[int, int] = 224,
    channels: int = 3,
) -> Parts:
    """Read the data set ``source``, with whatever parts it has.

    - "digits": scikit-learn's, a fifth of them for tests, always the same;
    - "fashion-mnist": what comes with the package, or with ``full`` all 70,000 pictures, see `fashion_mnist`;
    - a folder of four IDX files, as `mnist_folder` reads it;
    - a folder with a folder of pictures for each class, or with folders ``train``, ``test``, ``validation``
      of these; each picture becomes ``size`` (H, W) with so many ``channels``, see `folder`;
    - an .npz file with arrays ``images`` and ``labels``, or ``x_train``, ``y_train``, ``x_test``, ``y_test``.

    Raises FileError for what is not there, DataError for what is damaged or fits nothing of this, and
    ArgumentError for ``full`` with anything but Fashion-MNIST.
    """
    name = str(source)
    if full and name != "fashion-mnist":
        raise ArgumentError(f"the full set is Fashion-MNIST's; of {name!r} all is read anyway")
    if name == "digits":
        train, test = digits().split(1 - _HELD_OUT, _HELD_OUT)
        return Parts(train, test)
    if name == "fashion-mnist":
        train, test = (fashion_mnist(part, full=full) for part in ("train", "test"))
        return Parts(train, test, mirrors=True)
    path = Path(source)
    if path.suffix.lower() == ".npz":
        return _of_arrays(path)
    if is_mnist_folder(path):
        train = mnist_folder(path)
        if not is_mnist_folder(path, "test"):
            return Parts(train)
        return Parts(train, named_as(train.classes, mnist_folder(path, "test")))
    if not is_folder(path):
        raise FileError(
            f"there is no data set {name!r}: give {' or '.join(NAMES)}, an .npz file, a folder of IDX files "
            f"(train-images-idx3-ubyte and so on), or a folder that has a folder of pictures for each class"
        )
    return _of_folders(path, lambda place: folder(place, size, channels=channels))


def _of_arrays(path: Path) -> Parts:
    names = array_names(path)
    if not {"x_train", "y_train"} <= names:
        return Parts(npz(path))
    train = npz(path, images="x_train", labels="y_train")
    if not {"x_test", "y_test"} <= names:
        return Parts(train)
    return Parts(train, named_as(train.classes, npz(path, images="x_test", labels="y_test")))


def _of_folders(path: Path, reader: Callable[[Path], Dataset]) -> Parts:
    places = part_folders(path)
    if not places:
        return Parts(reader(path), mirrors=True)
    if "train" not in places:
        raise DataError(
            f"{str(path)!r} has the parts {', '.join(places)}, and none to train on: name one of them, as in "
            f"{str(next(iter(places.values())))!r}"
        )
    train = reader(places["train"])
    others = {
        name: replace(named_as(train.classes, reader(place)), title=f"{path.name}, {name}")
        for name, place in places.items()
        if name != "train"
    }
    return Parts(
        replace(train, title=f"{path.name}, train"), others.get("test"), others.get("validation"),
        mirrors=True,
    )  # fmt: skip


def named_as(classes: tuple[str, ...], data: Dataset) -> Dataset:
    """``data`` with the labels that its classes have among ``classes``, by their names: it may lack some.

    Raises DataError where it has others.
    """
    unknown = [name for name in data.classes if name not in classes]
    if unknown:
        raise DataError(
            f"{data.title} has the class {unknown[0]!r}, which is none of those trained on: "
            f"{', '.join(classes[:20])}"
        )
    places = np.array([classes.index(name) for name in data.classes])
    return replace(data, labels=places[data.labels], classes=classes)
