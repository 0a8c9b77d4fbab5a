"""Steps of learning as a terminal, a notebook and a figure show them, and the command that takes them."""

import json
import re

import numpy as np
import pytest

import tinycnn as tc
from tinycnn import cli
from tinycnn.explain import learn
from tinycnn.explain.readers.curves_text import curve, thinned
from tinycnn.explain.readers.learning_text import draw_learning
from tinycnn.explain.readers.style import WIDTH, Style
from tinycnn.layers import Dense, Dropout

X, LABELS = np.array([[1.0, 2.0], [0.5, -1.0]]), [0, 1]


def network(*layers):
    return tc.Sequential([*layers, Dense(2)], (2,), dtype="float64", rng=1)


# ------------------------------------------------------------------------------------------ curves


def heights(lines):
    """Of each column the height in eighths of a line."""
    rows = [line[20:].ljust(WIDTH) for line in lines]
    columns = ["".join(column) for column in zip(*rows, strict=True)]
    return [sum(" ▁▂▃▄▅▆▇█".index(block) for block in column) for column in columns]


def test_a_curve_is_as_high_as_its_values():
    lines = curve("LOSS", [0.0, 31.0, 15.0, 7.0], Style.plain())
    assert heights(lines)[:5] == [1, 32, 16, 8, 0]
    assert lines[0].startswith("LOSS         31.000 ") and lines[-1].startswith(" " * 18 + "0 ")


def test_a_curve_that_never_moves_is_flat_and_what_is_no_number_leaves_a_gap():
    assert heights(curve("w", [2.0, 2.0], Style.plain()))[:3] == [1, 1, 0]
    assert heights(curve("w", [1.0, np.nan, 2.0], Style.plain()))[:3] == [1, 0, 32]
    assert curve("w", [np.nan, np.inf], Style.plain()) == []


def test_of_many_values_some_are_shown_evenly_and_both_ends():
    assert thinned([*range(1000)], 5) == [0, 250, 500, 749, 999]
    assert thinned([1, 2, 3], 5) == [1, 2, 3]
    lines = curve("w", [float(i) for i in range(1000)], Style.plain())
    assert max(map(len, lines)) <= WIDTH and heights(lines)[0] == 1


# ------------------------------------------------------------------------------------------- words


def rows_of(text):
    """The table's numbers."""
    _, _, body = text.partition("\n----")
    return [
        [float(cell) for cell in line.split()]
        for line in body.splitlines()[1:]
        if line[:1].isdigit()
    ]


def test_the_table_holds_the_steps():
    learning = learn(network(), X, LABELS, 4, "dense1.W[0,1]", rate=0.1)
    rows = rows_of(str(learning))
    expected = [
        [s.number, s.weight, s.gradient, s.loss, s.predicted, s.real] for s in learning.steps
    ]
    np.testing.assert_allclose(rows, expected, rtol=1e-4, atol=1e-7)


def test_a_long_run_shows_fifty_rows_and_says_so():
    text = str(learn(network(), X, LABELS, 120, rate=0.1))
    rows = rows_of(text)
    assert len(rows) == 50 and (rows[0][0], rows[-1][0]) == (1, 120)
    assert "(50 of 120 steps; --json has all)" in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "w <- w - 0.1 * g for 6 parameters at once"),
        ({"momentum": 0.9}, "v <- 0.9 * v - 0.1 * g, w <- w + v for 6 parameters"),
        ({"weight_decay": 0.01}, "w <- w - 0.1 * (g + 0.01 * w) for 6 parameters at once (biases do not"),
        ({"batch": 1}, "of the mean loss of 1 of 2 images, drawn anew"),
        ({"training": True}, "with a dropout mask of its own"),
        ({}, "-0.1 * |g|^2, the squares of all gradients added up"),
        ({"momentum": 0.9}, "the sum of each parameter's gradient times the way it moves"),
    ],
)  # fmt: skip
def test_words_say_what_a_step_does(options, words):
    layers = [Dropout(0.5)] if "training" in options else []
    text = str(learn(network(*layers), X, LABELS, 3, rate=0.1, **options))
    assert words in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= WIDTH


