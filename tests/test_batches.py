"""predict converts a batch at a time, whatever is handed in, and refuses before any work."""

import re
import tracemalloc

import numpy as np
import pytest
from small_nets import IMAGE, images, plain_net
from test_edits import Times

import tinycnn as tc
from tinycnn.errors import DTypeError, ShapeError, TinyCNNError
from tinycnn.layers import Conv2D, Dense
from tinycnn.runtime.threads import use_threads
from tinycnn.testing.layouts import LAYOUTS, laid_out

COUNT = 960
WHOLE = COUNT * 11 * 9 * 3 * 4  # bytes of all images in float32


def in_file(array, folder):
    np.save(folder / "x.npy", array)
    return np.load(folder / "x.npy", mmap_mode="r")


WAYS = {
    **{layout: lambda x, _, layout=layout: laid_out(np.float64(x), layout) for layout in LAYOUTS},
    "uint8": lambda x, _: np.uint8(x),
    "float16": lambda x, _: np.float16(x),
    "bool": lambda x, _: x > 0,
    "a mapped file": lambda x, folder: in_file(np.uint8(x), folder),
    "a mapped file in Fortran order": lambda x, folder: in_file(np.asfortranarray(x), folder),
    "a list of arrays": lambda x, _: list(np.float64(x)),
    "a tuple of mapped files": lambda x, folder: tuple(in_file(np.uint8(x), folder)),
    "lists of lists": lambda x, _: np.float64(x).tolist(),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_predict_grows_by_a_batch(way, tmp_path):
    model = plain_net()
    plain = np.float32(np.random.default_rng(0).integers(0, 256, (COUNT, *IMAGE)))
    x = way(plain, tmp_path)
    with use_threads(1):
        expected = model.predict(np.array(x, np.float32))
    with use_threads(1):  # with more, threads that come late still hold blocks of past batches
        tracemalloc.start()
        y = model.predict(x)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    np.testing.assert_array_equal(y, expected)
    assert most < WHOLE / 4


@pytest.mark.parametrize("batch_size", [1, 3, 8, 1000])
def test_lists_and_arrays_are_cut_alike(batch_size):
    model, x = plain_net(), images(8)
    expected = model.predict(x, batch_size=batch_size)
    np.testing.assert_array_equal(model.predict(list(x), batch_size=batch_size), expected)
    np.testing.assert_array_equal(model.predict(x.tolist(), batch_size=batch_size), expected)


BAD = {
    "a row too long": ([*np.zeros((7, 3)), np.zeros(4)], ShapeError, "x must be an array or lists of"),
    "all too long": ([np.zeros(4)] * 8, ShapeError, "got shape (8, 4)"),
    "a text": ([[0.0] * 3] * 7 + [["a", "b", "c"]], DTypeError, "x must hold real numbers, got dtype <U"),
    "nothing": ([[0.0] * 3] * 7 + [None], TinyCNNError, "x must"),
    "masked": ([[0.0] * 3] * 7 + [[0.0, np.ma.masked, 0.0]], DTypeError, "x has masked cells"),
    "one input": ([0.0] * 3, ShapeError, "for one input, pass x[None]"),
    "complex": (np.zeros((8, 3), complex), DTypeError, "got dtype complex128"),
    "another shape": (np.zeros((8, 4)), ShapeError, "got shape (8, 4)"),
    "masked at the end": (
        np.ma.array(np.zeros((8, 3)), mask=[[False] * 3] * 7 + [[True] * 3]),
        DTypeError,
        "x has masked cells",
    ),
}  # fmt: skip


@pytest.mark.parametrize("batch_size", [1, 2, 32])
@pytest.mark.parametrize(("x", "kind", "message"), BAD.values(), ids=BAD)
def test_refusals_come_before_any_work(x, kind, message, batch_size):
    layer = Times()
    model = tc.Sequential([layer], (3,))
    with pytest.raises(kind, match=re.escape(message)):
        model.predict(x, batch_size=batch_size)
    assert layer.calls == 0


def test_no_images_in_a_list_are_no_batch():
    with pytest.raises(ShapeError, match=re.escape("got shape (0,)")):
        tc.Sequential([Conv2D(2, 3), Dense(2)], IMAGE).predict([])
