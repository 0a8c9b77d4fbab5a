"""Code that users wrote, wherever a command takes it: its imports, its errors, its prints."""

import json
import os
import re
import sys
from pathlib import Path

import pytest

from tinycnn import cli
from tinycnn.checking.targets.own_code import load, module_of
from tinycnn.classroom.grading import grade
from tinycnn.errors import FileError

LAYER = """
import tinycnn as tc

class Twice(tc.layers.Layer):
    def output_shape(self, shape):
        return shape

    def forward(self, params, x, context):
        {forward}
        return x * 2, None

    def backward(self, params, dy, saved, context):
        {backward}
        return dy * 2, {{}}
"""
NET = """
import tinycnn as tc
from tinycnn.layers import Dense
{top}

def net():
    {inside}
    return tc.Sequential([Twice(), Dense(3, activation="softmax")], (4, 4, 3))
"""


def layer(forward="pass", backward="pass"):
    return LAYER.format(forward=forward, backward=backward)


def net(top="", inside="pass"):
    return NET.format(top=top, inside=inside)


@pytest.fixture
def write(tmp_path):
    """Write files, and give the path of the first."""

    def written(**files):
        for name, text in files.items():
            path = tmp_path / f"{name}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return tmp_path / f"{next(iter(files))}.py"

    return written


def run(capsys, *argv):
    code = cli.main([str(word) for word in argv])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def both(capsys, file):
    """What step and gradcheck make of a model."""
    yield run(capsys, "step", "--model", f"{file}:net", "--json")
    yield run(capsys, "gradcheck", f"{file}:net", "--json")


def all_well(capsys, file):
    before = list(sys.path)
    for code, out, err in both(capsys, file):
        assert (code, err) == (0, ""), err
        json.loads(out)
    assert sys.path == before


@pytest.mark.parametrize(
    "files",
    [
        {"a": net("from my_layer import Twice"), "my_layer": layer()},
        {"a": net(inside="from my_layer import Twice"), "my_layer": layer()},
        {"a": net("from my_layer import Twice"), "my_layer": layer("import late", "import later"),
         "late": "", "later": ""},
        {"a": net("from my_layer import Twice"), "my_layer": layer("import importlib; "
         "importlib.import_module('late')"), "late": "import later", "later": ""},
        {"a": net("from package.my_layer import Twice"), "package/__init__": "",
         "package/my_layer": layer("from . import late; import top"), "package/late": "", "top": ""},
        {"a": net("from folder.my_layer import Twice"), "folder/my_layer": layer()},
        {"a": net("import random\nfrom my_layer import Twice", "random.random()"),
         "random": "1 / 0", "my_layer": layer()},
        {"queue": net("from my_layer import Twice"), "my_layer": layer()},
        {"numpy": net("from a b c import Twice".replace("a b c", "a_b")), "a_b": layer()},
    ],
    ids=["at the top", "inside", "late", "by name", "package", "folder", "random", "queue", "numpy"],
)  # fmt: skip
def test_what_stands_beside_a_file_can_be_imported_at_any_time(capsys, write, files):
    all_well(capsys, write(**files))


def test_the_file_may_be_named_from_its_own_folder_and_the_folder_be_left(
    capsys, write, tmp_path, monkeypatch
):
    write(a=net("from my_layer import Twice"), my_layer=layer("import late"), late="")
    monkeypatch.chdir(tmp_path)
    all_well(capsys, "a.py")
    made = load("a.py:net")()
    monkeypatch.chdir("/")
    made.predict([[[[1.0, 2.0, 3.0]] * 4] * 4])
    assert Path(sys.modules["late"].__file__).parent == tmp_path.resolve()


def test_neighbours_are_offered_to_their_folder_alone(write):
    module_of(write(a="import helper_of_mine", helper_of_mine="", not_ours=""))
    with pytest.raises(ImportError):
        import not_ours  # noqa: F401


