"""Figures: what they show, that nothing is lost where one cannot be written, and what is missing."""

import builtins
import io
import re
from pathlib import Path

import matplotlib.figure
import numpy as np
import pytest
from PIL import Image
from small_nets import images, plain_net

import tinycnn as tc
from tinycnn.errors import FileError, MissingExtraError
from tinycnn.explain import explain, open_lesson
from tinycnn.layers import Dense, ReLU


@pytest.fixture(scope="module")
def opened():
    return explain(open_lesson(model="mini").trace, "conv2", (5, 6, 7))


def test_svg_holds_the_picture_the_frame_and_the_words(opened, tmp_path):
    opened.save(tmp_path / "figure.svg")
    text = (tmp_path / "figure.svg").read_text()
    assert text.startswith("<?xml") and text.rstrip().endswith("</svg>")
    assert "<image" in text and re.search(r"stroke: ?#ff0000", text)
    assert [path.name for path in tmp_path.iterdir()] == ["figure.svg"]


def test_png_is_a_picture(opened, tmp_path):
    opened.save(str(tmp_path / "figure.png"))
    with Image.open(tmp_path / "figure.png") as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    assert pixels.shape[1] == 2200 and pixels.shape[0] > 700
    red = (pixels[..., 0] > 240) & (pixels[..., 1:].max(axis=-1) < 20)
    rows, columns = np.nonzero(red)
    # conv2's cell (5, 6) sees rows 24..74 and columns 32..82 of 99: a square, left of the words.
    assert np.ptp(rows) == pytest.approx(np.ptp(columns), rel=0.02)
    assert columns.max() < 0.36 * 2200


def test_the_words_are_drawn_whole(opened, monkeypatch, tmp_path):
    drawn = []
    real = matplotlib.figure.Figure.text
    monkeypatch.setattr(
        matplotlib.figure.Figure,
        "text",
        lambda self, x, y, text, **options: drawn.append(text) or real(self, x, y, text, **options),
    )
    opened.save(tmp_path / "figure.svg")
    (text,) = drawn
    assert text.startswith("conv2, row 5, column 6, filter 7")
    assert "SUMS" in text and "CHECK" in text and "agrees" in text
    assert "┌" not in text  # the picture is a picture here


def test_what_has_no_picture_is_words_alone(tmp_path):
    model = tc.Sequential([ReLU(name="$x^2$ <b>"), Dense(2)], (3,))
    opened = explain(model.trace(np.ones((1, 3))), "$x^2$ <b>", (1,))
    opened.save(tmp_path / "figure.svg")
    assert "<image" not in (tmp_path / "figure.svg").read_text()


def test_every_kind_of_explanation_is_drawn(tmp_path):
    trace = plain_net().trace(images(1))
    trace.backward(labels=[1])
    for what in ("pool1[0,0,0]", "dense1[2]", "conv1.W[0,0,0,0]", "conv1.x[0,0,0]", "loss"):
        explain(trace, what).save(tmp_path / "figure.svg")
        assert (tmp_path / "figure.svg").stat().st_size > 1000


@pytest.mark.parametrize("name", ["figure.pdf", "figure", "figure.PDF", "svg", "figure.svg.gz"])
def test_other_endings_are_refused_before_anything_is_written(opened, tmp_path, name):
    with pytest.raises(FileError) as caught:
        opened.save(tmp_path / name)
    assert str(caught.value) == f"a figure is .svg or .png, got {str(tmp_path / name)!r}"
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_figure_is_replaced_whole(opened, tmp_path):
    (tmp_path / "figure.svg").write_text("earlier")
    opened.save(tmp_path / "figure.svg")
    assert (tmp_path / "figure.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_fails_half_way_leaves_the_earlier_figure(opened, tmp_path, monkeypatch, error):
    (tmp_path / "figure.svg").write_text("earlier")

    def savefig(self, file, **options):
        Path(file).write_text("<?xml")
        raise error

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", savefig)
    expected = FileError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected) as caught:
        opened.save(tmp_path / "figure.svg")
    if expected is FileError:
        assert str(caught.value).endswith("figure.svg' cannot be written: No space left on device")
    assert (tmp_path / "figure.svg").read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["figure.svg"]


def test_a_folder_that_is_not_there_or_is_a_file(opened, tmp_path):
    with pytest.raises(FileError, match=r"nowhere/figure\.svg' cannot be written: No such file"):
        opened.save(tmp_path / "nowhere" / "figure.svg")
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match=r"file/figure\.svg' cannot be written: Not a directory"):
        opened.save(tmp_path / "file" / "figure.svg")
    (tmp_path / "taken.svg").mkdir()
    with pytest.raises(FileError, match=r"taken\.svg' cannot be written: Is a directory"):
        opened.save(tmp_path / "taken.svg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "taken.svg"]


def test_a_folder_that_may_not_be_written_to(opened, tmp_path, monkeypatch):
    def refused(*names):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkdtemp", refused)
    with pytest.raises(FileError, match=r"figure\.svg' cannot be written: Permission denied"):
        opened.save(tmp_path / "figure.svg")


def test_without_matplotlib_the_extra_is_named(opened, tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError) as caught:
        opened.save(tmp_path / "figure.svg")
    assert str(caught.value) == "a figure needs matplotlib: pip install 'tinycnn[plot]'"
    assert list(tmp_path.iterdir()) == []


def test_a_figure_file_is_readable_by_others(opened, tmp_path):
    """As a file written in the ordinary way is, and not by its owner alone."""
    (tmp_path / "plain.svg").write_text("")
    opened.save(tmp_path / "figure.svg")
    modes = [(tmp_path / name).stat().st_mode for name in ("plain.svg", "figure.svg")]
    assert modes[0] == modes[1]


def test_the_same_number_draws_the_same_words_twice(opened):
    assert str(opened) == str(opened) and io.StringIO(str(opened)).readline().startswith("conv2")
