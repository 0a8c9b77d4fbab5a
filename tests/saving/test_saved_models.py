"""Models in files: what is loaded computes the same, and what is no such file harms nothing."""

import json
import os
import pickle
import random
import struct
import subprocess
import sys
import tempfile
import zipfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from small_nets import IMAGE, images, plain_net, whole_net, without_dense_maps

import tinycnn as tc
from tinycnn.errors import (
    ArgumentError,
    CheckpointError,
    DTypeError,
    MissingExtraError,
    ShapeError,
    TinyCNNError,
    UnknownNameError,
)
from tinycnn.layers import Activation, Conv2D, Dense, Layer

ENDINGS = (".npz", ".safetensors")
each_ending = pytest.mark.parametrize("ending", ENDINGS)


def trained(model, steps=3):
    """The model after some steps, so that its running statistics are its own."""
    optimizer, rng = tc.optimizers.SGD(model, rate=0.01), np.random.default_rng(0)
    for _ in range(steps):
        trace = model.trace(images(4), training=True, rng=rng)
        optimizer.step(trace.backward(labels=[0, 1, 2, 3]))
    return model


def every_built_in_layer():
    """With options that are not the usual ones, wherever a layer has some."""
    layers = tc.layers
    return [
        Conv2D(4, (3, 2), stride=(1, 2), padding=((1, 0), (2, 1)), dilation=(2, 1), name="first"),
        layers.BatchNormalization(momentum=0.8, epsilon=1e-5),
        layers.ReLU(),
        Conv2D(6, 3, padding="same", groups=2, bias=False, algorithm="direct", activation="relu"),
        layers.LocalResponseNorm(size=3, alpha=0.1, beta=0.5, k=1.5, alpha_over_size=True),
        layers.MaxPool2D((3, 2), stride=1, padding=1, ceil_mode=True),
        layers.AveragePool2D(2, stride=1, padding=(1, 0), count_include_pad=False),
        layers.Dropout(0.25),
        layers.GlobalAveragePool2D(),
        layers.Flatten(),
        Dense(7, activation="relu", bias=False),
        Dense(5),
        layers.Softmax(),
    ]


def test_every_built_in_layer_is_in_the_test():
    kinds = {type(layer).__name__ for layer in every_built_in_layer()}
    offered = {name for name in tc.layers.__all__ if isinstance(getattr(tc.layers, name), type)
               and issubclass(getattr(tc.layers, name), Layer)}  # fmt: skip
    assert kinds == offered - {"Layer"}


@each_ending
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_loaded_computes_the_same(tmp_path, ending, dtype):
    model = tc.Sequential(
        every_built_in_layer(), IMAGE, rng=3, dtype=dtype, algorithm="im2col", name="mine"
    )
    trained(model).save(tmp_path / f"m{ending}")
    loaded = tc.load(tmp_path / f"m{ending}")
    assert str(loaded.summary()) == str(model.summary())
    assert [repr(layer) for layer in loaded.layers] == [repr(layer) for layer in model.layers]
    assert (loaded.name, loaded.dtype, loaded.algorithm) == ("mine", dtype, "im2col")
    assert loaded.shapes == model.shapes
    assert {**loaded.arrays()}.keys() == {**model.arrays()}.keys()
    for name, array in model.arrays().items():
        np.testing.assert_array_equal(loaded.arrays()[name], array)
    x = images(5, seed=9)
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    one, two = (m.trace(x, training=True, rng=4).backward(labels=[0] * 5) for m in (loaded, model))
    np.testing.assert_array_equal(one.flat, two.flat)


@pytest.mark.parametrize("variant", ["mini"])
def test_alexnet_is_loaded_with_its_name(tmp_path, variant):
    model = tc.alexnet(variant=variant, classes=7)
    model.save(tmp_path / "a.npz")
    loaded = tc.load(tmp_path / "a.npz")
    assert str(loaded.summary()) == str(model.summary())
    np.testing.assert_array_equal(loaded.parameters().flat, model.parameters().flat)