def test_each_folder_has_its_own_neighbours_as_they_are_on_the_disk(tmp_path):
    for name in ("ann", "bob", "eve"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text("import helper_of_mine\nwho = helper_of_mine.who\n")
    (tmp_path / "ann" / "helper_of_mine.py").write_text("who = 'ann'\n")
    (tmp_path / "bob" / "helper_of_mine.py").write_text("who = 'bob'\n")
    assert [module_of(tmp_path / name / "a.py").who for name in ("ann", "bob", "ann")] == [
        "ann", "bob", "ann",
    ]  # fmt: skip
    with pytest.raises(FileError, match="No module named 'helper_of_mine'"):  # eve has none
        module_of(tmp_path / "eve" / "a.py")
    (tmp_path / "ann" / "helper_of_mine.py").write_text("who = 'ann again'\n")
    assert module_of(tmp_path / "ann" / "a.py").who == "ann again"


def test_a_submission_imports_what_stands_beside_it(write):
    text = """
EXERCISE = "dropout"

def dropout(x, rate, rng):
    import beside
    raise RuntimeError(beside.words)
"""
    graded = " ".join(str(grade(write(a=text, beside="words = 'found it'"))).split())
    assert "RuntimeError: found it (a.py, line 6)" in graded


@pytest.mark.parametrize(
    ("forward", "backward"),
    [("raise OSError('ouch')", "pass"), ("pass", "raise KeyError('ouch')"), ("exit('ouch')", "pass")],
)  # fmt: skip
@pytest.mark.parametrize("opened", [(), ("--grad", "layer1.x", "--at", "1,1,1"), ("--why", "loss")])
def test_a_layer_that_raises_is_told_with_its_line(capsys, write, forward, backward, opened):
    file = write(a=net(layer(forward, backward)))
    code, out, err = run(capsys, "step", "--model", f"{file}:net", *opened)
    line = 1 + next(i for i, t in enumerate(file.read_text().splitlines()) if "ouch" in t)
    assert code == 2 and "BACKWARD, against label" not in out
    assert re.fullmatch(
        rf"tinycnn: {file}:net fails: \w+: '?ouch'? \(a\.py, line {line}\)", err.splitlines()[-1]
    )


def test_an_error_whose_words_fail_is_told_by_its_kind(capsys, write):
    mute = "class Mute(Exception):\n    def __str__(self):\n        raise ValueError\nraise Mute\n"
    file = write(a=f"EXERCISE = 'dropout'\n{mute}")
    for command in (["step", "--model"], ["gradcheck"]):
        code, _, err = run(capsys, *command, f"{file}:net")
        assert code == 2 and err == f"tinycnn: {file} fails: Mute (a.py, line 5)\n"
    assert "Mute (a.py, line 5)" in " ".join(str(grade(file)).split())


def test_a_layer_that_gives_nonsense(capsys, write):
    for forward, words in (
        (
            "return None",
            "tinycnn: layer1 (Twice): forward must return a tuple (y, saved), got NoneType",
        ),
        (
            "return Context, x",
            "a.py:net fails: NameError: name 'Context' is not defined (a.py, line 12)",
        ),
        ("return [], x", "layer1 (Twice)"),
        ("return x.astype('U9'), x", "layer1 (Twice)"),
    ):
        code, _, err = run(capsys, "step", "--model", f"{write(a=net(layer(forward)))}:net")
        assert code == 2 and words in err and err.count("\n") == 1


def test_what_user_code_prints_is_not_the_result(capsys, write):
    file = write(a="print('at the top')\n" + net(layer("print('in forward')", "print('in backward')"),
                                               "print('in net')"))  # fmt: skip
    for code, out, err in both(capsys, file):
        assert code == 0 and json.loads(out)
        for place in ("at the top", "in net", "in forward", "in backward"):
            assert place in err


def test_encodings(tmp_path):
    (tmp_path / "a.py").write_bytes(b"# -*- coding: latin-1 -*-\nname = '\xe4'\n")
    (tmp_path / "b.py").write_bytes(b"\xef\xbb\xbfname = '\xc3\xa4'\n")
    assert [module_of(tmp_path / name).name for name in ("a.py", "b.py")] == ["ä", "ä"]
    for content in (b"name = '\xe4'\n", b"# coding: nonsense\n"):
        (tmp_path / "c.py").write_bytes(content)
        with pytest.raises(FileError, match=r"c\.py' cannot be read"):
            module_of(tmp_path / "c.py")


def test_what_is_no_regular_file(capsys, tmp_path):
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "folder.py").mkdir()
    for file, words in (("pipe.py", "is a device or a pipe"), ("folder.py", "is a folder")):
        for argv in (("step", "--model"), ("gradcheck",)):
            code, _, err = run(capsys, *argv, f"{tmp_path / file}:net")
            assert code == 2 and words in err
        code, _, err = run(capsys, "gradcheck", tmp_path / file)
        assert code == 2
