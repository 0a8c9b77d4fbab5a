"""Weights from files of others, damaged or hostile: taken whole, or the model is as it was."""

import os
import random
import re
import resource
import struct
import zipfile

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.errors import CheckpointError
from tinycnn.layers import Conv2D, Dense


def small(rng=0):
    return tc.Sequential(
        [Conv2D(2, 3, activation="relu", name="conv1"), Dense(4, activation="softmax", name="fc")],
        (5, 5, 3),
        rng=rng,
    )


def test_file_written_by_savez_is_read_back(tmp_path):
    source, target = small(rng=1), small(rng=2)
    np.savez(tmp_path / "w.npz", **source.parameters())
    version = target.version
    target.load_weights(tmp_path / "w.npz")
    np.testing.assert_array_equal(target.parameters().flat, source.parameters().flat)
    assert target.version > version


def test_compressed_fortran_big_endian_and_float64_arrays_are_read(tmp_path):
    source, target = small(rng=1), small(rng=2)
    arrays = dict(source.parameters())
    arrays["conv1.W"] = np.asfortranarray(arrays["conv1.W"].astype(">f8"))
    np.savez_compressed(tmp_path / "w.npz", **arrays)
    target.load_weights(tmp_path / "w.npz")
    np.testing.assert_array_equal(target.parameters().flat, source.parameters().flat)


def _refused(tmp_path, arrays, match):
    np.savez(tmp_path / "w.npz", **arrays)
    _refused_file(tmp_path / "w.npz", match)


def _refused_file(path, match):
    model = small()
    before = model.parameters().flat.copy()
    with pytest.raises(CheckpointError, match=match):
        model.load_weights(path)
    np.testing.assert_array_equal(model.parameters().flat, before)


def test_missing_and_foreign_names(tmp_path):
    arrays = dict(small().parameters())
    del arrays["conv1.W"]
    _refused(tmp_path, arrays, r"does not belong to this network: it lacks conv1\.W")
    _refused(tmp_path, dict(small().parameters()) | {"a": np.zeros(1)}, "has unknown a")


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.zeros((3, 3, 2, 3), np.float32), r"must have shape \(3, 3, 3, 2\), got \(3, 3, 2, 3\)"),
        (np.zeros((3, 3, 3, 2), np.int32), "must hold floating-point numbers, got dtype int32"),
        (np.zeros((3, 3, 3, 2), complex), "must hold floating-point numbers, got dtype complex128"),
        (np.full((3, 3, 3, 2), None), "must hold floating-point numbers, got dtype object"),
    ],
)
def test_wrong_shape_or_kind(tmp_path, array, match):
    _refused(tmp_path, dict(small().parameters()) | {"conv1.W": array}, match)


@pytest.mark.parametrize("number", [1e200, -3.5e38])
def test_what_float32_cannot_hold_is_refused(tmp_path, number):
    large = np.zeros((3, 3, 3, 2))
    large[1, 2, 0, 1] = number
    for array in (large, np.asfortranarray(large), large.astype(np.longdouble)):
        words = re.escape(f"conv1.W in w.npz holds {number:.3g}, too large for float32")
        _refused(tmp_path, dict(small().parameters()) | {"conv1.W": array}, words)


def test_infinity_that_a_file_holds_is_read(tmp_path):
    arrays = {name: array.astype(float) for name, array in small().parameters().items()}
    arrays["conv1.W"][0, 0, 0, 0] = -np.inf
    np.savez(tmp_path / "w.npz", **arrays)
    model = small()
    model.load_weights(tmp_path / "w.npz")
    assert model.parameters()["conv1.W"][0, 0, 0, 0] == -np.inf


def test_missing_file_folder_and_no_zip(tmp_path):
    _refused_file(tmp_path / "nowhere.npz", "there is no weights file")
    _refused_file(tmp_path, "is a folder")
    (tmp_path / "text.npz").write_text("no zip")
    _refused_file(tmp_path / "text.npz", "is not an undamaged .npz file")


def test_truncated_and_flipped_files_are_refused_or_give_the_same_numbers(tmp_path):
    source = small(rng=1)
    np.savez(tmp_path / "w.npz", **source.parameters())
    whole = (tmp_path / "w.npz").read_bytes()
    damaged = tmp_path / "damaged.npz"
    cases = [whole[:size] for size in range(0, len(whole), 97)]
    cases += [
        whole[:i] + bytes([whole[i] ^ 1 << i % 8]) + whole[i + 1 :] for i in range(0, len(whole), 7)
    ]
    refused = 0
    for content in cases:
        damaged.write_bytes(content)
        model = small()
        before = model.parameters().flat.copy()
        try:
            model.load_weights(damaged)
        except CheckpointError:
            np.testing.assert_array_equal(model.parameters().flat, before)
            refused += 1
        else:  # the bit was in a time stamp or the like
            np.testing.assert_array_equal(model.parameters().flat, source.parameters().flat)
    assert refused > len(cases) // 2


