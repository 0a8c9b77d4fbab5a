"""Checkpoints: all that a run goes on from comes back bit for bit."""

import math

import numpy as np
import pytest
from small_nets import Scale, images, plain_net
from training_runs import Run, net

import tinycnn as tc
from tinycnn import checkpoints
from tinycnn.errors import ArgumentError, CheckpointError, UnknownNameError
from tinycnn.layers import Dense

each_ending = pytest.mark.parametrize("ending", [".npz", ".safetensors"])
KINDS = (np.random.MT19937, np.random.PCG64, np.random.PCG64DXSM, np.random.Philox, np.random.SFC64)


@each_ending
def test_a_resumed_run_ends_in_the_same_bits(tmp_path, ending):
    whole, stopped = Run(net()), Run(net())
    whole.train(7)
    stopped.train(3)
    path = tmp_path / f"c{ending}"
    checkpoints.save(path, stopped.optimizer.model, **stopped.parts())
    resumed = Run.resumed(checkpoints.load(path))
    resumed.train(4)
    assert resumed.step == whole.step and resumed.optimizer.rate == whole.optimizer.rate
    for name, array in whole.optimizer.model.arrays().items():
        np.testing.assert_array_equal(resumed.optimizer.model.arrays()[name], array)
    np.testing.assert_array_equal(
        resumed.optimizer.velocities.flat, whole.optimizer.velocities.flat
    )
    stopped.train(4)  # saving changed nothing
    np.testing.assert_array_equal(
        stopped.optimizer.model.parameters().flat, whole.optimizer.model.parameters().flat
    )


@each_ending
def test_numbers_texts_and_arrays_come_back_as_they_were(tmp_path, ending):
    rng = np.random.default_rng(0)
    tree = {
        "none": None, "yes": True, "no": np.bool_(False), "text": "ä\n\"", "large": 2**127,
        "whole": np.int64(-7), "third": 1 / 3, "single": np.float32(0.1), "infinite": [math.inf, -math.inf],
        "nested": [[], {}, [{"a": 1}]],
        "arrays": {
            "bytes": np.arange(5, dtype=np.uint8), "bits": np.array([True, False]), "scalar": np.array(3.5),
            "none": np.empty((0, 3)), "large": rng.integers(2**64, size=9, dtype=np.uint64),
            "half": np.float16([1.5]),
            "turned": np.asfortranarray(rng.random((3, 4))), "part": rng.random((6, 6))[::2, 1::3],
            "big": np.arange(4, dtype=">i4"), "nan": np.array([np.nan, -0.0]),
        },
    }  # fmt: skip
    checkpoints.save(tmp_path / f"c{ending}", plain_net(), tree=tree, pair=(1, 2))
    parts = checkpoints.load(tmp_path / f"c{ending}").parts
    assert parts["pair"] == [1, 2]
    arrays, expected = parts["tree"].pop("arrays"), tree.pop("arrays")
    assert parts["tree"] == tree
    assert {name: type(parts["tree"][name]) for name in ("no", "whole", "single")} == {
        "no": bool, "whole": int, "single": float,
    }  # fmt: skip
    assert arrays.keys() == expected.keys()
    for name, array in expected.items():
        assert arrays[name].shape == array.shape and arrays[name].dtype == array.dtype.newbyteorder(
            "="
        )
        np.testing.assert_array_equal(arrays[name], array)
    assert np.signbit(arrays["nan"][1])
    assert math.isnan(checkpoints.load(tmp_path / f"c{ending}").parts.get("missing", math.nan))


