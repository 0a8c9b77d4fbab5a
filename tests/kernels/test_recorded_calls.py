"""Recorded calls against the same calls made by the kernels' twins."""

import ctypes
import inspect
import math
from functools import partial
from threading import Thread

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import error

from tinycnn.arrays import read_only
from tinycnn.kernels import reference
from tinycnn.kernels.callers import CALLERS
from tinycnn.kernels.direct_gradient import direct_input_gradient
from tinycnn.kernels.function_pointers import address_of
from tinycnn.kernels.max_pool_maps import max_pool
from tinycnn.kernels.offers import OWN, STOP
from tinycnn.kernels.panels import PANEL
from tinycnn.kernels.recorded_calls import (
    ANY,
    COUNTERS,
    FINISHED,
    HAS_MORE,
    WAITS,
    begin,
    carry_on,
    carry_out,
    help_carry_out,
    hold,
)
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.window_convolution import window_input_gradient
from tinycnn.kernels.window_weight_gradient import window_weight_gradient
from tinycnn.ops.convolution.direct import DirectConvolution
from tinycnn.ops.convolution.grouped import GroupedConvolution
from tinycnn.ops.convolution.winograd import gradient
from tinycnn.ops.convolution.winograd.convolution import WinogradConvolution
from tinycnn.ops.convolution.winograd.maps import bordered_maps_of
from tinycnn.ops.convolution.winograd.space_to_depth import SpaceToDepth
from tinycnn.ops.convolution.winograd.tiling import tiling
from tinycnn.ops.convolution.winograd.weights import Packed
from tinycnn.ops.packed_dense import PackedDense
from tinycnn.runtime.feature_maps import NO_BORDER, FeatureMaps, aligned_zeros
from tinycnn.runtime.recording import Recorder
from tinycnn.shapes import pool_window, window
from tinycnn.testing.strategies import generators

FOREVER = 10**12
IMAGES = 40
LINE = 16  # floats of a cache line