def test_the_same_model_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        plain_net().save(tmp_path / f"{name}.npz")
    one, two = ((tmp_path / f"{name}.npz").read_bytes() for name in ("a", "b"))
    assert one == two


def test_files_are_read_by_numpy_and_by_safetensors_themselves(tmp_path):
    from safetensors.numpy import load_file

    model = trained(tc.Sequential(without_dense_maps(), IMAGE))
    model.save(tmp_path / "m.npz")
    model.save(tmp_path / "m.safetensors")
    with np.load(tmp_path / "m.npz", allow_pickle=False) as theirs:
        for name, array in model.arrays().items():
            np.testing.assert_array_equal(theirs[name], array)
    theirs = load_file(tmp_path / "m.safetensors")
    assert theirs.keys() == model.arrays().keys()
    for name, array in model.arrays().items():
        np.testing.assert_array_equal(theirs[name], array)


@each_ending
def test_a_whole_model_is_a_file_of_weights_too(tmp_path, ending):
    source = trained(tc.Sequential(without_dense_maps(), IMAGE, rng=1))
    source.save(tmp_path / f"m{ending}")
    target = tc.Sequential(without_dense_maps(), IMAGE, rng=2)
    target.load_weights(tmp_path / f"m{ending}")
    for name, array in source.arrays().items():
        np.testing.assert_array_equal(target.arrays()[name], array)


def test_running_statistics_belong_to_the_weights(tmp_path):
    model = tc.Sequential(without_dense_maps(), IMAGE)
    np.savez(tmp_path / "w.npz", **model.parameters())
    with pytest.raises(CheckpointError, match=r"it lacks batchnorm1\.mean, batchnorm1\.variance;"):
        model.load_weights(tmp_path / "w.npz")
    np.savez(tmp_path / "w.npz", **trained(model).arrays())
    other = tc.Sequential(without_dense_maps(), IMAGE, rng=1)
    other.load_weights(tmp_path / "w.npz")
    np.testing.assert_array_equal(other.predict(images(2)), model.predict(images(2)))


def test_what_is_held_of_the_parameters_sees_what_is_loaded():
    model, other = plain_net(rng=1), plain_net(rng=2)
    held, trace = model.parameters()["conv1.W"], model.trace(images(1))
    version = model.version
    model.load_weights(other.arrays())
    np.testing.assert_array_equal(held, other.parameters()["conv1.W"])
    assert model.version > version
    with pytest.raises(tc.errors.StaleTraceError):
        trace.backward(labels=[0])
    with pytest.raises(ArgumentError, match="is read-only here"):
        model.parameters()["conv1.W"] = 0


def test_nothing_is_drawn_for_a_model_that_is_loaded(tmp_path):
    plain_net().save(tmp_path / "m.npz")

    def never(out, rng):
        raise AssertionError("drawn in vain")

    layers = [Conv2D(4, 3, stride=2, activation="relu", weight_initializer=never),
              tc.layers.MaxPool2D(2), Dense(5, activation="softmax")]  # fmt: skip
    model = tc.Sequential(layers, IMAGE)
    model.load_weights(tmp_path / "m.npz")
    np.testing.assert_array_equal(model.parameters().flat, plain_net().parameters().flat)


# ------------------------------------------------------------------------------ arrays by name


