"""Two lessons beside each other: what tells them apart, right minus left, and `tinycnn step` of two sides."""

import argparse
import json
import re
import shlex
from types import SimpleNamespace

import numpy as np
import pytest

from tinycnn import cli
from tinycnn.commands import step, step_options
from tinycnn.errors import ShapeError, UnknownNameError
from tinycnn.explain import explain, open_lesson
from tinycnn.explain.lessons import differences
from tinycnn.explain.values.printing import number

LABELS = ["--label", "3", "--label", "281"]


@pytest.fixture(scope="module")
def lessons():
    """Other weights, so that every number differs."""
    return [open_lesson(model="mini", seed=seed, label=3) for seed in (0, 1)]


def test_layers_differ_most_where_numpy_says(lessons):
    records = [lesson.backward.records for lesson in lessons]
    for found, a, b in zip(differences.layers(*lessons), *records, strict=True):
        pairs = [(found.numbers, a.y, b.y)]
        pairs += [] if a.dy is None else [(found.gradients, a.dy, b.dy)]  # softmax's is its loss's
        for largest, left, right in pairs:
            apart = right[0].astype(float) - left[0].astype(float)
            assert abs(largest.difference) == np.abs(apart).max()
            assert apart[largest.where] == largest.difference
            assert largest.share == pytest.approx(np.abs(apart).max() / np.abs(left).max())


def test_layers_that_are_not_alike_are_said(lessons):
    found = list(differences.layers(lessons[0], open_lesson(model="fashion")))
    assert found[0].remark == "23 x 23 x 12 on the left, 28 x 28 x 32 on the right"
    assert found[0].numbers is None and found[0].gradients is None
    records = lessons[0].backward.records
    short = SimpleNamespace(backward=SimpleNamespace(records=records[:3]))
    for sides, words in (((lessons[0], short), "left"), ((short, lessons[0]), "right")):
        remarks = [each.remark for each in differences.layers(*sides)]
        assert remarks == [""] * 3 + [f"on the {words} alone"] * (len(records) - 3)


def test_cells_are_those_that_differ_most(lessons):
    a, b = (lesson.trace["conv2"].y[0].astype(float) for lesson in lessons)
    cells = list(differences.cells("conv2", *lessons))
    most = np.abs(b - a).reshape(-1, a.shape[-1]).max(axis=0)
    assert [abs(cell.difference) for cell in cells] == sorted(most)[::-1][:8]
    for cell in cells:
        at = tuple(map(int, cell.words.split(",")))
        assert (cell.left, cell.right) == (a[at], b[at])
    units = list(differences.cells("fc3", *lessons))
    z = [lesson.trace["fc3"].y[0].astype(float) for lesson in lessons]
    assert [abs(unit.difference) for unit in units] == sorted(np.abs(z[1] - z[0]))[::-1][:8]
    with pytest.raises(UnknownNameError):
        list(differences.cells("conv9", *lessons))
    with pytest.raises(ShapeError, match="conv1: 23 x 23 x 12 on the left, 28 x 28 x 32 on the"):
        list(differences.cells("conv1", lessons[0], open_lesson(model="fashion")))


def test_an_opened_number_differs_part_by_part(lessons):
    first, *parts = differences.opened(
        *(explain(each.backward, "conv2[5,6,7]") for each in lessons)
    )
    a, b = (float(lesson.trace["conv2"].y[0, 5, 6, 7]) for lesson in lessons)
    assert (first.left, first.right, first.difference) == (a, b, b - a)
    z = [float(lesson.trace["conv2"].z[0, 5, 6, 7]) for lesson in lessons]
    assert sum(part.left for part in parts) == pytest.approx(z[0], abs=1e-5)
    assert sum(part.difference for part in parts) == pytest.approx(z[1] - z[0], abs=1e-5)


def printed(capsys, *words):
    assert cli.main(["step", "--model", "mini", *LABELS, *words]) == 0
    return capsys.readouterr().out


def test_step_of_two_sides(capsys):
    out = printed(capsys)
    losses = [open_lesson(model="mini", label=label).backward.loss for label in (3, 281)]
    assert "LEFT    label 3\nRIGHT   label 281\n" in out
    apart = f"{number(losses[0])} on the left, {number(losses[1])} on the right, difference "
    assert f"LOSS    {apart}{number(losses[1] - losses[0])}" in out
    assert re.search(r"\nconv1 +0 +0 +0,0,0\n", out)  # the same picture
    assert "tinycnn step --model mini --label 3 --label 281 --layer conv1\n" in out
    assert "tinycnn page --model mini --label 3 --label 281" in out


def test_step_of_two_sides_opens_layers_and_numbers(capsys):
    a, b = (open_lesson(model="mini", label=label).backward for label in (3, 281))
    out = printed(capsys, "--grad", "conv2.y", "--at", "5,6,7")
    pair = [float(each["conv2"].dy[0, 5, 6, 7]) for each in (a, b)]
    row = next(line for line in out.split("\n") if line.startswith("dL/dy of conv2, row 5"))
    assert row.split()[-3:] == list(map(number, (*pair, pair[1] - pair[0])))
    assert "THE CELLS THAT DIFFER MOST" in printed(capsys, "--layer", "fc3")
    data = json.loads(printed(capsys, "--layer", "fc3", "--at", "3", "--json"))
    y = float(a["fc3"].y[0, 3])
    assert data["sides"] == ["label 3", "label 281"]
    assert data["numbers"][0] == {"words": "fc3, unit 3", "left": y, "right": y, "difference": 0.0}
    assert json.loads(printed(capsys, "--json"))["loss"]["left"] == a.loss


@pytest.mark.parametrize("stray", ["-i", "--ask", "--im2col", "--steps=3", "--example=whole"])
def test_what_two_sides_have_no_use_for(capsys, stray):
    assert cli.main(["step", "--model", "mini", *LABELS, stray]) == 2
    assert "two sides are compared, number by number; leave out " in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        "a.jpg b.jpg", "a.jpg --model mini --model caffenet", "--label 3 --label tench", "a.jpg",
        "--weights a.npz --weights b.npz --classes names.txt --seed 4", "RUN b.jpg", "a.jpg RUN",
        "RUN RUN2", "RUN --label 1 --label 2", "-- -a.jpg b.jpg", "--model mini --model one-tower",
        "--model mini --model mini", "a.jpg a.jpg", "RUN RUN --label 3",
    ],
)  # fmt: skip
def test_the_command_that_is_named_has_the_same_sides(monkeypatch, words):
    """Read again, it says the same pictures, networks and labels, and it names itself."""
    monkeypatch.setattr(step_options, "run_at", lambda place, *_: str(place).startswith("RUN"))
    parser = argparse.ArgumentParser()
    step.add(parser.add_subparsers())

    def sides(command):
        return step_options.sides(parser.parse_args(["step", *command]))

    given = sides(words.split())
    command = step_options.command(*given)
    again = sides(shlex.split(command)[2:])
    paths = {"./-a.jpg": "-a.jpg"}
    for one, other in zip(given, again, strict=True):
        other.image = paths.get(other.image, other.image)
        assert one == other
    assert step_options.command(*again) == command
