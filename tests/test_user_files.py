"""Files are written without losing anything, on disks without hard links as well."""

import errno
import os

import pytest

from tinycnn.classroom.exercises import skeleton
from tinycnn.cli import main
from tinycnn.errors import FileError
from tinycnn.files import write_text


def refuse(number):
    def link(source, target):
        raise OSError(number, os.strerror(number))

    return link


@pytest.fixture(params=[None, "EPERM", "ENOTSUP", "EMLINK", "EXDEV", "ENOSYS"])
def without_links(request, monkeypatch):
    """As on exFAT, on network folders, and where Python has no os.link."""
    if request.param is None:
        monkeypatch.delattr(os, "link")
    else:
        monkeypatch.setattr(os, "link", refuse(getattr(errno, request.param)))


def test_an_exercise_is_written(without_links, tmp_path, capsys):
    assert main(["exercise", "lrn", "-o", str(tmp_path / "lrn.py")]) == 0
    assert (tmp_path / "lrn.py").read_text(encoding="utf-8") == skeleton("lrn")
    assert [path.name for path in tmp_path.iterdir()] == ["lrn.py"]


def test_and_nothing_is_overwritten(without_links, tmp_path, capsys):
    (tmp_path / "lrn.py").write_text("my work")
    assert main(["exercise", "lrn", "-o", str(tmp_path / "lrn.py")]) == 2
    with pytest.raises(FileError, match="is there already and may hold somebody's work"):
        write_text(tmp_path / "lrn.py", "other", replace=False)
    assert (tmp_path / "lrn.py").read_text() == "my work"
    assert [path.name for path in tmp_path.iterdir()] == ["lrn.py"]


def test_what_cannot_be_written_to_its_end_is_not_there(tmp_path, monkeypatch):
    """The disk is full once the file has been made."""
    monkeypatch.delattr(os, "link")
    written = type(tmp_path).write_bytes

    def full(path, data):
        if path.name == "lrn.py" and path.parent == tmp_path:
            written(path, data[:3])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return written(path, data)

    monkeypatch.setattr(type(tmp_path), "write_bytes", full)
    with pytest.raises(FileError, match="No space left"):
        write_text(tmp_path / "lrn.py", "text", replace=False)
    assert list(tmp_path.iterdir()) == []
