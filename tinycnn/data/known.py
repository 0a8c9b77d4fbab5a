"""Data sets by name: scikit-learn's digits and Fashion-MNIST, none of them downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np

from tinycnn.data.dataset import Dataset
from tinycnn.data.idx import read_idx
from tinycnn.errors import DataError, FileError, MissingExtraError
from tinycnn.files import is_folder
from tinycnn.validation import check_choice

FASHION_CLASSES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
# Where Debian's and Ubuntu's package dataset-fashion-mnist puts the full set.
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
_PREFIXES = {"train": "train", "test": "t10k"}


def digits() -> Dataset:
    """scikit-learn's 1,797 handwritten digits, (N, 8, 8, 1) uint8 from 0 to 16 (extra ``sklearn``).

    Source: Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository,
    1998 (CC BY 4.0); the part for tests. Raises MissingExtraError without scikit-learn.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingExtraError(
            "the digits come with scikit-learn: pip install 'tinycnn[sklearn]'; fashion_mnist() needs nothing"
        ) from error
    found = load_digits()
    return Dataset(found.images.astype(np.uint8), found.target, title="digits")


def fashion_mnist(
    part: str = "train", *, full: bool = False, folder: str | Path | None = None
) -> Dataset:
    """Fashion-MNIST: articles of clothing of ten classes, (N, 28, 28, 1) uint8.

    The package brings the first 240 pictures of each class of the ``part`` "train", and the first 100 of
    "test" (MIT licence). ``full``: all 60,000 and 10,000, read from the four IDX files as they are published,
    compressed or not, in ``folder``; without a ``folder``, from Debian's package (``apt install
    dataset-fashion-mnist``), where it is installed. A ``folder`` alone asks for the full set, too.

    Source: Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning
    algorithms", 2017. Raises FileError where the full set is not found, DataError where its files are
    damaged, ArgumentError for another part.
    """
    check_choice(part, tuple(_PREFIXES), "part")
    if folder is None and not full:
        with resources.as_file(resources.files("tinycnn.data") / "fashion-mnist") as place:
            title = f"Fashion-MNIST, some of the {part} pictures"
            return _dataset(place, part, FASHION_CLASSES, title)
    if folder is None and not DEBIAN.is_dir():
        raise FileError(
            f"the full Fashion-MNIST is not in {DEBIAN}, where Debian's and Ubuntu's `apt install "
            f"dataset-fashion-mnist` puts it; elsewhere get its four IDX files and name their folder, as in "
            f"fashion_mnist({part!r}, folder=...). Nothing is downloaded; without full=True some pictures "
            f"come with the package"
        )
    return _dataset(Path(folder or DEBIAN), part, FASHION_CLASSES, f"Fashion-MNIST, {part}")


def mnist_folder(
    folder: str | Path, part: str = "train", *, classes: Sequence[str] = ()
) -> Dataset:
    """Read ``part`` "train" or "test" of a set in four IDX files, named as those of MNIST are.

    They are ``train-images-idx3-ubyte`` and ``train-labels-idx1-ubyte``, ``t10k-images-idx3-ubyte`` and
    ``t10k-labels-idx1-ubyte``, with ``.gz`` or without; a full stop before ``idx`` is as good. So are MNIST,
    KMNIST and Fashion-MNIST published. ``classes`` are names, in the order of the labels.

    Raises FileError where ``folder`` lacks them, DataError where they are damaged, ArgumentError for another
    part.
    """
    check_choice(part, tuple(_PREFIXES), "part")
    return _dataset(Path(folder), part, tuple(classes), f"{Path(folder).name}, {part}")


def is_mnist_folder(folder: Path, part: str = "train") -> bool:
    """Whether `mnist_folder` finds images of ``part`` there."""
    return is_folder(folder) and any(folder.glob(f"{_PREFIXES[part]}-images[-.]idx3-ubyte*"))


def idx(
    images: str | Path,
    labels: str | Path,
    *,
    classes: Sequence[str] = (),
    title: str | None = None,
) -> Dataset:
    """Read a data set from two IDX files: ``images`` (N, H, W) or (N, H, W, C), ``labels`` (N,).

    `read_idx` has the format. ``classes`` are names, in the order of the labels; ``title`` says what it is.
    Raises FileError for a missing file, DataError for damaged ones and for other axes.
    """
    x, y = read_idx(images), read_idx(labels)
    if x.ndim not in (3, 4) or y.ndim != 1:
        swapped = x.ndim == 1 and y.ndim in (3, 4)
        raise DataError(
            f"images must have the axes (N, H, W) or (N, H, W, C), and labels (N,), but {Path(images).name} "
            f"has shape {x.shape} and {Path(labels).name} {y.shape}" + "; swap them" * swapped
        )
    return Dataset(x, y, tuple(classes), title or Path(images).name)


def _dataset(place: Path, part: str, classes: tuple[str, ...], title: str) -> Dataset:
    files = [_found(place, f"{_PREFIXES[part]}-{what}") for what in ("images", "labels")]
    return idx(*files, classes=classes, title=title)


def _found(place: Path, start: str) -> Path:
    for between in ("-", "."):
        axes = 3 if start.endswith("images") else 1
        for ending in ("", ".gz"):
            path = place / f"{start}{between}idx{axes}-ubyte{ending}"
            if path.exists():
                return path
    raise FileError(
        f"there is no {start}-idx{axes}-ubyte, with .gz or without, in the folder {str(place)!r}"
    )
