"""A file takes an old one's place once it is on the disk; what fails on the way leaves the old one."""

import errno
import os
from pathlib import Path

import pytest
from small_nets import plain_net

from tinycnn import files
from tinycnn.errors import CheckpointError, FileError


@pytest.fixture
def events(monkeypatch):
    """What happens on the disk, in order; "fsync FILE" as often as one is forced to it."""
    seen = []
    fsync, replace = os.fsync, Path.replace

    def recorded_fsync(opened):
        fsync(opened)
        seen.append(f"fsync {Path(f'/proc/self/fd/{opened}').readlink().name}")

    def recorded_replace(path, target):
        seen.append("replace")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(Path, "replace", recorded_replace)
    return seen


@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_the_file_is_on_the_disk_then_takes_its_place_then_the_folder_is(tmp_path, events, ending):
    plain_net().save(tmp_path / f"m{ending}")
    assert events[-3:] == [f"fsync m{ending}", "replace", f"fsync {tmp_path.name}"]


def test_texts_are_written_the_same_way(tmp_path, events):
    files.write_text(tmp_path / "a.txt", "words")
    assert events == ["fsync a.txt", "replace", f"fsync {tmp_path.name}"]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_disk_that_is_full_or_fails_leaves_the_old_file(tmp_path, monkeypatch, failing):
    path = tmp_path / "m.npz"
    plain_net(rng=1).save(path)
    before = path.read_bytes()

    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(*((os, "fsync") if failing == "fsync" else (Path, "replace")), full)
    with pytest.raises(
        CheckpointError, match=r"m\.npz' cannot be written: No space left on device"
    ):
        plain_net(rng=2).save(path)
    with pytest.raises(FileError, match="cannot be written: No space left on device"):
        files.write_text(tmp_path / "a.txt", "words")
    assert path.read_bytes() == before and [*tmp_path.iterdir()] == [path]