def test_with_dropout_the_loss_of_all_images_stands_beside():
    learning = learn(network(Dropout(0.5)), X, LABELS, 3, rate=0.1, training=True)
    text = str(learning)
    assert "With dropout off:" in " ".join(text.split())
    one_of_two = str(learn(network(), X, LABELS, 3, rate=0.1, batch=1))
    assert "With all images:" in " ".join(one_of_two.split())
    assert [row[4] for row in rows_of(text)] == pytest.approx(
        [step.tested for step in learning.steps], rel=1e-4
    )


def test_the_noise_of_the_gradient_is_said():
    learning = learn(network(), X, LABELS, 30, "dense1.W[0,1]", rate=0.0, batch=1)
    words = re.search(r"Gradient of the weight: (\S+) \+- (\S+) ", str(learning)).groups()
    gradients = [step.gradient for step in learning.steps]
    mean = sum(gradients) / 30
    deviation = np.sqrt(sum((each - mean) ** 2 for each in gradients) / 30)
    assert [float(word) for word in words] == pytest.approx([mean, deviation], rel=5e-3)


def test_a_loss_that_is_no_number_is_said():
    model = tc.Sequential([Dense(8), Dense(8), Dense(2)], (2,), rng=1)
    text = str(learn(model, X, LABELS, 50, rate=1e18))
    assert text.endswith("The loss is no finite number any more: the rate is too large.")


def test_a_notebook_shows_the_same_and_a_figure_is_drawn(tmp_path):
    learning = learn(network(Dropout(0.5)), X, LABELS, 3, rate=0.1, training=True)
    shown = learning._repr_html_()
    assert shown.startswith(f"<div><b>{learning.name} over 3 steps</b><pre")
    assert "w &lt;- w - 0.1 * g" in shown
    learning.save(tmp_path / "curves.svg")
    drawn = (tmp_path / "curves.svg").read_text(encoding="utf-8")
    assert drawn.startswith("<?xml") and "svg" in drawn
    learning.save(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"


def test_colour_changes_no_word():
    learning = learn(network(), X, LABELS, 2)
    coloured = draw_learning(learning, Style(colour=True))
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == str(learning) != coloured


# ----------------------------------------------------------------------------------------- command


def run(capsys, *argv):
    code = cli.main(["step", *argv])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def test_the_command_takes_steps_on_a_lesson(capsys):
    code, out, err = run(capsys, "--model", "mini", "--steps", "3")
    assert (code, err) == (0, "")
    assert "AlexNet (mini)" in out and "chelsea.png" in out and "over 3 steps" in out
    data = json.loads(run(capsys, "--model", "mini", "--steps", "3", "--json")[1])
    np.testing.assert_allclose([row[3] for row in rows_of(out)],
                               [step["loss"] for step in data["steps"]], rtol=1e-4)  # fmt: skip
    overview = json.loads(run(capsys, "--model", "mini", "--json")[1])
    assert data["steps"][0]["loss"] == overview["loss"]["loss"]  # the lesson's own
    assert data["settings"]["rate"] == 0.001 and data["chance"] == pytest.approx(np.log(1000))


def test_the_command_takes_the_steps_of_an_example(capsys):
    data = json.loads(run(capsys, "--example", "learning", "--steps", "3", "--json")[1])
    assert data["name"] == "conv1.W[0,0,0,0]" and data["settings"]["rate"] == 0.1
    example = json.loads(run(capsys, "--example", "learning", "--json")[1])
    for step, change in zip(data["steps"], example["changes"], strict=True):
        assert step["predicted"] == pytest.approx(change["predicted"], rel=1e-12)
        assert step["real"] == pytest.approx(change["real"], rel=1e-12)
    code, out, _ = run(
        capsys, "--example", "whole", "--steps", "2", "--weight", "conv1.W[1,1,0,0]",
        "--rate", "0.5", "--momentum", "0.5", "--decay", "0.1",
    )  # fmt: skip
    assert code == 0 and "v <- 0.5 * v - 0.5 * (g + 0.1 * w)" in " ".join(out.split())


def test_the_command_learns_from_a_data_set(capsys, tmp_path):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (20, 6, 6, 1), dtype=np.uint8), np.arange(20) % 2
    np.savez(tmp_path / "data.npz", images=images, labels=labels)
    tc.Sequential([Dense(2)], (6, 6, 1), rng=1).save(tmp_path / "net.npz")
    argv = [
        "--model",
        str(tmp_path / "net.npz"),
        "--data",
        str(tmp_path / "data.npz"),
        "--steps",
        "2",
    ]
    code, out, err = run(capsys, *argv)
    assert (code, err) == (0, "") and "Pictures: 20 of the 20 of data.npz" in " ".join(out.split())
    x = ((images - images.mean()) / images.std()).reshape(20, 36)
    z = x @ tc.load(tmp_path / "net.npz").parameters()["dense1.W"]
    expected = np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(20), labels])
    data = json.loads(run(capsys, *argv, "--json")[1])
    assert data["steps"][0]["loss"] == pytest.approx(expected, rel=1e-5)
    assert data["settings"]["rate"] == 0.01 and data["images"] == 20
    data = json.loads(run(capsys, *argv, "--images", "10", "--batch", "5", "--json")[1])
    assert data["images"] == 10 and data["settings"]["batch"] == 5
    prepared = tc.data.Preparation((6, 6), 1, (0.0,), (255.0,))
    tc.checkpoints.save(
        tmp_path / "net.npz", tc.load(tmp_path / "net.npz"), preparation=prepared.to_dict()
    )
    z = images.reshape(20, 36) / 255 @ tc.load(tmp_path / "net.npz").parameters()["dense1.W"]
    expected = np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(20), labels])
    data = json.loads(run(capsys, *argv, "--json")[1])  # as it was in its training
    assert data["steps"][0]["loss"] == pytest.approx(expected, rel=1e-5)
    code, _, err = run(capsys, *argv, "--images", "10", "--batch", "11")
    assert code == 2 and "batch is 11, but there are 10 images" in err


