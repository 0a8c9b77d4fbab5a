import gc
import threading

import numpy as np
import pytest

from tinycnn.errors import TooLargeError
from tinycnn.runtime import memory

FLOAT32 = np.dtype(np.float32)
LARGE = (3, memory.LEAST // 4)


@pytest.fixture(scope="module", autouse=True)
def _collected():
    """What other tests left in cycles is gone. With all that a run has loaded, this takes half a second."""
    gc.collect()


@pytest.fixture(autouse=True)
def _nothing_spare():
    """Each test begins without spare memory, and leaves none to others."""
    memory.release()
    yield
    memory.release()


def address(array):
    return array.ctypes.data


@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3), (64, 65), LARGE])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.bool_, np.uint8])
def test_an_array_is_as_numpys(shape, dtype):
    array = memory.empty(shape, np.dtype(dtype))
    array[...] = 1
    assert array.shape == shape and array.dtype == dtype and type(array) is np.ndarray
    assert array.flags.c_contiguous and array.flags.writeable and array.flags.aligned
    assert (array == 1).all()
    assert array.size == 0 or address(array) % 64 == 0


@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3), (64, 200), LARGE])
def test_an_output_is_as_numpys_and_a_larger_one_begins_at_a_cache_line(shape):
    array = memory.output(shape, FLOAT32)
    array[...] = 1
    assert array.shape == shape and array.dtype == FLOAT32 and type(array) is np.ndarray
    assert array.flags.carray and (array == 1).all()
    assert array.nbytes < 50_000 or address(array) % 64 == 0


@pytest.mark.parametrize("make", [memory.empty, memory.output, memory.zeros, memory.aligned])
@pytest.mark.parametrize("shape", [(0, 1 << 62, 8), (1 << 62, 8), (1 << 70,), (1 << 50,)])
def test_what_is_too_large_is_said_however_numpy_says_it(make, shape):
    """Also where nothing is to be stored: NumPy refuses axes whose product it cannot count."""
    with pytest.raises(TooLargeError, match="use less padding"):
        make(shape, FLOAT32)


def test_memory_serves_again_once_the_last_view_is_gone():
    array = memory.empty(LARGE, FLOAT32)
    first, view = address(array), array[1:, 5:].T
    del array
    other = memory.empty(LARGE, FLOAT32)
    assert address(other) != first
    del view
    assert address(memory.empty(LARGE, FLOAT32)) == first


def test_arrays_in_use_share_nothing():
    arrays = [memory.empty(LARGE, FLOAT32) for _ in range(5)]
    for number, array in enumerate(arrays):
        array[...] = number
    assert [array.min() for array in arrays] == [array.max() for array in arrays] == list(range(5))


def test_a_smaller_array_takes_the_least_that_is_large_enough():
    large, larger = (
        memory.empty((2 * memory.LEAST,), FLOAT32),
        memory.empty((3 * memory.LEAST,), FLOAT32),
    )
    place = address(large)
    del large, larger
    assert address(memory.empty((2 * memory.LEAST - 7,), FLOAT32)) == place


def test_much_memory_is_not_wasted_on_little():
    large = memory.empty((9 * memory.LEAST,), FLOAT32)
    place = address(large)
    del large
    assert address(memory.empty(LARGE, FLOAT32)) != place


def spare_bytes():
    return sum(lent.memory.nbytes for lent in memory._spare)


def test_what_nobody_wants_for_long_goes_back():
    large = memory.empty((9 * memory.LEAST,), FLOAT32)
    del large
    assert spare_bytes() > 9 * memory.LEAST
    for _ in range(200):
        memory.empty(LARGE, FLOAT32)
    assert spare_bytes() < 9 * memory.LEAST


def test_all_that_is_spare_can_be_let_go_of():
    array, other = memory.empty(LARGE, FLOAT32), memory.empty(LARGE, FLOAT32)
    array[...] = 7
    del other
    assert spare_bytes() > 0
    memory.release()
    assert spare_bytes() == 0 and (array == 7).all()


def test_arrays_begin_at_a_cache_line():
    assert address(memory.empty(LARGE, FLOAT32)) % 64 == 0


def test_threads_never_get_the_same_memory():
    clashes = []

    def work(number):
        for _ in range(200):
            array = memory.empty((memory.LEAST,), np.dtype(np.uint8))
            array[:: memory.LEAST // 8] = number
            if (array[:: memory.LEAST // 8] != number).any():
                clashes.append(number)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not clashes