@each_ending
@pytest.mark.parametrize("kind", KINDS)
def test_a_generator_goes_on_where_it_was(tmp_path, ending, kind):
    rng = np.random.Generator(kind(5))
    rng.random(7)
    rng.integers(2**31, dtype=np.uint32)  # half of a draw is kept for the next
    rng.spawn(2)
    checkpoints.save(tmp_path / f"c{ending}", plain_net(), rng=rng)
    other = checkpoints.load(tmp_path / f"c{ending}").parts["rng"]
    for draw in (
        lambda g: g.integers(2**31, size=3, dtype=np.uint32),
        lambda g: g.standard_normal(5),
        lambda g: g.spawn(1)[0].random(3),
    ):
        np.testing.assert_array_equal(draw(other), draw(rng))


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"f": print}, r"\.a/f is a builtin_function_or_method; a checkpoint holds numbers"),
        ([1, {1: 2}], r"\.a/1 has the key 1: keys are texts"),
        ({"$array": "x"}, r"\.a has the key '\$array'"),
        (np.array([object()]), r"\.a is an ndarray"),
        (np.zeros(2, np.longdouble), r"\.a is an ndarray"),
        (1j, r"\.a is a complex"),
    ],
)
def test_what_a_checkpoint_cannot_hold_is_refused(tmp_path, part, words):
    with pytest.raises(ArgumentError, match=words):
        checkpoints.save(tmp_path / "c.npz", plain_net(), a=part)
    assert [*tmp_path.iterdir()] == []


@each_ending
def test_a_checkpoint_is_a_model_and_weights_too(tmp_path, ending):
    run, path = Run(net()), tmp_path / f"c{ending}"
    run.train(2)
    checkpoints.save(path, run.optimizer.model, **run.parts())
    x, other = images(3), net()
    other.load_weights(path)
    for model in (tc.load(path), other):
        np.testing.assert_array_equal(model.predict(x), run.optimizer.model.predict(x))
    run.optimizer.model.save(path)
    assert checkpoints.load(path).parts == {}


def test_a_model_with_layers_of_ones_own_is_given(tmp_path):
    def own():
        return tc.Sequential([Scale(), Dense(3)], (4,), rng=None)

    source, target = own(), own()
    checkpoints.save(tmp_path / "c.npz", source, epoch=3)
    with pytest.raises(CheckpointError, match="code of your own"):
        checkpoints.load(tmp_path / "c.npz")
    loaded = checkpoints.load(tmp_path / "c.npz", target)
    assert loaded.model is target and loaded.parts == {"epoch": 3}
    np.testing.assert_array_equal(target.parameters().flat, source.parameters().flat)


@each_ending
def test_a_damaged_part_leaves_the_model_as_it_was(tmp_path, ending):
    path = tmp_path / f"c{ending}"
    marked = np.full(1000, 7.25)
    checkpoints.save(path, plain_net(rng=1), velocities=marked)
    content = bytearray(path.read_bytes())
    content[content.index(marked.tobytes()[:64]) + 8] ^= 1
    path.write_bytes(content)
    model = plain_net(rng=2)
    before = model.parameters().flat.copy()
    with pytest.raises(CheckpointError):
        checkpoints.load(path, model)
    np.testing.assert_array_equal(model.parameters().flat, before)
    model.load_weights(path)  # which are whole
    np.testing.assert_array_equal(model.parameters().flat, plain_net(rng=1).parameters().flat)


@each_ending
def test_arrays_whose_ways_look_the_same_are_kept_apart(tmp_path, ending):
    one, two, three = np.ones(2), np.zeros(3), np.arange(4)
    tree = {"a/b": {"c": one}, "a": {"b/c": two, "b": {"c": three}}}
    checkpoints.save(tmp_path / f"c{ending}", plain_net(), tree=tree)
    saved = checkpoints.load(tmp_path / f"c{ending}").parts["tree"]
    np.testing.assert_array_equal(saved["a/b"]["c"], one)
    np.testing.assert_array_equal(saved["a"]["b/c"], two)
    np.testing.assert_array_equal(saved["a"]["b"]["c"], three)


