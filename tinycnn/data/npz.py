"""Data sets in .npz files, as `numpy.savez` writes them: sizes compared before memory is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tinycnn.arrays import Array
from tinycnn.data.dataset import Dataset
from tinycnn.data.limits import expect_plausible
from tinycnn.errors import CheckpointError, DataError, TinyCNNError
from tinycnn.files import expect_regular
from tinycnn.saving.npz import NpzFile
from tinycnn.wording import said_or_kind


def npz(
    path: str | Path, *, images: str = "images", labels: str = "labels", classes: str = "classes"
) -> Dataset:
    """Read a data set from an .npz file: its arrays ``images``, ``labels``, and ``classes`` if there are any.

    The names are those of the file: Keras's MNIST is ``npz(path, images="x_train", labels="y_train")``.
    Images are (N, H, W) or (N, H, W, C), labels (N,) from 0 up, classes (K,) texts. Nothing is unpickled.

    Raises FileError for a file that is missing, DataError for one that is damaged, lacks an array or does not
    fit together, ShapeError and DTypeError for arrays of other axes or kinds.
    """
    path = Path(path)
    with _opened(path) as archive:
        x, y = (_array(archive, path.name, name) for name in (images, labels))
        named = classes in archive.names
        words = _array(archive, path.name, classes).astype(str).tolist() if named else ()
    return Dataset(x, y, tuple(words), path.name)


def array_names(path: Path) -> set[str]:
    """What the arrays of an .npz file are called; raises FileError and DataError as `npz` does."""
    with _opened(path) as archive:
        return archive.names


@contextmanager
def _opened(path: Path) -> Iterator[NpzFile]:
    expect_regular(path, ".npz file")
    try:
        with closing(NpzFile(path)) as archive:
            yield archive
    except CheckpointError as error:
        raise DataError(str(error)) from error
    except TinyCNNError:
        raise
    except Exception as error:  # whatever a damaged file makes zipfile and NumPy's parser raise
        raise DataError(
            f"{path.name} is no readable .npz file: {said_or_kind(error)}; numpy.savez writes one"
        ) from error


def _array(archive: NpzFile, file: str, key: str) -> Array:
    if key not in archive.names:
        there = ", ".join(sorted(archive.names)[:20]) or "none"
        raise DataError(
            f"{file} has no array {key!r}; it has {there}: say which one it is, as in npz(path, "
            f"images='x_train', labels='y_train')"
        )
    claim = archive.claim(key)
    if claim.dtype.hasobject:
        raise DataError(f"{key} in {file} holds Python objects, which are not read: save numbers")
    expect_plausible(f"{key} in {file}", claim.shape, claim.dtype.itemsize, archive.packed(key))
    claim.expect_whole(key, file)
    return archive.array(key)
