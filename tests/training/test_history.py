"""A history as data, table, file and plot, and the bar while a run goes on."""

import json
import sys

import pytest
from trained_nets import batches, trainer, validation

from tinycnn.errors import ArgumentError, FileError, MissingExtraError
from tinycnn.training import History


@pytest.fixture(scope="module")
def history():
    return trainer().fit(batches(), validation(), epochs=3)


def test_it_comes_back_from_its_file(history, tmp_path):
    history.save(tmp_path / "history.json")
    data = json.loads((tmp_path / "history.json").read_text())
    again = History.from_dict(data)
    assert again.rows == history.rows and again.steps == history.steps
    assert [*data["epochs"][0]] == [
        "epoch", "steps", "rate", "loss", "accuracy", "gradient_norm", "validation_loss",
        "validation_accuracy", "seconds", "images_per_second",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "data", [{}, {"epochs": [{}], "steps": []}, {"epochs": [], "steps": "x"}, 3]
)
def test_other_data_is_refused(data):
    with pytest.raises(ArgumentError, match="this is no training history"):
        History.from_dict(data)


def test_the_table(history):
    lines = str(history).splitlines()
    assert len(lines) == 2 + 1 + 3 and max(map(len, lines)) <= 80
    for line, row in zip(lines[3:], history.rows, strict=True):
        assert line.split()[:5] == [
            str(row.epoch), str(row.steps), "0.05", f"{row.loss:.4f}", f"{row.accuracy:.4f}",
        ]  # fmt: skip
        assert f"{row.validation_accuracy:.4f}" in line
    assert "<table>" in history._repr_html_()
    assert str(History()).splitlines()[0].split() == ["epoch", "loss"]


def test_a_column(history):
    assert history["epoch"] == [1, 2, 3]
    with pytest.raises(ArgumentError, match="a history has epoch, steps, rate"):
        history["f1"]


@pytest.mark.parametrize("name", ["curves.png", "curves.svg"])
def test_the_plot(history, tmp_path, name):
    history.plot(tmp_path / name)
    assert (tmp_path / name).stat().st_size > 5000
    with pytest.raises(FileError, match=r"a figure is \.svg or .png"):
        history.plot(tmp_path / "curves.gif")


def test_what_the_plot_shows(history):
    from tinycnn.training.curves import draw

    loss, accuracy = draw(history).axes
    each, training, validated = (line.get_ydata() for line in loss.lines)
    assert list(each) == history.steps
    assert list(training) == history["loss"] and list(validated) == history["validation_loss"]
    assert [list(line.get_ydata()) for line in accuracy.lines] == [
        history["accuracy"], history["validation_accuracy"],
    ]  # fmt: skip
    assert loss.lines[0].get_xdata()[[5, 11, 17]].tolist() == [1, 2, 3]
    assert len(draw(trainer().fit(batches(), epochs=1)).axes[0].lines) == 2
    assert len(draw(History()).axes) == 1
    begun = History()
    begun.steps = [3.0, 2.0]
    (panel,) = draw(begun).axes
    assert panel.lines[0].get_xdata().tolist() == [1, 2] and panel.get_xlabel() == "step"


# ------------------------------------------------------------------------------------------- progress


def test_the_bar_says_how_far_and_how_fast(capsys):
    trainer(progress=True).fit(batches(), validation(), epochs=2)
    out, err = capsys.readouterr()
    assert out == ""
    assert "epoch 2/2" in err and "images/s" in err and "loss " in err
    assert err.count("validation accuracy") == 2  # a line an epoch


def test_where_there_is_no_terminal_nothing_is_said(capsys):
    trainer().fit(batches(), epochs=1)
    assert capsys.readouterr() == ("", "")


def test_without_tqdm(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(MissingExtraError, match=r"tinycnn\[progress\]"):
        trainer(progress=True).fit(batches(), epochs=1)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    trainer().fit(batches(), epochs=1)
    assert capsys.readouterr().err.splitlines()[1].startswith("epoch 1: loss ")