@each_ending
def test_what_could_not_be_read_again_is_not_written(tmp_path, ending):
    history = ["x" * (1 << 20)] * 15
    checkpoints.save(tmp_path / f"c{ending}", plain_net(), history=history)
    assert checkpoints.load(tmp_path / f"c{ending}").parts["history"] == history
    with pytest.raises(CheckpointError, match="at most 16,777,216 are read again: keep long lists"):
        checkpoints.save(tmp_path / f"c{ending}", plain_net(), history=[*history, *history])


def test_arrays_of_others_are_no_checkpoint(tmp_path):
    np.savez(tmp_path / "w.npz", **plain_net().parameters())
    with pytest.raises(CheckpointError, match="is no checkpoint: it holds arrays alone"):
        checkpoints.load(tmp_path / "w.npz")


class Counter:
    """What keeps a state, as an optimizer does: arrays and numbers, or numbers alone."""

    def __init__(self, with_arrays):
        self.count, self.sums = 0, np.zeros(3) if with_arrays else None
        if with_arrays:
            self.state_arrays = lambda: {"sums": self.sums}

    def state_numbers(self):
        return {"count": self.count}

    def load_state(self, numbers, arrays=None):
        self.count = numbers["count"]
        self.sums = None if arrays is None else arrays["sums"]


@each_ending
def test_what_keeps_a_state_gives_it_and_takes_it_back(tmp_path, ending):
    both, alone = Counter(True), Counter(False)
    both.count, alone.count = 3, 4
    both.sums += [0.1, -np.inf, 5]
    checkpoints.save(tmp_path / f"c{ending}", plain_net(), optimizer=both, schedule=alone, epoch=1)
    saved = checkpoints.load(tmp_path / f"c{ending}")
    new, other = Counter(True), Counter(False)
    saved.restore(optimizer=new, schedule=other)
    assert (new.count, other.count, other.sums) == (3, 4, None)
    np.testing.assert_array_equal(new.sums, both.sums)
    with pytest.raises(UnknownNameError, match="no part 'x'; it has optimizer, schedule, epoch"):
        saved.restore(x=new)


# -------------------------------------------------------------------------------------- folder


@each_ending
def test_a_folder_keeps_the_latest_and_the_best(tmp_path, ending):
    folder = checkpoints.Folder(tmp_path / "runs" / "one", ending=ending)
    assert not folder.latest.exists() and not folder.best.exists()
    scores = [0.5, 0.7, 0.7, math.nan, 0.6]
    assert [folder.save(plain_net(rng=i), score=s, i=i) for i, s in enumerate(scores)] == [
        True, True, True, False, False,
    ]  # fmt: skip
    again = checkpoints.Folder(tmp_path / "runs" / "one", ending=ending)
    assert checkpoints.load(again.latest).parts == {"score": 0.6, "i": 4}
    best = checkpoints.load(again.best)
    assert best.parts == {"score": 0.7, "i": 2}
    np.testing.assert_array_equal(best.model.parameters().flat, plain_net(rng=2).parameters().flat)
    assert not again.save(plain_net(), score=0.69)
    assert again.save(plain_net(), score=0.8)
    assert not again.save(plain_net())


def test_a_folder_is_swept_of_what_was_half_written(tmp_path):
    left = tmp_path / ".tinycnn-abc"
    left.mkdir()
    (left / "latest.npz").write_bytes(b"half")
    (tmp_path / "mine.txt").touch()
    checkpoints.Folder(tmp_path)
    assert [*tmp_path.iterdir()] == [tmp_path / "mine.txt"]


def test_a_folder_that_cannot_be_made_or_is_damaged(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "run", "/proc/run"):
        with pytest.raises(CheckpointError, match="cannot be made"):
            checkpoints.Folder(path)
    (tmp_path / "best.npz").write_bytes(b"no zip")
    with pytest.raises(CheckpointError, match=r"best\.npz is not an undamaged"):
        checkpoints.Folder(tmp_path)
    with pytest.raises(ArgumentError, match="ending must be one of"):
        checkpoints.Folder(tmp_path, ending=".pt")