def test_the_rate_is_also_that_of_one_opened_weight(capsys):
    out = run(capsys, "--model", "mini", "--weight", "conv1.W[5,5,0,3]", "--rate", "0.5")[1]
    assert "- 0.5 * (-0.0098" in out


def test_curves_are_saved(capsys, tmp_path):
    target = tmp_path / "curves.png"
    code, _, err = run(capsys, "--example", "whole", "--steps", "2", "--save", str(target))
    assert code == 0 and err == f"tinycnn: wrote {target}\n" and target.exists()


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--steps", "0"], "--steps must be at least 1, got 0"),
        (["--steps", "5", "--layer", "conv1"], "leave out --layer"),
        (["--steps", "5", "--at", "1,1,1"], "--at says which number"),
        (["--steps", "5", "-i"], "leave out -i/--interactive"),
        (["--steps", "5", "--ask"], "leave out --steps"),
        (["--steps", "5", "--weight", "conv1.W"], "which number of conv1.W"),
        (["--steps", "5", "--example", "lrn"], "lrn has no loss"),
        (["--steps", "5", "--save", "x.txt"], ".svg or .png"),
        (["--example", "whole", "--steps", "5", "--save", "x.txt"], ".svg or .png"),
        (["--example", "whole", "--steps", "5", "--model", "mini"], "leave out --model"),
        (["--example", "whole", "--weight", "W[0]"], "leave out --weight"),
        (["--rate", "0.1"], "--rate says how steps are taken"),
        (["--momentum", "0.9", "--weight", "conv1.W[0,0,0,0]"], "--momentum says how steps are taken"),
        (["--steps", "5", "--batch", "4"], "--batch says how many of --data"),
        (["--data", "digits"], "--data says how steps are taken"),
        (["--steps", "5", "--data", "fashion-mnist", "--label", "0"], "leave out --label"),
        (["--steps", "5", "--data", "fashion-mnist", "--batch", "0"], "--batch must be at least 1"),
        (["--steps", "5", "--data", "nowhere"], "nowhere"),
        (["--example", "whole", "--steps", "5", "--data", "digits"], "leave out --data"),
        (["--steps", "5", "--rate", "-1"], "--rate must be a finite number from 0 up"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(capsys, argv, message):
    code, out, err = run(capsys, *([] if "--example" in argv else ["--model", "mini"]), *argv)
    assert (code, out) == (2, "") and message in err


def test_a_rate_that_is_too_large_ends_with_1(capsys):
    code, out, _ = run(capsys, "--model", "mini", "--steps", "9", "--rate", "1e18")
    assert code == 1 and "the rate is too large" in out