def test_arrays_by_name_may_be_lists_and_whole_numbers():
    model = tc.Sequential([Dense(2)], (3,))
    model.load_weights({"dense1.b": [1, 2], "dense1.W": [[1, 2], [3, 4], [5, 6.5]]})
    np.testing.assert_array_equal(model.predict([[1, 0, 2]]), [[12, 17]])


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"fc.W": None}, UnknownNameError, "it lacks dense1.W and has unknown fc.W; it must hold"),
        ({"dense1.W": np.ones((2, 3))}, ShapeError, r"dense1.W must have shape \(3, 2\)"),
        ({"dense1.W": np.ones((3, 2)) * 1j}, DTypeError, "dense1.W must hold real numbers"),
        (
            {"dense1.W": np.full((3, 2), 1e200)},
            CheckpointError,
            "dense1.W holds 1e\\+200, too large",
        ),
    ],
)
def test_arrays_that_do_not_fit_leave_the_model_as_it_was(change, error, words):
    model = tc.Sequential([Dense(2)], (3,))
    before = model.parameters().flat.copy()
    arrays = {"dense1.b": [1, 2], **change}
    with pytest.raises(error, match=words):
        model.load_weights(arrays)
    np.testing.assert_array_equal(model.parameters().flat, before)
    with pytest.raises(ArgumentError, match="takes a file's name or arrays by name, got a list"):
        model.load_weights([1, 2])


# ------------------------------------------------------------------------- layers of one's own


class Wave(Activation):
    name = "wave"

    def forward(self, z):
        return np.sin(z)

    def backward(self, dy, y):
        return dy * np.sqrt(1 - y * y)


class Wider(Conv2D):
    """A subclass may compute anything."""


@each_ending
def test_a_network_with_layers_of_ones_own_is_built_and_takes_its_weights(tmp_path, ending):
    path = tmp_path / f"m{ending}"
    source = trained(whole_net(rng=1))
    source.save(path)
    with pytest.raises(
        CheckpointError, match=r"code of your own, scale1 \(Scale\).* load_weights\("
    ):
        tc.load(path)
    target = whole_net(rng=2)
    target.load_weights(path)
    np.testing.assert_array_equal(target.predict(images(3)), source.predict(images(3)))


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (Wider(2, 3), r"layer1|conv1 \(Wider\)"),
        (Dense(2, activation=Wave()), r"the activation of dense1 \(Wave\)"),
    ],
)
def test_what_looks_built_in_and_is_not_is_named(tmp_path, layer, words):
    tc.Sequential([layer], IMAGE).save(tmp_path / "m.npz")
    with pytest.raises(CheckpointError, match=words):
        tc.load(tmp_path / "m.npz")


def test_a_layer_whose_forward_was_replaced_is_ones_own(tmp_path):
    model = tc.Sequential([Dense(2)], (3,))
    model.layers[0].forward = lambda params, x, context: (x[:, :2], x)
    model.save(tmp_path / "m.npz")
    with pytest.raises(CheckpointError, match="code of your own"):
        tc.load(tmp_path / "m.npz")


# ------------------------------------------------------------------------- damaged and hostile


def unharmed(path, source):
    """Try both doors: whatever is read is what was saved. Gives whether the file was refused."""
    model = plain_net(rng=5)
    before = model.parameters().flat.copy()
    refused = 0
    try:
        model.load_weights(path)
    except CheckpointError as error:
        assert "\n" not in str(error)
        np.testing.assert_array_equal(model.parameters().flat, before)
        refused += 1
    else:
        np.testing.assert_array_equal(model.parameters().flat, source.parameters().flat)
    try:
        loaded = tc.load(path)
    except CheckpointError:
        refused += 1
    else:
        np.testing.assert_array_equal(loaded.parameters().flat, source.parameters().flat)
        assert str(loaded.summary()) == str(source.summary())
    return refused == 2


@each_ending
def test_a_file_cut_anywhere_is_refused(tmp_path, ending):
    source, path = plain_net(rng=1), tmp_path / f"m{ending}"
    source.save(path)
    whole = path.read_bytes()
    for size in [*range(0, len(whole), 211), len(whole) - 1]:
        path.write_bytes(whole[:size])
        assert unharmed(path, source), size