def test_header_that_claims_terabytes_is_refused_before_it_is_read(tmp_path):
    claim = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }"
    header = b"\x93NUMPY\x01\x00v\x00" + claim.ljust(117) + b"\n"
    with zipfile.ZipFile(tmp_path / "w.npz", "w") as archive:
        for name in small().parameters():
            archive.writestr(f"{name}.npy", header)
    _refused_file(tmp_path / "w.npz", r"must have shape \(3, 3, 3, 2\)")


def test_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    arrays = dict(small().parameters())
    with zipfile.ZipFile(tmp_path / "w.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, np.asarray(array))
                if name == "conv1.W":
                    for _ in range(64):
                        member.write(bytes(1 << 20))
    _refused_file(tmp_path / "w.npz", "is larger than its header says")


def test_damaged_compressed_data_are_refused_or_give_the_same_numbers(tmp_path):
    source, damaged = small(rng=1), tmp_path / "damaged.npz"
    np.savez_compressed(tmp_path / "w.npz", **source.parameters())
    whole, rng = (tmp_path / "w.npz").read_bytes(), random.Random(0)
    refused = 0
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        damaged.write_bytes(content)
        model = small()
        before = model.parameters().flat.copy()
        try:
            model.load_weights(damaged)
        except CheckpointError as error:
            assert "\n" not in str(error)
            np.testing.assert_array_equal(model.parameters().flat, before)
            refused += 1
        else:
            np.testing.assert_array_equal(model.parameters().flat, source.parameters().flat)
    assert refused > 200


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_which_know_no_bound_are_refused(tmp_path, method):
    np.savez(tmp_path / "plain.npz", **small().parameters())
    with (
        zipfile.ZipFile(tmp_path / "plain.npz") as plain,
        zipfile.ZipFile(tmp_path / "w.npz", "w", method) as archive,
    ):
        for name in plain.namelist():
            archive.writestr(name, plain.read(name))
    _refused_file(tmp_path / "w.npz", r"is compressed in another way .*: write it with one of them")


def test_what_is_no_regular_file_or_too_large_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    for path in (tmp_path / "pipe.npz", "/dev/zero", "/dev/null"):
        _refused_file(path, "is a device or a pipe, not a weights file")
    with (tmp_path / "large.npz").open("wb") as stream:
        stream.truncate(1 << 40)  # a file with nothing in it: it takes no room
    _refused_file(tmp_path / "large.npz", "is not an undamaged .npz file")
    (tmp_path / "empty.npz").touch()
    _refused_file(tmp_path / "empty.npz", "is not an undamaged .npz file")


def test_a_directory_that_claims_to_be_huge_is_not_read(tmp_path):
    gigabyte = 1 << 30
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, gigabyte, 0, 0)  # of a directory of 1 GB
    with (tmp_path / "w.npz").open("wb") as stream:
        stream.truncate(gigabyte)
        stream.seek(gigabyte)
        stream.write(end)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _refused_file(tmp_path / "w.npz", "is not an undamaged .npz file")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes


def test_a_header_that_claims_to_be_huge_is_not_read(tmp_path):
    header = b"\x93NUMPY\x02\x00" + struct.pack("<I", 120 << 20)
    with zipfile.ZipFile(tmp_path / "w.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in small().parameters():
            with archive.open(f"{name}.npy", "w") as member:
                member.write(header)
                for _ in range(120 if name == "conv1.W" else 1):
                    member.write(b" " * (1 << 20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _refused_file(tmp_path / "w.npz", "has a damaged header")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000


def test_what_zipfile_repeats_of_a_damaged_file_is_cut(tmp_path):
    np.savez(tmp_path / "w.npz", **small().parameters())
    content = bytearray((tmp_path / "w.npz").read_bytes())
    content[26:28] = b"\xff\xff"  # the length of the first name, in the first header
    (tmp_path / "w.npz").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"undamaged \.npz file: File name") as raised:
        small().load_weights(tmp_path / "w.npz")
    assert len(str(raised.value)) < 400


def test_the_largest_file_that_can_be_right_is_read(tmp_path):
    source, target = small(rng=1), small(rng=2)
    wide = {name: array.astype(np.longdouble) for name, array in source.parameters().items()}
    np.savez(tmp_path / "w.npz", **wide)
    target.load_weights(tmp_path / "w.npz")
    np.testing.assert_array_equal(target.parameters().flat, source.parameters().flat)