class Memory:
    """A recorder whose slots are pieces of arrays of small numbers."""

    def __init__(self, images, rng):
        self.recorder, self.images, self.rng = Recorder(0, 0), images, rng

    def slot(self, size, *, of_images=False):
        """Numbers for a slot; ``of_images``: for each image."""
        if of_images:
            return self.recorder.zeros(size * self.images, size)
        return self.recorder.zeros(size)

    def own(self, size):
        """Numbers for a slot of each thread."""
        return self.recorder.zeros(size, of_each_thread=True)

    def tables(self, threads=1):
        """The program's tables, its slots for each thread, counters, and what all threads share."""
        program = self.recorder.program(threads)
        own = [slot.of_each_thread for slot in program.slots]
        sizes = np.array([slot.size for slot in program.slots])
        room = -(-sizes // LINE) * LINE  # each begins at a cache line
        common = aligned_zeros(room[np.logical_not(own)].sum())
        common[...] = self.rng.integers(-3, 4, common.size)
        self.kept = [aligned_zeros(room[own].sum()) for _ in range(threads)]
        slots = np.zeros((threads, len(sizes), 4), np.int64)
        slots[:, :, 1] = sizes
        slots[:, :, 2] = [slot.step for slot in program.slots]
        slots[:, :, 3] = PANEL  # as packed weights have it
        for thread in range(threads):
            for some, memory in ((np.logical_not(own), common), (own, self.kept[thread])):
                starts = np.cumsum(room[some]) - room[some]
                slots[thread, some, 0] = memory.ctypes.data + 4 * starts
        counters = np.zeros((len(program.tables[3]) - 1) * COUNTERS, np.int64)
        return program.tables, slots, counters, common


def convolution(memory, relu, filters):
    """Squares, a convolution of them, and the maximum of its outputs, for any image."""
    window = pool_window((11, 11), 5, stride=2)
    (squares,) = (some for some in SpaceToDepth.offered(window, 3) if some.kernel == 3)
    OH, OW = window.output
    conv = WinogradConvolution(squares.channels, filters, tiling(OH, 3), tiling(OW, 3))
    image = FeatureMaps.plain(memory.slot(11 * 11 * 3, of_images=True), (1, 11, 11, 3))
    shape = (1, *squares.size, squares.channels)
    stacked = FeatureMaps.bordered(memory.own, shape, NO_BORDER)
    outputs = FeatureMaps.plain(memory.own(OH * OW * filters), (1, OH, OW, filters))
    largest = FeatureMaps.plain(memory.slot(2 * 2 * filters, of_images=True), (1, 2, 2, filters))
    weights = conv.frequencies * conv.channels * conv.panels * LANES * 4
    packed = Packed(memory.slot(weights), memory.slot(conv.panels * LANES * 4))
    win = pool_window((OH, OW), 2, stride=2)

    def task(calls):
        squares.maps(calls, image, stacked, (0, squares.size[0]))
        conv.block(calls, stacked, packed, outputs, relu=relu)
        calls(
            max_pool, calls.read(outputs.flat), outputs.place, (OH, OW), 0, 2, win.kernel, win.stride,
            win.pad_top_left, win.dilation, filters, largest.flat, largest.place, (2, 2),
        )  # fmt: skip

    return memory.recorder.chain([[task]]), largest


def direct(memory, images, relu):
    """A convolution of 2 channels with two panels of filters, its windows read where they lie."""
    F = PANEL + 3
    conv = DirectConvolution(2, F, window((5, 6), (2, 3), stride=(2, 1)))
    source = FeatureMaps.plain(memory.slot(images * 60), (images, 5, 6, 2))
    target = FeatureMaps.plain(memory.slot(images * 8 * F), (images, 2, 4, F))
    packed = PackedDense(memory.slot(12 * 2 * PANEL), memory.slot(2 * PANEL))
    phases = conv.phases(
        lambda room, some, rows: (source.select(*some), []), packed, target, relu=relu
    )
    memory.recorder.record(phases)


def windows(memory, images, relu):
    """A convolution of 2 channels from weights as they are, in two parts, into maps with a border."""
    win, F = window((5, 6), (2, 3), stride=(2, 1), padding=1), LANES + 3
    source = memory.slot(images * 60)
    target = FeatureMaps.bordered(memory.slot, (images, *win.output, F), ((1, 0), (0, 2)))
    W, b = memory.slot(12 * F), memory.slot(F)
    conv = GroupedConvolution(1, win, dots=relu)
    work = conv.phase(source, (5, 6, 2), W, b, target, relu=relu, count=2)
    memory.recorder.record([work])


def grouped(memory, images, relu):
    """A convolution of groups of 3 channels and 5 filters, two vectors of these."""
    groups = 2 * LANES // 5
    C, F = 3 * groups, 5 * groups
    conv = GroupedConvolution(groups, window((4, 5), (2, 3), padding=1), dots=not relu)
    target = FeatureMaps.plain(memory.slot(images * 25 * F), (images, 5, 5, F))
    x, W, b = (memory.slot(size) for size in (images * 20 * C, 18 * F, F))
    memory.recorder.record([conv.phase(x, (4, 5, C), W, b, target, relu=relu, count=1)])


def weight_gradient(memory, images, filters):
    """Of a 3 x 3 convolution of 5 channels, by Winograd's algorithm, for images that want a border."""
    conv = WinogradConvolution(5, filters, tiling(4, 3), tiling(7, 3), (1, 1))
    x = FeatureMaps.plain(memory.slot(images * 28 * 5), (images, 4, 7, 5))
    dz = FeatureMaps.plain(memory.slot(images * 28 * filters), (images, 4, 7, filters))
    G = memory.slot(conv.rows.frequencies * 3), memory.slot(conv.columns.frequencies * 3)
    dW, source = memory.slot(9 * 5 * filters), bordered_maps_of(conv, x)
    memory.recorder.record(gradient.phases(memory.recorder, conv, source, dz, G, dW))


def direct_gradients(memory, images):
    """Of the same convolution as `windows`: dW in two parts, after some other numbers, and some of dx."""
    win, F = window((5, 6), (2, 3), stride=(2, 1), padding=1), 5
    x, dz = memory.slot(images * 60), memory.slot(images * math.prod(win.output) * F)
    dW, dx, panels = memory.slot(7 + 12 * F), memory.slot(images * 60), memory.slot(F * PANEL)
    W, by_phase = memory.slot(12 * F), memory.slot(images * 60)
    sizes = (5, 6, 2), (*win.output, F)
    steps = win.kernel, win.stride, win.pad_top_left, win.dilation

    def of_weights(calls, rows):
        read = calls.read(x), sizes[0], calls.read(dz), sizes[1]
        calls(window_weight_gradient, *read, 1, False, 0, images, *steps, *rows, dW, 7)

    def of_inputs(calls):
        calls(
            direct_input_gradient, calls.read(dz), sizes[1], panels, 0, images, 1, 1, *steps, dx, sizes[0]
        )  # fmt: skip

    def by_phases(calls):
        calls(
            window_input_gradient, calls.read(dz), sizes[1], W, 1, False, 0, images * 3, *steps, by_phase,
            sizes[0],
        )  # fmt: skip

    tasks = [partial(of_weights, rows=rows) for rows in ((0, 5), (5, 12))]
    memory.recorder.record([[*tasks, of_inputs, by_phases]])


def twin(calls, jobs, tasks, phases, slots, counters, most):
    """Every call of every task by its kernel's twin, its numbers read as the parameters say."""
    kernels = {address_of(caller): kernel for kernel, caller in CALLERS.items()}
    for phase in range(len(phases) - 1):
        for first, last, image in tasks[phases[phase] : phases[phase + 1]].tolist():
            if most == 0:
                return HAS_MORE
            counters[phase * COUNTERS] += 1
            for address, *numbers in calls[first:last].tolist():
                by_twin(kernels[address], iter(numbers), jobs, slots, image)
            counters[phase * COUNTERS + COUNTERS // 2] += 1
            most -= 1
    return FINISHED


def by_twin(kernel, numbers, jobs, slots, image):
    arguments = {}
    for parameter in inspect.signature(kernel).parameters.values():
        if parameter.name == "jobs":
            arguments["jobs"] = jobs[next(numbers) : next(numbers)]
        elif parameter.annotation == "Any":
            address, size, step, _ = slots[next(numbers)].tolist()
            floats = (ctypes.c_float * (size - step * image)).from_address(
                address + 4 * step * image
            )
            arguments[parameter.name] = np.frombuffer(floats, np.float32)
        elif parameter.annotation == "tuple[int, ...]":  # how a map is cut into tiles
            arguments[parameter.name] = tuple(next(numbers) for _ in range(7))
        elif parameter.annotation.startswith("tuple"):
            count = parameter.annotation.count("int")
            arguments[parameter.name] = tuple(next(numbers) for _ in range(count))
        elif parameter.name == "panel_row":  # found with the panels' slot
            arguments["panel_row"] = int(slots[next(numbers), 3])
        else:
            arguments[parameter.name] = next(numbers)
    if "panels" in arguments:
        K = arguments.get("K") or math.prod(arguments["kernel"]) * arguments["channels"]
        if kernel is direct_input_gradient:
            K = arguments["outputs"][2]
        arguments["panels"] = arguments["panels"].reshape(-1, K, PANEL)
    name = kernel.__name__
    if name.startswith("products_"):
        products(int(name[-1]) * LANES, **arguments)
    else:
        getattr(reference, name)(**arguments)


def products(columns, jobs, a, a_row, a_column, b, b0, b_row, c, c_row, add):
    def matrix(flat, first, rows, columns, row, column=1):
        strides = (4 * row, 4 * column)
        return np.lib.stride_tricks.as_strided(flat[first:], (rows, columns), strides)

    for rows, depth, a0, more, c0 in jobs.tolist():
        left = np.float64(matrix(a, a0, rows, depth, a_row, a_column))
        target = matrix(c, c0, rows, columns, c_row)
        target[...] = add * target + left @ matrix(b, b0 + more, depth, columns, b_row)


@settings(max_examples=15)
@given(
    st.integers(1, 3), st.integers(1, 5 * LANES), st.booleans(), st.sampled_from([0, 1, FOREVER]),
    generators,
)  # fmt: skip
def test_carry_out_is_its_twin(images, filters, relu, most, rng):
    """A chain for each image, then a dense layer in two parts; all at once or some tasks only."""
    memory = Memory(images, rng)
    chain, _ = convolution(memory, relu, filters)
    memory.recorder.phase([(chain, image) for image in range(images)])
    K, F = 7, PANEL + 3
    packed = PackedDense(memory.slot(K * 2 * PANEL), memory.slot(2 * PANEL))
    x, y = memory.slot(images * K), memory.slot(images * F)
    memory.recorder.record(packed.phases((images, K, F), x, y, relu=relu))
    direct(memory, images, relu)
    windows(memory, images, relu)
    grouped(memory, images, relu)
    weight_gradient(memory, images, filters)
    direct_gradients(memory, images)
    tables, (slots,), counters, numbers = memory.tables()
    before, expected_counters = numbers.copy(), counters.copy()
    left = carry_out(*tables, slots, counters, most, 0)
    written = numbers.copy()
    numbers[...] = before
    assert left == twin(*tables, slots, expected_counters, most)
    assert left == (FINISHED if most == FOREVER else HAS_MORE)
    np.testing.assert_array_equal(counters, expected_counters)
    assert error(written, numbers) < 1e-5


@settings(max_examples=10)
@given(st.integers(2, 4), st.integers(0, 100), generators)
def test_threads_share_the_tasks_and_wait_for_each_other(threads, spins, rng):
    """Whoever does a task: the same bits as of one thread. A dense layer reads what others wrote."""
    memory = Memory(IMAGES, rng)
    chain, maxima = convolution(memory, True, 20)
    memory.recorder.phase([(chain, image) for image in range(IMAGES)])
    K, F = 2 * 2 * 20, 5
    packed = PackedDense(memory.slot(K * PANEL), memory.slot(PANEL))
    y = memory.slot(IMAGES * F)
    memory.recorder.record(packed.phases((IMAGES, K, F), maxima.flat, y, relu=False))
    tables, slots, counters, numbers = memory.tables(threads)
    before = numbers.copy()
    assert carry_out(*tables, slots[0], counters, FOREVER, 0) == FINISHED
    alone = numbers.copy()
    numbers[...] = before
    counters[...] = 0
    finished = []

    def work(thread):
        while carry_out(*tables, slots[thread], counters, 3, spins) != FINISHED:
            pass
        finished.append(thread)

    workers = [Thread(target=work, args=(thread,), daemon=True) for thread in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sorted(finished) == list(range(threads))
    assert counters[COUNTERS // 2] == IMAGES
    np.testing.assert_array_equal(numbers, alone)


@given(st.integers(0, 100), st.integers(0, 3), generators)
def test_a_thread_that_finds_nothing_to_take_is_told_what_it_waits_for(spins, others, rng):
    """Of three tasks, ``others`` were taken and are not done; the next phase is not begun before they are."""
    memory = Memory(3, rng)
    chain, _ = convolution(memory, True, 4)
    memory.recorder.phase([(chain, image) for image in range(3)])
    direct(memory, 3, True)
    tables, (slots,), counters, _ = memory.tables()
    counters[0] = others
    left = carry_out(*tables, slots, counters, FOREVER, spins)
    assert left == (WAITS if others else FINISHED)
    assert counters[COUNTERS // 2] == 3 - others
    assert (counters[COUNTERS] > 0) == (others == 0)
    counters[COUNTERS // 2] = 3
    assert carry_out(*tables, slots, counters, FOREVER, spins) == FINISHED


@given(st.integers(2, 3), generators)
def test_a_helper_and_its_caller_carry_out_what_their_rows_say(threads, rng):
    """From addresses the same numbers as from the arrays, for whoever comes first; none if it is to stop."""
    memory = Memory(IMAGES, rng)
    chain, _ = convolution(memory, True, 20)
    memory.recorder.phase([(chain, image) for image in range(IMAGES)])
    tables, slots, counters, numbers = memory.tables(threads)
    before = numbers.copy()
    assert carry_out(*tables, slots[0], counters, FOREVER, 0) == FINISHED
    expected = numbers.copy()
    arrays = [(*tables, slots[thread], counters) for thread in range(threads)]
    rows = np.array(
        [
            [0] * OWN + [n for array in own for n in (array.ctypes.data, array.size)] + [ANY]
            for own in arrays
        ]
    )
    x, y, z = (np.zeros(size, np.float32) for size in (3, 5, 7))
    kept = slots[:, 2].copy()
    begin(read_only(x), y, rows)
    hold(read_only(z), 2, rows)
    for number, array in enumerate((x, y, z)):
        assert all(
            list(slots[t, number, :2]) == [array.ctypes.data, array.size] for t in range(threads)
        )
    slots[:, 2] = kept
    numbers[...] = before
    rows[1, STOP] = 1
    help_carry_out(rows[1], rows, rows, 0)
    assert not counters.any()
    assert carry_on(rows[0], 1, 0) == HAS_MORE
    rows[1, STOP] = 0
    help_carry_out(rows[1], rows, rows, 0)
    assert carry_on(rows[0], FOREVER, 0) == FINISHED
    np.testing.assert_array_equal(numbers, expected)
