"""Kernels are compiled while no garbage is collected, and after that it is collected as before."""

import gc

import pytest
from numba.core.errors import TypingError

from tinycnn.kernels.jit import kernel


@kernel
def twice(x):
    return 2.0 * x


@pytest.fixture(params=[True, False], ids=["collecting", "not collecting"])
def collects(request):
    if not request.param:
        gc.disable()
    yield request.param
    gc.enable()


def test_garbage_is_collected_after_a_compilation_as_before(collects):
    @kernel
    def thrice_twice(x):
        return 3.0 * twice(x)

    assert thrice_twice(7.0) == 42.0
    assert gc.isenabled() == collects


def test_garbage_is_collected_after_one_that_failed(collects):
    @kernel
    def wrong(x):
        return twice(x) + "1"

    with pytest.raises((TypingError, TypeError)):
        wrong(1.0)
    assert gc.isenabled() == collects
