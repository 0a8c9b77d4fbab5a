"""Names of classes from a file: how they are written, what is refused, and where they are said."""

import json

import numpy as np
import pytest

import tinycnn as tc
from tinycnn import cli
from tinycnn.errors import ArgumentError, FileError
from tinycnn.explain import open_lesson
from tinycnn.runs.class_names import read_class_names

NAMES = (
    "crane",
    "tench, Tinca tinca",
    "crane",
    "",
    "C++",
    "C#",
    "<script>alert(1)</script>",
    "\u202eמשהו",
)


@pytest.fixture
def net(tmp_path, monkeypatch):
    """A network of eight classes, class 5 the likeliest, then class 3, in the folder that commands run in."""
    monkeypatch.chdir(tmp_path)
    model = tc.Sequential([tc.layers.Dense(8, activation="softmax")], (4, 4, 1), name="net")
    with model.edit() as parameters:
        parameters["dense1.W"][...] = 0
        parameters["dense1.b"][[5, 3]] = 2, 1
    model.save("net.npz")
    np.save("x.npy", np.ones((4, 4), np.float32))
    return "net.npz"


WRITTEN = {
    "lines.txt": "\n".join(NAMES),
    "ended.txt": "\ufeff" + "\r\n".join(f"  {name} \t" for name in NAMES) + "\r\n\r\n",
    "list.json": json.dumps(NAMES),
    "object.json": json.dumps({str(k): name for k, name in reversed(list(enumerate(NAMES)))}),
    "keras.JSON": json.dumps({str(k): [f"n{k:08d}", name] for k, name in enumerate(NAMES)}),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_every_way_of_writing_them(tmp_path, name):
    (tmp_path / name).write_bytes(WRITTEN[name].encode())
    assert read_class_names(tmp_path / name, 8) == NAMES


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("a.txt", b"one\ntwo", "'a.txt' has 2 names, and the network tells 3 classes apart"),
        ("a.txt", b"", "has 0 names"), ("a.txt", b"\n \n", "has 0 names"),
        ("a.json", b'["a"]', "has 1 name, and"), ("a.json", b"{}", "has 0 names"),
        ("a.txt", b"a\nb\xff\nc", "cannot be read as UTF-8"),
        ("a.txt", b"a\n\x1b[2Jb\nc", "names class 1 '\\x1b[2Jb', which"),
        ("a.json", b'["a", "b\\n", "c\\u0000"]', "names class 2 'c\\x00', which is no text"),
        ("a.json", b'["a", "b", "\\ud800"]', "names class 2 '\\ud800', which is no text"),
        ("a.json", b"a\nb\nc", "is no JSON"), ("a.json", b"[" * 100_000, "is no JSON"),
        ("a.json", b'["a", "b", 3]', "must hold a list of names"),
        ("a.json", b'"abc"', "must hold a list of names"),
        ("a.json", b'{"0": "a", "1": "b", "2": []}', "must hold a list of names"),
        ("a.json", b'{"1": "a", "2": "b", "3": "c"}', "must have the numbers 0 .. 2, each once"),
        ("a.txt", b"a" * 10_000_001, "too large"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_three_names(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises((ArgumentError, FileError)) as caught:
        read_class_names(tmp_path / name, 3)
    assert words in str(caught.value) and len(str(caught.value)) < 400


def test_what_is_no_file(tmp_path):
    for place, words in (
        (tmp_path, "is a folder"),
        (tmp_path / "none.txt", "there is no file of class names"),
    ):
        with pytest.raises(FileError, match=words):
            read_class_names(place, 3)


def test_a_lesson_has_them(net, tmp_path):
    (tmp_path / "names.txt").write_text(WRITTEN["lines.txt"], "utf-8")
    options = {"model": net, "classes_file": "names.txt"}
    lesson = open_lesson("x.npy", **options)
    assert lesson.class_names == NAMES and (lesson.label, lesson.likeliest) == (5, True)
    assert lesson.class_words(5) == "5 (C#)" and lesson.class_words(3) == "3"
    for label, number in (("C++", 4), ("C#", 5), ("Tench Tinca-TINCA", 1), (2, 2)):
        assert open_lesson("x.npy", label=label, **options).label == number
    with pytest.raises(ArgumentError, match="classes 0, 2 are all called crane: give the number"):
        open_lesson("x.npy", label="crane", **options)
    with pytest.raises(
        ArgumentError, match=r"label must lie in 0 \.\. 7 or be one of crane, tench"
    ):
        open_lesson("x.npy", label="cat", **options)


def test_a_network_that_was_trained_keeps_its_picture(tmp_path):
    """Its own names find the picture and the label; the others are said."""
    (tmp_path / "names.txt").write_text("\n".join("abcdefghij"))
    own, other = (
        open_lesson(model="fashion", **o) for o in ({}, {"classes_file": tmp_path / "names.txt"})
    )
    assert (other.picture.title, other.label) == (own.picture.title, own.label)
    assert own.class_words(9) == "9 (ankle boot)" and other.class_words(9) == "9 (j)"


def test_a_thousand_names_are_not_all_listed(tmp_path):
    (tmp_path / "names.txt").write_text("\n".join(f"class {k}" for k in range(1000)))
    with pytest.raises(ArgumentError) as caught:
        open_lesson(model="mini", classes_file=tmp_path / "names.txt", label="cat")
    assert (
        str(caught.value).endswith("class 18, class 19, ..., got cat")
        and len(str(caught.value)) < 400
    )


def test_step_says_them_and_names_them_in_its_commands(net, tmp_path, capsys):
    (tmp_path / "my names.txt").write_text(WRITTEN["lines.txt"], "utf-8")
    words = ["x.npy", "--model", net, "--classes", "my names.txt"]
    assert cli.main(["step", *words, "--label", "C++"]) == 0
    out = capsys.readouterr().out
    assert "RECOGNISED as 5 (C#)" in out and "BACKWARD, against label 4 (C++)" in out
    assert f"tinycnn step x.npy --model {net} --classes 'my names.txt' --label C++ " in out
    assert ", 3 (0." in out  # likeliest, and without a name
    assert cli.main(["step", *words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["classes"] == list(NAMES)
    assert cli.main(["step", "--example", "conv-pool", "--classes", "a.txt"]) == 2
    assert "leave out --classes" in capsys.readouterr().err


def test_page_says_them(net, tmp_path, capsys):
    (tmp_path / "names.json").write_text(WRITTEN["list.json"], "utf-8")
    (tmp_path / "few.json").write_text('["one"]')
    words = ["page", "x.npy", "--model", net, "-o", "page.html"]
    assert cli.main([*words, "--classes", "few.json"]) == 2
    assert "'few.json' has 1 name, and the network tells 8 classes apart" in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()
    assert cli.main([*words, "--classes", "names.json", "--label", "4", "--label", "6"]) == 0
    assert NAMES[6] not in (tmp_path / "page.html").read_text("utf-8")  # packed, never markup


def test_predict_says_them(net, tmp_path, capsys):
    (tmp_path / "names.txt").write_text(WRITTEN["lines.txt"], "utf-8")
    words = ["predict", "x.npy", "--model", net, "--classes", "names.txt"]
    assert cli.main(words) == 0
    out = capsys.readouterr().out
    assert out.startswith("x.npy: C#\n") and out.split("\n")[2].endswith("  3")  # which has no name
    assert cli.main([*words, "--json"]) == 0
    answers = json.loads(capsys.readouterr().out)["pictures"][0]["answers"]
    assert [(each["number"], each["name"]) for each in answers[:2]] == [(5, "C#"), (3, "")]
    (tmp_path / "names.txt").write_text("one\ntwo")
    assert cli.main(words) == 2
    assert "'names.txt' has 2 names, and the network tells 8 classes" in capsys.readouterr().err
