"""The ten pictures that come with the package: which they are, and how they are asked for."""

from pathlib import Path

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.errors import FileError
from tinycnn.pictures import bundled, pixels


def test_each_is_the_first_of_its_class_among_the_test_pictures(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)  # they are read without Pillow
    test = tc.data.fashion_mnist("test")
    assert tuple(map(bundled.name_of, test.classes)) == bundled.NAMES
    for label, name in enumerate(bundled.NAMES):
        first = test.images[test.labels.tolist().index(label)]
        found = pixels.read(Path(name))
        np.testing.assert_array_equal(found.values, first)
        assert found.notes == (bundled.NOTE,)


def test_a_file_of_that_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("bag").write_bytes(b"no picture")
    with pytest.raises(FileError, match="bag is not a picture"):
        pixels.read(Path("bag"))
    with pytest.raises(FileError) as caught:
        pixels.read(Path("bags"))
    assert str(caught.value) == (
        "there is no picture 'bags'; those that come by name are t-shirt-top, trouser, pullover, dress, "
        "coat, sandal, shirt, sneaker, bag, ankle-boot"
    )
