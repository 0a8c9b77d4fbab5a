"""Pillow's warnings are ignored while pictures are read, those of others never, and nothing stays behind."""

import logging
import threading
import warnings

import numpy as np
import pytest
from PIL import Image

from tinycnn.pictures import pixels
from tinycnn.pictures.silence import silence


def warn_as(module):
    warnings.warn_explicit("beware", UserWarning, "file.py", 1, module=module)


def test_pillow_is_silent_and_others_are_heard():
    with silence():
        warn_as("PIL.Image")
        warn_as("tinycnn.pictures.pixels")
        for other in ("PILlars", "tinycnn.data.batches", "__main__"):
            with pytest.raises(UserWarning):
                warn_as(other)
    with pytest.raises(UserWarning):
        warn_as("PIL.Image")


def test_blocks_of_two_threads_may_overlap():
    """The second begins within the first and ends after it."""
    before = list(warnings.filters)
    began, ended = threading.Event(), threading.Event()

    def second():
        with silence():
            began.set()
            assert ended.wait(60)

    with silence():
        thread = threading.Thread(target=second)
        thread.start()
        assert began.wait(60)
    warn_as("PIL.Image")  # the other still reads
    ended.set()
    thread.join()
    assert warnings.filters == before


def test_a_block_that_raises_leaves_nothing_behind():
    before = list(warnings.filters)
    with pytest.raises(ZeroDivisionError), silence():
        1 / 0  # noqa: B018
    assert warnings.filters == before


def test_many_pictures_leave_no_more_behind_than_one(tmp_path):
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / "a.png")
    pixels.read(tmp_path / "a.png")
    filters, handlers = list(warnings.filters), list(logging.getLogger("PIL").handlers)
    for _ in range(5):
        pixels.read(tmp_path / "a.png")
    assert (warnings.filters, logging.getLogger("PIL").handlers) == (filters, handlers)
