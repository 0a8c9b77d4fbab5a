"""Sequential: names, owners, parameters, predictions, threads, and copies."""

import copy
import pickle
import re
import threading

import numpy as np
import pytest
from small_nets import IMAGE, images, plain_net, whole_net

import tinycnn as tc
from tinycnn import ops
from tinycnn.errors import ArgumentError, DTypeError, ShapeError, TinyCNNError, UnknownNameError
from tinycnn.layers import (
    AveragePool2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    LocalResponseNorm,
    MaxPool2D,
    ReLU,
    Softmax,
)
from tinycnn.runtime.threads import use_threads
from tinycnn.testing.layouts import LAYOUTS, laid_out


def bits(arrays):
    """The bytes of some arrays, to be compared whole."""
    return [array.tobytes() for array in arrays]


def in_threads(count, function):
    """Call ``function(i)`` in ``count`` threads that begin together; their results."""
    together, results = threading.Barrier(count), [None] * count

    def call(i):
        together.wait(60)
        results[i] = function(i)

    threads = [threading.Thread(target=call, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


# ------------------------------------------------------------------------------- names and owners


def names(*layers, shape=(8, 8, 2)):
    return [layer.name for layer in tc.Sequential(layers, shape).layers]


def test_layers_get_names_by_kind_and_order():
    assert names(
        Conv2D(2, 3), MaxPool2D(2), Conv2D(2, 1), AveragePool2D(2), LocalResponseNorm(), ReLU(),
        Flatten(), Dense(4), Dropout(), Dense(4), Softmax(),
    ) == [
        "conv1", "pool1", "conv2", "pool2", "norm1", "relu1",
        "flatten1", "dense1", "dropout1", "dense2", "softmax1",
    ]  # fmt: skip


def test_names_given_are_kept_and_gone_round():
    assert names(Dense(2), Dense(2, name="dense1"), Dense(2)) == ["dense2", "dense1", "dense3"]
    assert names(Dense(2, name="first"), Dense(2)) == ["first", "dense1"]


def test_names_must_differ():
    with pytest.raises(ArgumentError, match="two layers are named 'a'; names must differ"):
        names(Dense(2, name="a"), Dense(2, name="b"), Dense(2, name="a"))
    first, second = Dense(2), Dense(2)
    tc.Sequential([first], (2,))
    second.name = first.name
    with pytest.raises(ArgumentError, match="two layers are named 'dense1'"):
        names(first, second)


@pytest.mark.parametrize("name", ["", "conv.1", 3, ("a",)])
def test_names_are_texts_without_dots(name):
    with pytest.raises(ArgumentError, match="a layer's name must be a text without dots, got"):
        names(Dense(2, name=name))


def test_a_layer_stands_in_one_place_only():
    layer = Dense(2)
    with pytest.raises(ArgumentError, match=r"<Dense \(unnamed\), filters=2> is already part of"):
        tc.Sequential([layer, layer], (2,))
    model = tc.Sequential([layer], (2,))
    with pytest.raises(
        ArgumentError, match=r"<Dense dense1, filters=2> is already part of a model"
    ):
        tc.Sequential([layer], (2,))
    assert model.predict(np.ones((1, 2))).shape == (1, 2)


def test_a_layer_is_free_once_its_model_is_gone():
    layer = Dense(2)
    tc.Sequential([layer], (2,))
    other = tc.Sequential([Dense(2), layer], (3,))
    assert [layer.name for layer in other.layers] == ["dense2", "dense1"]


def test_a_construction_that_failed_takes_no_layers():
    layers = [Conv2D(2, 3), Dense(4)]
    with pytest.raises(ShapeError) as failure:  # which, while it lasts, holds the failed model
        tc.Sequential(layers, (2, 2, 1))
    assert tc.Sequential(layers, (3, 3, 1)).shapes[-1] == (4,)
    del failure


def test_a_copied_layer_is_free():
    model = tc.Sequential([Dense(2)], (2,))
    for twin in (copy.deepcopy(model.layers[0]), pickle.loads(pickle.dumps(model.layers[0]))):
        assert tc.Sequential([twin], (7,)).parameter_shapes()["dense1.W"] == (7, 2)


def test_the_layers_of_a_copied_model_are_taken():
    model = copy.deepcopy(plain_net())
    with pytest.raises(ArgumentError, match="already part of a model"):
        tc.Sequential([model.layers[0]], IMAGE)


@pytest.mark.parametrize(
    ("layers", "options", "message"),
    [
        ([], {}, "a model needs at least one layer"),
        (None, {}, "layers must be a list of layers, got None"),
        (np.array(2), {}, "layers must be a list of layers, got array(2)"),
        ("ab", {}, "layers must be a list of layers, got 'ab'"),
        ([Dense(2)], {"input_shape": np.array(2)}, "as (H, W, C) or (D,), got array(2)"),
        ([Dense(2)], {"dtype": np.array([1, 1])}, "'float32', 'float64', got array([1, 1])"),
        ([Dense(2)], {"algorithm": np.array([1, 1])}, "'reference', got array([1, 1])"),
        ([Dense(2)], {"algorithm": np.array("im2col")}, "'reference', got array('im2col'"),
        ([Dense(2)], {"algorithm": ["im2col"]}, "'reference', got ['im2col']"),
        (Dense(2), {}, "layers must be a list of layers, got <Dense (unnamed), filters=2>"),
        ([Dense(2), Dense], {}, "layer 1 must be a tinycnn.layers.Layer, got <class"),
        ([Dense(2), "relu"], {}, "layer 1 must be a tinycnn.layers.Layer, got 'relu'"),
        ([Dense(2)], {"input_shape": 3}, "input_shape must be a shape such as (H, W, C) or (D,)"),
        ([Dense(2)], {"input_shape": "abc"}, "input_shape must be a shape such as"),
        ([Dense(2)], {"input_shape": (0,)}, "each size of input_shape must be at least 1, got 0"),
        ([Dense(2)], {"input_shape": (4, -1)}, "each size of input_shape must be at least 1"),
        ([Dense(2)], {"input_shape": (1.5,)}, "each size of input_shape must be an int, got 1.5"),
        ([Dense(2)], {"dtype": "float16"}, "dtype must be one of 'float32', 'float64'"),
        ([Dense(2)], {"rng": -1}, "rng must be at least 0, got -1"),
        ([Dense(2)], {"rng": 1.5}, "rng must be an int, got 1.5"),
    ],
)
def test_what_makes_no_model(layers, options, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        tc.Sequential(layers, **{"input_shape": (2,)} | options)


def test_a_model_shows_what_it_is():
    assert repr(plain_net()) == "<Sequential: 3 layers, 11 x 9 x 3 to 5>"
    assert repr(plain_net(name="mine")) == "<Sequential 'mine': 3 layers, 11 x 9 x 3 to 5>"
    assert plain_net().shapes == [(11, 9, 3), (5, 4, 4), (2, 2, 4), (5,)]


# ------------------------------------------------------------------------------------- parameters


def test_parameters_come_in_layer_order_and_cannot_be_written():
    model = plain_net()
    parameters = model.parameters()
    assert {name: view.shape for name, view in parameters.items()} == model.parameter_shapes()
    assert list(parameters) == ["conv1.W", "conv1.b", "dense1.W", "dense1.b"]
    with pytest.raises(ValueError, match="read-only"):
        parameters["conv1.W"][...] = 0
    with pytest.raises(ArgumentError, match=r"change parameters inside `with model\.edit\(\) as p"):
        parameters["conv1.W"] = 0
    with pytest.raises(UnknownNameError, match=r"no array is named 'fc9\.W'; there are conv1\.W"):
        parameters["fc9.W"]


def test_the_dict_of_shapes_is_a_copy():
    model = plain_net()
    model.parameter_shapes().clear()
    assert len(model.parameters()) == 4


def test_edits_change_predictions_and_raise_the_version():
    model, x = plain_net(), images(2)
    before, version = model.predict(x), model.version
    with model.edit() as p:
        p["dense1.W"][...] = 0
        p["dense1.b"] = [0, 0, 0, 0, 500]
    assert model.version > version
    np.testing.assert_array_equal(model.predict(x), [[0, 0, 0, 0, 1]] * 2)
    assert (before != model.predict(x)).any()
    assert list(model.parameters()["dense1.b"]) == [0, 0, 0, 0, 500]


def test_edits_that_fail_raise_the_version_too():
    model = plain_net()
    version = model.version
    with pytest.raises(ZeroDivisionError), model.edit() as p:
        p["conv1.b"][0] = 1
        raise ZeroDivisionError
    assert model.version > version


def test_edits_of_wrong_names_and_shapes_are_refused():
    model = plain_net()
    before = model.parameters().flat.copy()
    with model.edit() as p:
        with pytest.raises(ShapeError, match=r"conv1\.W must have shape \(3, 3, 3, 4\) .*got sh"):
            p["conv1.W"] = np.zeros((3, 3, 4, 3))
        with pytest.raises(DTypeError, match=r"conv1\.b must hold real numbers"):
            p["conv1.b"] = ["a", "b", "c", "d"]
        with pytest.raises(UnknownNameError, match=r"no array is named 'conv2\.W'"):
            p["conv2.W"] = 0
    np.testing.assert_array_equal(model.parameters().flat, before)


def test_edits_in_several_threads_are_all_counted():
    model = plain_net()
    with model.edit():
        pass
    raised = model.version  # by one edit

    def edit(_):
        for _ in range(50):
            with model.edit():
                pass

    in_threads(4, edit)
    assert model.version == 201 * raised


def test_the_seed_decides_what_is_drawn():
    def drawn(rng):
        return plain_net(rng=rng).parameters().flat

    np.testing.assert_array_equal(drawn(5), drawn(5))
    np.testing.assert_array_equal(drawn(np.int64(5)), drawn(5))
    assert (drawn(5) != drawn(6)).any()
    assert (drawn(None) != drawn(None)).any()
    seeded = [drawn(np.random.default_rng(5)) for _ in range(2)]
    np.testing.assert_array_equal(*seeded)
    generator = np.random.default_rng(5)
    assert (drawn(generator) != drawn(generator)).any()


def test_a_generator_gives_its_draw_at_construction():
    generator = np.random.default_rng(5)
    model = plain_net(rng=generator)
    generator.random(9)  # what others draw meanwhile changes nothing
    expected = plain_net(rng=np.random.default_rng(5)).parameters().flat
    np.testing.assert_array_equal(model.parameters().flat, expected)


def test_layers_are_drawn_apart():
    model = tc.Sequential(
        [Dense(6), Dense(6), Dense(6, bias_initializer=tc.initializers.He())], (6,)
    )
    drawn = [tuple(model.parameters()[f"dense{i}.W"].ravel()) for i in (1, 2, 3)]
    assert len({*drawn}) == 3
    assert model.parameters()["dense3.b"].any()


def test_threads_change_no_draw(monkeypatch):
    monkeypatch.setattr(tc.initializers, "_CHUNK", 20)
    drawn = []
    for threads in (1, 2, 3, 8):
        with use_threads(threads):
            drawn.append(plain_net(rng=3).parameters().flat)
    assert len(set(bits(drawn))) == 1


def test_global_random_numbers_are_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    model = whole_net(rng=None)
    model.trace(images(2), training=True).backward(labels=[0, 1])
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_an_initializer_that_fails_leaves_the_model_undrawn():
    failures = [ZeroDivisionError, ZeroDivisionError]

    def fail_twice(out, rng):
        if failures:
            raise failures.pop()
        out[...] = 1

    model = tc.Sequential([Dense(2, weight_initializer=fail_twice)], (2,))
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            model.predict(np.ones((1, 2)))
    np.testing.assert_array_equal(model.predict(np.ones((1, 2))), [[2, 2]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_model_computes_in_its_dtype(dtype):
    model = whole_net(dtype=dtype)
    trace = model.trace(images(2, dtype=np.float64))
    trace.backward(labels=[0, 1])
    assert model.parameters().flat.dtype == dtype
    assert model.predict(images(2)).dtype == dtype
    assert {record.y.dtype for record in trace.records} == {np.dtype(dtype)}
    assert {record.dx.dtype for record in trace.records} == {np.dtype(dtype)}
    assert {g.dtype for r in trace.records for g in r.grads.values()} == {np.dtype(dtype)}


# ------------------------------------------------------------------------------------- prediction


def test_predictions_are_the_layers_one_after_another():
    model, x = plain_net(dtype="float64"), images(3, dtype=np.float64)
    p = model.parameters()
    z = ops.conv2d(x, p["conv1.W"], p["conv1.b"], stride=2, activation="relu")
    pooled, _ = ops.max_pool2d(z, 2)
    expected = ops.dense(pooled, p["dense1.W"], p["dense1.b"], activation="softmax")
    np.testing.assert_array_equal(model.predict(x), expected)


def test_predictions_are_the_traces():
    model, x = whole_net(), images(7)
    whole = model.trace(x).y
    # Other algorithms, packed weights, other batches: nearly the same numbers.
    for batch_size in (1, 2, 3, 7, 100):
        predicted = model.predict(x, batch_size=batch_size)
        np.testing.assert_allclose(predicted, whole, rtol=0, atol=1e-6)
        np.testing.assert_array_equal(model.predict(x, batch_size=batch_size), predicted)


def test_a_prediction_may_be_written_to_and_leaves_the_next_alone():
    model, x = plain_net(), images(2)
    first = model.predict(x)
    expected = first.copy()
    first[...] = 0
    np.testing.assert_array_equal(model.predict(x), expected)


def test_no_images_give_no_predictions():
    for model in (plain_net(), whole_net()):
        assert model.predict(images(0)).shape == (0, 5)
        assert model.predict(images(0)).dtype == np.float32


@pytest.mark.parametrize("batch_size", [0, -1, 1.5, None])
def test_a_bad_batch_size(batch_size):
    with pytest.raises(ArgumentError, match="batch_size must be"):
        plain_net().predict(images(1), batch_size=batch_size)


@pytest.mark.parametrize("method", ["predict", "trace"])
@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (
            np.zeros((2, 9, 11, 3)),
            ShapeError,
            "x must have shape (N, 11, 9, 3), a batch of inputs 11 x 9 x 3, got shape (2, 9, 11, 3)",
        ),
        (np.zeros((11, 9, 3)), ShapeError, "got shape (11, 9, 3); for one input, pass x[None]"),
        (np.zeros((2, 3, 11, 9)), ShapeError, "channels come last here, pass x.transpose(0, 2, 3,"),
        (np.zeros((2, 11, 9, 4)), ShapeError, "got shape (2, 11, 9, 4)"),
        (np.zeros((2, 11, 9)), ShapeError, "got shape (2, 11, 9)"),
        (np.float32(1), ShapeError, "x must have the axes (N, ...), got shape ()"),
        (np.zeros((1, *IMAGE), complex), DTypeError, "x must hold real numbers, got dtype complex"),
        (np.full((1, *IMAGE), "a"), DTypeError, "x must hold real numbers, got dtype <U1"),
        (np.full((1, *IMAGE), None), DTypeError, "x must hold real numbers, got dtype object"),
        ([[1, 2], [3]], ShapeError, "x must be an array or lists of equal lengths"),
    ],
)
def test_inputs_that_do_not_fit(method, x, error, message):
    with pytest.raises(error, match=re.escape(message)):
        getattr(plain_net(), method)(x)


def test_one_vector_is_no_batch_either():
    model = tc.Sequential([Dense(2)], (3,))
    with pytest.raises(TinyCNNError, match=re.escape("for one input, pass x[None]")):
        model.predict(np.ones(3))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_inputs_may_lie_in_memory_as_they_like_and_are_not_written_to(layout, dtype):
    model = whole_net(dtype=dtype)
    plain = images(2, dtype=dtype)
    expected = model.predict(plain)
    x = laid_out(plain, layout)
    before = x.tobytes()
    np.testing.assert_array_equal(model.predict(x), expected)
    trace = model.trace(x, training=True, rng=0)
    trace.backward(labels=[0, 1], keep=True)
    assert x.tobytes() == before


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e6])
def test_what_one_image_holds_stays_in_that_image(value):
    for model in (plain_net(), tc.alexnet(10, variant="mini")):
        x = images(4, model.input_shape)
        expected = model.predict(x)
        x[2, 3, 4] = value
        with np.errstate(all="ignore"):
            y = model.predict(x)
        np.testing.assert_array_equal(y[[0, 1, 3]], expected[[0, 1, 3]])
        assert (y[2] != expected[2]).any()
        assert np.isnan(y[2]).all() or np.isfinite(value)


# ------------------------------------------------------------------------- threads, the same bits


def passes(model, x):
    """The bits of a forward and a backward pass, every record and gradient."""
    trace = model.trace(x, training=True, rng=5)
    gradients = trace.backward(labels=np.arange(len(x)), keep=True)
    records = [array for r in trace.records for array in (r.y, r.dx)]
    return bits([*records, gradients.flat])


def test_passes_have_the_same_bits_for_every_number_of_threads():
    model = tc.alexnet(10, variant="mini", rng=1)
    x = images(2, model.input_shape)
    with use_threads(1):
        expected = passes(model, x)
    for threads in (1, 2, 3, 8):
        with use_threads(threads):
            assert passes(model, x) == expected


@pytest.mark.parametrize("variant", ["mini", None])
def test_several_threads_predict_what_one_does(variant):
    def fresh():
        return whole_net(rng=1) if variant is None else tc.alexnet(10, variant=variant, rng=1)

    x = images(6, fresh().input_shape)
    expected = [fresh().predict(x[: i + 1], batch_size=2).tobytes() for i in range(6)]
    model = fresh()  # its weights are not drawn yet: all threads ask for them at once
    predicted = in_threads(6, lambda i: model.predict(x[: i + 1], batch_size=2).tobytes())
    assert predicted == expected


def test_several_threads_trace_what_one_does():
    model = whole_net(rng=1)
    x = [images(2, seed=i) for i in range(4)]
    expected = [passes(model, batch) for batch in x]
    assert in_threads(4, lambda i: passes(model, x[i])) == expected


def test_threads_that_train_models_of_their_own_do_not_disturb_each_other():
    def train(seed):
        model = plain_net(rng=seed)
        optimizer = tc.optimizers.SGD(model)
        for step in range(3):
            trace = model.trace(images(4, seed=step), training=True, rng=step)
            optimizer.step(trace.backward(labels=[0, 1, 2, 3]))
        return model.parameters().flat.tobytes()

    assert in_threads(4, train) == [train(seed) for seed in range(4)]


# ------------------------------------------------------------------------------ copies and pickles

copies = pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, copy.copy, lambda model: pickle.loads(pickle.dumps(model))],
    ids=["deepcopy", "copy", "pickle"],
)