@each_ending
def test_a_file_with_a_flipped_bit_is_refused_or_gives_the_same_numbers(tmp_path, ending):
    source, path = plain_net(rng=1), tmp_path / f"m{ending}"
    source.save(path)
    whole, rng = path.read_bytes(), random.Random(0)
    refused, tries = 0, 150
    for _ in range(tries):
        content = bytearray(whole)
        content[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        path.write_bytes(content)
        refused += unharmed(path, source)
    assert refused > 0.75 * tries  # the rest were in time stamps of the zip archive and the like


def rewritten(path, change, *, arrays=None):
    """An .npz file of ours with another description, which has the right SHA-256 again."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    facts = json.loads(members["tinycnn.json"])
    change(facts)
    text = json.dumps(facts).encode()
    members |= {"tinycnn.json": text, "tinycnn.sha256": sha256(text).hexdigest().encode()}
    members |= arrays or {}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def layer(facts, **options):
    facts["model"]["layers"][0] |= options


CLAIMS = [
    (lambda f: f.update(format="other"), "is no file of tinycnn's"),
    (lambda f: f.update(version=2), "in version 2 of the format, .* install a newer one"),
    (lambda f: f.pop("model"), "build the network and call its load_weights"),
    (lambda f: f.update(model=3), "is not an undamaged .npz file"),
    (lambda f: f["model"].update(layers=[]), "describes no network: a model needs at least one"),
    (lambda f: f["model"].update(layers=[{}] * 20000), "more than 10,000 layers"),
    (lambda f: f["model"].update(dtype="object"), "describes no network: dtype must be one of"),
    (lambda f: f["model"].update(input_shape=[9, 9]), "describes no network"),
    (lambda f: layer(f, kind="os.system"), "has a layer 'os.system'; there are"),
    (lambda f: layer(f, kind="Layer"), "has a layer 'Layer'"),
    (lambda f: layer(f, kind="Activation"), "has a layer 'Activation'"),
    (lambda f: layer(f, kind=[1]), "is not an undamaged .npz file"),
    (lambda f: layer(f, filters=2**40), r"conv1.W in m.npz must have shape \(3, 3, 3, 1099511627776\)"),
    (lambda f: layer(f, filters=2**62), "describes no network: dense1"),
    (lambda f: layer(f, filters=-1), "describes no network: filters must be at least 1"),
    (lambda f: layer(f, filters="4"), "describes no network: filters must be an int"),
    (lambda f: layer(f, weight_initializer="x"), "does not describe a Conv2D as this tinycnn has it"),
    (lambda f: f["arrays"].pop("conv1.b"), "it lacks arrays, or has others as well"),
    (lambda f: f["arrays"]["conv1.b"].update(shape=[1 << 40]), "is not as the description says"),
    (lambda f: f["arrays"]["conv1.b"].update(dtype="|O"), "is not as the description says"),
    (lambda f: f["arrays"]["conv1.b"].update(sha256="0"), "conv1.b in m.npz is damaged: its SHA-256"),
    (lambda f: f.update(arrays=[]), "is not an undamaged|lacks arrays"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), CLAIMS)
def test_a_description_that_claims_what_is_not_so_is_refused(tmp_path, change, words):
    plain_net().save(tmp_path / "m.npz")
    rewritten(tmp_path / "m.npz", change)
    with pytest.raises(CheckpointError, match=words):
        tc.load(tmp_path / "m.npz")


def test_nesting_without_end_is_refused(tmp_path):
    plain_net().save(tmp_path / "m.npz")
    text = (b"[" * 100_000) + (b"]" * 100_000)
    with zipfile.ZipFile(tmp_path / "m.npz", "w") as archive:
        archive.writestr("tinycnn.json", text)
        archive.writestr("tinycnn.sha256", sha256(text).hexdigest())
    with pytest.raises(CheckpointError, match=r"is not an undamaged \.npz file"):
        tc.load(tmp_path / "m.npz")


def npy(header, data=b""):
    head = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data


def test_a_claim_of_terabytes_is_refused_before_memory_is_taken(tmp_path):
    plain_net().save(tmp_path / "m.npz")
    size = 1 << 40
    claim = npy(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({size},), }}")

    def change(facts):
        facts["arrays"]["conv1.b"] |= {"shape": [size], "dtype": "<f4"}

    rewritten(tmp_path / "m.npz", change, arrays={"conv1.b.npy": claim})
    with pytest.raises(CheckpointError, match=r"conv1\.b in m\.npz ends too early"):
        tc.load(tmp_path / "m.npz")


def test_what_unpacks_to_more_than_the_file_is_refused(tmp_path):
    model = tc.Sequential([Dense(500)], (500,))
    model.load_weights({"dense1.W": np.zeros((500, 500)), "dense1.b": np.zeros(500)})
    model.save(tmp_path / "m.npz")
    with zipfile.ZipFile(tmp_path / "m.npz") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "m.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert (tmp_path / "m.npz").stat().st_size < 10_000
    with pytest.raises(CheckpointError, match=r"unpacks to 1,002,000 bytes and has"):
        tc.load(tmp_path / "m.npz")


class Harm:
    def __reduce__(self):
        return Path.touch, (Path(tempfile.gettempdir()) / "harm_was_done",)


def test_no_pickle_is_ever_read(tmp_path):
    harm = Path(tempfile.gettempdir()) / "harm_was_done"
    harm.unlink(missing_ok=True)
    plain_net().save(tmp_path / "m.npz")
    pickled = npy(
        "{'descr': '|O', 'fortran_order': False, 'shape': (4,), }", pickle.dumps([Harm()] * 4)
    )

    def change(facts):
        facts["arrays"]["conv1.b"] |= {"dtype": "|O"}

    rewritten(tmp_path / "m.npz", change, arrays={"conv1.b.npy": pickled})
    model = plain_net()
    for door in (tc.load, model.load_weights):
        with pytest.raises(CheckpointError, match=r"conv1\.b in m\.npz has dtype object"):
            door(tmp_path / "m.npz")
    arrays = dict(model.parameters()) | {"conv1.b": np.array([Harm()] * 4, object)}
    np.savez(tmp_path / "w.npz", **arrays)
    (tmp_path / "p.npz").write_bytes(pickle.dumps(Harm()))
    for name in ("w", "p"):
        with pytest.raises(CheckpointError):
            model.load_weights(tmp_path / f"{name}.npz")
    assert not harm.exists()


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (b"", "not an undamaged .safetensors file"),
        (struct.pack("<Q", 1 << 50), "has a header larger than"),
        (struct.pack("<Q", 100) + b"{", "not an undamaged .safetensors file"),
        (struct.pack("<Q", 2) + b"{}", "does not belong to this network|holds arrays alone"),
        (struct.pack("<Q", 1 << 20) + b"[" * (1 << 20), "not an undamaged .safetensors file"),
    ],
)
def test_a_hostile_header_of_safetensors_is_refused(tmp_path, header, words):
    path = tmp_path / "m.safetensors"
    path.write_bytes(header)
    for door in (tc.load, plain_net().load_weights):
        with pytest.raises(CheckpointError, match=words):
            door(path)
    for shape, end in (([1 << 40], 16), ([4], 1 << 40)):
        claim = {"conv1.b": {"dtype": "F32", "shape": shape, "data_offsets": [0, end]}}
        text = json.dumps(claim).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(16))
        with pytest.raises(CheckpointError, match="not an undamaged"):
            plain_net().load_weights(path)


def test_kinds_of_numbers_that_numpy_has_not_are_refused(tmp_path):
    header = {"conv1.b": {"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]}}
    text = json.dumps(header).encode()
    path = tmp_path / "m.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(8))
    model = tc.Sequential([Dense(4, bias=False, name="conv1")], (1,))
    path.write_bytes(path.read_bytes().replace(b"conv1.b", b"conv1.W").replace(b"[4]", b"[1,4]"))
    text = text.replace(b"conv1.b", b"conv1.W").replace(b"[4]", b"[1, 4]")
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(8))
    with pytest.raises(CheckpointError, match="of the kind BF16, which NumPy has not"):
        model.load_weights(path)


def test_what_is_no_regular_file_is_not_read(tmp_path):
    for ending in ENDINGS:
        os.mkfifo(tmp_path / f"pipe{ending}")
        for path in (tmp_path / f"pipe{ending}", "/dev/zero"):
            with pytest.raises(CheckpointError, match="is a device or a pipe, not a model file"):
                tc.load(path)
    with pytest.raises(CheckpointError, match="is a folder, not a model file"):
        tc.load(tmp_path)
    with pytest.raises(CheckpointError, match="there is no model file"):
        tc.load(tmp_path / "nowhere.npz")
    (tmp_path / "m.pt").write_bytes(b"x")
    with pytest.raises(CheckpointError, match=r"a model file is \.npz or \.safetensors, got"):
        tc.load(tmp_path / "m.pt")


def test_arrays_of_others_are_no_model(tmp_path):
    np.savez(tmp_path / "w.npz", **plain_net().parameters())
    with pytest.raises(
        CheckpointError, match="holds arrays alone, not what network they belong to"
    ):
        tc.load(tmp_path / "w.npz")


# ------------------------------------------------------------------------------------- writing


@each_ending
def test_what_cannot_be_written_leaves_the_old_file(tmp_path, ending):
    path = tmp_path / f"m{ending}"
    plain_net(rng=1).save(path)
    before = path.read_bytes()
    (tmp_path / "file").touch()
    for bad in (
        tmp_path / "no" / f"m{ending}",
        tmp_path / "file" / f"m{ending}",
        f"/proc/m{ending}",
    ):
        with pytest.raises(CheckpointError, match="cannot be written"):
            plain_net(rng=2).save(bad)
    with pytest.raises(CheckpointError, match=r"a file of arrays is \.npz or \.safetensors, got"):
        plain_net().save(tmp_path / "m.pt")
    assert path.read_bytes() == before
    assert {each.name for each in tmp_path.iterdir()} == {path.name, "file"}


@each_ending
def test_a_model_that_changes_while_it_is_written_is_not_saved(tmp_path, ending, monkeypatch):
    from tinycnn.saving import archive

    path, model = tmp_path / f"m{ending}", plain_net(rng=1)
    model.save(path)
    before = path.read_bytes()
    write = archive._WRITERS[ending]

    def meanwhile(*arguments):
        write(*arguments)
        with model.edit() as parameters:
            parameters.flat[...] = 0

    monkeypatch.setitem(archive._WRITERS, ending, meanwhile)
    with pytest.raises(
        CheckpointError, match=r"the model changed while .* save between training steps"
    ):
        model.save(path)
    assert path.read_bytes() == before and [*tmp_path.iterdir()] == [path]


FULL = """
import resource, signal, sys
import numpy as np
import tinycnn as tc
from tinycnn.errors import CheckpointError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
model = tc.Sequential([tc.layers.Dense(300)], (300,))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    model.save(sys.argv[1])
except CheckpointError as error:
    print(error)
"""


@pytest.mark.process
@each_ending
def test_a_disk_that_is_full_leaves_the_old_file(tmp_path, ending):
    path = tmp_path / f"m{ending}"
    plain_net().save(path)
    before = path.read_bytes()
    ended = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True)
    assert "cannot be written" in ended.stdout and "File too large" in ended.stdout, ended
    assert ended.returncode == 0
    assert path.read_bytes() == before and [*tmp_path.iterdir()] == [path]


def test_without_safetensors_the_extra_is_named(tmp_path, monkeypatch):
    plain_net().save(tmp_path / "m.safetensors")
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    for call in (tc.load, plain_net().save):
        with pytest.raises(MissingExtraError, match=r"pip install 'tinycnn\[safetensors\]'"):
            call(tmp_path / "m.safetensors")
    assert issubclass(MissingExtraError, TinyCNNError)
