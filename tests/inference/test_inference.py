"""The inference path gives what the recorded pass in float64 gives, whatever the chain of layers."""

import copy
import pickle
import threading
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inference_nets import BOUND, direct_net, in_float64, winograd_net, with_biases
from small_nets import IMAGE, images, whole_net
from twins import error

import tinycnn as tc
from tinycnn.inference import chain
from tinycnn.kernels import jit
from tinycnn.kernels.panels import PANEL
from tinycnn.kernels.recorded_calls import ALONE
from tinycnn.layers import AveragePool2D, Conv2D, Dense, Dropout, Flatten, MaxPool2D, ReLU, Softmax
from tinycnn.ops.packed_dense import _LARGE, PackedDense
from tinycnn.runtime import program, thread_pool
from tinycnn.runtime.balance import Balance
from tinycnn.runtime.threads import use_threads


@pytest.mark.parametrize("net", [winograd_net, direct_net])
@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_a_chain_agrees_with_float64(net, count):
    model = net()
    x = images(count, (47, 41, 3))
    assert error(model.predict(x), in_float64(model, x)) < BOUND


def test_every_kind_of_layer_takes_part():
    model, x = whole_net(), images(5)
    assert error(model.predict(x), in_float64(model, x)) < BOUND


def test_alexnet_agrees_with_float64():
    model = with_biases(tc.alexnet(variant="mini"))
    x = images(3, model.input_shape)
    assert error(model.predict(x), in_float64(model, x)) < BOUND


def drawn_layer(draw, size):
    """Any layer that images of ``size`` (height, width) can go through; none of these may be refused."""
    layers = [
        lambda: Conv2D(draw(st.integers(1, 20)), 5, padding=2, activation="relu"),
        lambda: Conv2D(draw(st.integers(1, 20)), 3, stride=2, padding=1),
        lambda: Conv2D(draw(st.integers(1, 70)), 3, padding=2, algorithm="direct"),
        ReLU,
        lambda: Dropout(0.2),
    ]
    if min(size) >= 2:  # a window of two cells, or a tile of two outputs
        layers += [
            lambda: Conv2D(draw(st.integers(1, 40)), 3, padding=1, algorithm="winograd"),
            lambda: MaxPool2D(2, stride=1),
            lambda: AveragePool2D(2, stride=1),
        ]
    return draw(st.sampled_from(layers))()


@settings(max_examples=25)
@given(st.data())
def test_drawn_chains_agree_with_float64(data):
    draw = data.draw
    H, W, C = (draw(st.integers(8, 30)), draw(st.integers(8, 30)), draw(st.integers(1, 40)))
    layers, shape = [], (H, W, C)
    for _ in range(draw(st.integers(1, 4))):
        layers.append(drawn_layer(draw, shape[:2]))
        shape = layers[-1].output_shape(shape)
    layers.append(draw(st.sampled_from([Flatten, Softmax, lambda: Dense(7)]))())
    model = with_biases(tc.Sequential(layers, (H, W, C)))
    x = images(draw(st.integers(1, 4)), (H, W, C), seed=draw(st.integers(0, 99)))
    expected = in_float64(model, x)
    assert error(model.predict(x), expected) < BOUND


def test_no_images_give_no_results():
    model = winograd_net()
    assert model.predict(np.zeros((0, 47, 41, 3))).shape == (0, 10)


def test_a_result_belongs_to_the_caller():
    model, x = winograd_net(), images(2, (47, 41, 3))
    first = model.predict(x)
    kept = first.copy()
    model.predict(images(2, (47, 41, 3), seed=1))
    np.testing.assert_array_equal(first, kept)


def test_the_bits_do_not_depend_on_threads_nor_on_the_run(monkeypatch):
    monkeypatch.setattr(chain, "LEAST_WORK", 1)  # as many threads as there may be
    model = winograd_net()
    for count in (1, 2, 7, 16):
        x = images(count, (47, 41, 3))
        results = []
        for threads in (1, 2, 3, 5, 1):
            with tc.use_threads(threads):
                results.append(model.predict(x))
        for result in results[1:]:
            np.testing.assert_array_equal(result, results[0])


def test_within_one_batch_size_an_image_does_not_depend_on_the_others():
    model, x = winograd_net(), images(12, (47, 41, 3))
    expected = model.predict(x, 12)[5]
    others = images(12, (47, 41, 3), seed=3)
    others[5] = x[5]
    others[4] = np.nan
    others[6] = 1e30
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(model.predict(others, 12)[5], expected)


def test_later_calls_of_a_shape_make_nothing_large():
    layers = [
        Conv2D(64, 3, padding=1, activation="relu"),
        Conv2D(64, 3, padding=1),
        MaxPool2D(2),
        Dense(9),
    ]
    model = tc.Sequential(layers, (64, 64, 3))
    x = images(8, model.input_shape)
    for _ in range(3):  # whatever code they need is loaded by then
        first = model.predict(x)
    tracemalloc.start()
    again = model.predict(x)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(again, first)
    assert most < 100_000  # one map alone has 8 MB


