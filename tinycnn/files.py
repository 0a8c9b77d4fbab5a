"""Files of users: what may be read, and what is written without losing anything."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tinycnn.errors import FileError, TinyCNNError
from tinycnn.wording import said_or_kind

MODEL_ENDINGS = (".npz", ".safetensors")
_BESIDE = ".tinycnn-"  # how the folders begin that hold what is being written


def code_file(source: str) -> str:
    """The file of "FILE.py:NAME", which names somebody's own code; "" for any other text."""
    return source.rpartition(":")[0] if ".py:" in source else ""


def is_model_file(source: str) -> bool:
    """Whether a name is that of a model's file, by its ending."""
    return Path(source).suffix.lower() in MODEL_ENDINGS


def is_there(path: Path) -> bool:
    """Whether anything has this name; nothing has one that the system takes for none, as one too long."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether a folder has this name; see `is_there`."""
    return is_there(path) and path.is_dir()


def expect_regular(path: Path, what: str) -> int:
    """The size in bytes of a file that can be read to its end; ``what`` it is stands in the error.

    Raises FileError for what is missing, and for folders, devices and pipes, which may never end.
    """
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise FileError(f"there is no {what} {str(path)!r}") from error
    except (OSError, ValueError) as error:
        raise FileError(f"{what} {str(path)!r} cannot be read: {reason(error)}") from error
    if stat.S_ISDIR(status.st_mode):
        raise FileError(f"{str(path)!r} is a folder, not a {what}")
    if not stat.S_ISREG(status.st_mode):
        raise FileError(f"{str(path)!r} is a device or a pipe, not a {what}: give a regular file")
    return status.st_size


def expect_ending(what: str, target: str | Path, endings: Sequence[str], remedy: str = "") -> None:
    """Raise FileError where a name ends otherwise; "" among ``endings`` allows one without any.

    A capital is as good as a small letter.
    """
    if Path(target).suffix.lower() not in endings:
        *first, last = filter(None, endings)
        names = f"{', '.join(first)} or {last}" if first else last
        raise FileError(f"{what} is {names}, got {str(target)!r}{remedy}")


def expect_writable(target: str | Path, *, replace: bool = True) -> None:
    """Raise FileError where `beside` would fail, so that no work is done in vain."""
    path = Path(target)
    with _writing(target):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            raise FileError(f"{str(target)!r} cannot be written: it is no regular file")
        if path.exists() and not replace:
            raise FileExistsError
        with tempfile.TemporaryFile(dir=path.parent):
            pass


def make_folder(target: str | Path) -> None:
    """Make a folder, and those that it lies in; FileError where that fails, or a file has its name."""
    try:
        Path(target).mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise FileError(f"{str(target)!r} is a file: give the name of a folder") from error
    except (OSError, ValueError) as error:
        raise FileError(f"{str(target)!r} cannot be made: {reason(error)}") from error


def write_text(target: str | Path, text: str, *, replace: bool = True) -> None:
    """Write UTF-8, or raise FileError; without ``replace`` also where a file is already."""
    with beside(target, replace=replace) as path:
        path.write_text(text, encoding="utf-8", newline="\n")


@contextmanager
def beside(target: str | Path, *, replace: bool = True) -> Iterator[Path]:
    """Give a path beside ``target`` to write to, which is then put in its place: nothing is lost.

    It is on the disk before it takes the place, so that a crash at any moment leaves the old file or the
    new one, whole; a process that is killed leaves a hidden folder as well, for `sweep`.

    Raises FileError where that fails; without ``replace`` also where a file has come to be.
    """
    path = Path(target)
    with _writing(target), tempfile.TemporaryDirectory(dir=path.parent, prefix=_BESIDE) as folder:
        written = Path(folder) / path.name
        yield written
        _flush(written, os.O_RDWR)
        if replace:
            written.replace(path)
        else:
            _put(written, path)
        if os.name == "posix":  # elsewhere no folder can be opened
            _flush(path.parent, os.O_RDONLY)


def _flush(path: Path, mode: int) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    opened = os.open(path, mode)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def sweep(folder: Path) -> None:
    """Remove what `beside` left in a folder where a process was killed; nobody may be writing there."""
    for left in folder.glob(f"{_BESIDE}*"):
        shutil.rmtree(left, ignore_errors=True)


def _put(written: Path, path: Path) -> None:
    """Put a file where none may be yet: as a second name of it, or as a copy where a disk has no such."""
    try:
        os.link(written, path)
    except FileExistsError:
        raise
    except (AttributeError, OSError):  # no os.link; exFAT, some network folders
        path.touch(exist_ok=False)
        try:
            path.write_bytes(written.read_bytes())
        except BaseException:
            path.unlink()
            raise


@contextmanager
def _writing(target: str | Path) -> Iterator[None]:
    try:
        yield
    except TinyCNNError:
        raise
    except FileExistsError as error:
        raise FileError(
            f"{str(target)!r} is there already and may hold somebody's work: give another name, or "
            f"move it away"
        ) from error
    except (OSError, ValueError) as error:
        raise FileError(f"{str(target)!r} cannot be written: {reason(error)}") from error


def shown(name: str) -> str:
    """A file's name as text that can be written anywhere, whatever bytes it is made of."""
    return os.fsencode(name).decode("utf-8", "replace")


def reason(error: Exception) -> str:
    """Why a file cannot be read or written, without its name."""
    return (isinstance(error, OSError) and error.strerror) or said_or_kind(error)