@copies
@pytest.mark.parametrize("drawn", [False, True])
def test_a_copy_goes_its_own_way(copied, drawn):
    model, x = plain_net(rng=2), images(2)
    if drawn:
        with model.edit() as p:
            p["conv1.b"] = [1, 2, 3, 4]
    twin = copied(model)
    expected = model.predict(x)
    np.testing.assert_array_equal(twin.predict(x), expected)
    assert twin.version == model.version
    with twin.edit() as p:
        p["dense1.W"][...] = 0
        p["dense1.b"][...] = 0
    np.testing.assert_array_equal(twin.predict(x), np.full((2, 5), 0.2, np.float32))
    np.testing.assert_array_equal(model.predict(x), expected)
    assert twin.version > model.version
    # The views are still one memory with the buffer that an optimizer updates.
    tc.optimizers.SGD(twin, rate=0.5).step(twin.trace(x).backward(labels=[0, 1]))
    parts = [view.ravel() for view in twin.parameters().values()]
    np.testing.assert_array_equal(np.concatenate(parts), twin.parameters().flat)
    assert twin.parameters()["dense1.b"].any()


@copies
def test_a_copy_of_a_model_with_every_layer_trains_as_the_original(copied):
    model = whole_net(rng=2)
    assert passes(copied(model), images(2)) == passes(model, images(2))


def test_an_optimizer_copied_with_its_model_stays_with_it():
    model = plain_net()
    optimizer = tc.optimizers.SGD(model)
    x = images(2)
    optimizer.step(model.trace(x).backward(labels=[0, 1]))
    twin, twins_optimizer = pickle.loads(pickle.dumps((model, optimizer)))
    assert twins_optimizer.model is twin
    for one, its_optimizer in ((model, optimizer), (twin, twins_optimizer)):
        its_optimizer.step(one.trace(x).backward(labels=[0, 1]))
    np.testing.assert_array_equal(twin.parameters().flat, model.parameters().flat)