@pytest.mark.parametrize("normalized", [False, True])
def test_large_weights_are_packed_from_the_second_run_on(monkeypatch, normalized):
    """The first reads them as they lie, with the same bits, or what a batch normalisation makes of them."""
    packs = []
    pack = PackedDense.pack.__func__
    monkeypatch.setattr(
        PackedDense, "pack", classmethod(lambda cls, W, b: packs.append(W.shape) or pack(cls, W, b))
    )
    folded = [tc.layers.BatchNormalization()] if normalized else []
    layers = [Dense(2 * PANEL), *folded, Dense(9, activation="softmax")]
    model = tc.Sequential(layers, (-(-_LARGE // (8 * PANEL)),))
    x, large = images(3, model.input_shape), (model.input_shape[0], 2 * PANEL)
    for value in (1, 2):
        with model.edit() as parameters:
            parameters["dense1.b"][...] = value
        packs.clear()
        first = model.predict(x)
        assert large not in packs
        again = model.predict(x)
        assert packs.count(large) == 1
        np.testing.assert_array_equal(model.predict(x), first)
        np.testing.assert_array_equal(again, first)
        np.testing.assert_allclose(first, model.trace(x).records[-1].y, rtol=1e-4, atol=1e-6)


def test_for_a_large_batch_large_weights_are_not_packed(monkeypatch):
    """They are read as they lie, with the bits that smaller batches have of packed ones."""
    packs, F = [], PANEL + 3
    pack = PackedDense.pack.__func__
    monkeypatch.setattr("tinycnn.ops.packed_dense._LARGE", 4 * 20 * F)
    monkeypatch.setattr("tinycnn.inference.chain._CACHED", 0)  # and so they do not stay in a cache
    monkeypatch.setattr(
        PackedDense, "pack", classmethod(lambda cls, W, b: packs.append(W.shape) or pack(cls, W, b))
    )
    model = tc.Sequential([Dense(F, activation="relu"), Dense(3)], (20,))
    x = images(131, model.input_shape)
    large = [model.predict(x, batch_size=131) for _ in range(3)]
    assert packs == [(F, 3)]
    small = np.concatenate([model.predict(some) for some in (x[:7], x[7:14], x[14:131])])
    assert (20, F) in packs
    for y in large:
        np.testing.assert_array_equal(y, small)
    with model.edit() as parameters:
        parameters["dense1.W"][...] *= 2
        parameters["dense1.b"][...] *= 2
    doubled = model.predict(x, batch_size=131)
    np.testing.assert_allclose(doubled, 2 * large[0], rtol=1e-5, atol=1e-5)


def test_changed_weights_are_packed_again():
    model, x = winograd_net(), images(2, (47, 41, 3))
    before = model.predict(x)
    with model.edit() as parameters:
        parameters["conv2.W"][...] *= 2
        inside = model.predict(x)
        parameters["dense2.b"][3] += 1
    assert not np.array_equal(inside, before)
    assert error(model.predict(x), in_float64(model, x)) < BOUND


def test_copies_and_pickles_predict_the_same_and_apart():
    model, x = winograd_net(), images(2, (47, 41, 3))
    expected = model.predict(x)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(twin.predict(x), expected)
        with twin.edit() as parameters:
            parameters["dense2.b"][...] = 0
        np.testing.assert_array_equal(model.predict(x), expected)


def test_many_threads_may_predict_at_once():
    model = winograd_net()
    batches = [images(count, (47, 41, 3), seed=count) for count in (1, 2, 3, 1, 2, 3)]
    expected = [model.predict(x) for x in batches]
    found = [None] * len(batches)

    def call(place):
        for _ in range(5):
            found[place] = model.predict(batches[place])

    callers = [threading.Thread(target=call, args=(place,)) for place in range(len(batches))]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    for mine, reference in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, reference)


def test_a_layer_derived_from_ours_keeps_its_own_forward():
    class Doubled(Conv2D):
        def forward(self, params, x, context):
            y, saved = super().forward(params, x, context)
            return 2 * y, saved

    plain = tc.Sequential([Conv2D(16, 3, padding=1, name="c")], (12, 12, 16))
    doubled = tc.Sequential([Doubled(16, 3, padding=1, name="c")], (12, 12, 16))
    x = images(2, (12, 12, 16))
    assert error(doubled.predict(x), 2 * in_float64(plain, x)) < BOUND


def test_float64_goes_the_plain_way():
    model = whole_net(dtype="float64")
    x = images(3, IMAGE, dtype=np.float64)
    np.testing.assert_array_equal(model.predict(x), model.trace(x).y)


def test_helpers_that_look_for_work_share_a_run_with_the_same_bits(monkeypatch):
    """A small network, run again and again, until helpers took part in some of the runs."""
    model = tc.Sequential([tc.layers.Conv2D(8, 3, padding=1, activation="relu")], (28, 28, 1))
    x = np.random.default_rng(0).standard_normal((16, 28, 28, 1), np.float32)
    with use_threads(1):
        expected = model.predict(x)
    taken, share = [], program.run_shared

    def counted(*given):
        left = share(*given)
        taken.extend([left] * (left != ALONE))
        return left

    monkeypatch.setattr(program, "run_shared", counted)
    monkeypatch.setattr(Balance, "pays", True)
    monkeypatch.setattr(program, "_SOON", 60)
    monkeypatch.setattr(jit, "NEVER_RAISE", True)
    monkeypatch.setattr(thread_pool, "_pool", thread_pool.ThreadPool())
    with use_threads(2):
        begun = time.monotonic()
        while len(taken) < 20:
            np.testing.assert_array_equal(model.predict(x), expected)
            assert time.monotonic() - begun < 60, "no helper looks"
