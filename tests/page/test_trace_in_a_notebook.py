"""A trace in a notebook: its overview as a table with maps, and its page inside the notebook."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

import tinycnn as tc
from tinycnn.errors import ArgumentError, FileError, StaleTraceError
from tinycnn.layers import Conv2D, Dense, MaxPool2D

NAME = "</iframe><script>alert('&')</script>"


def traced(count=3, shape=(12, 12, 1), **options):
    layers = [
        Conv2D(8, 3, activation="relu", name="conv1"),
        MaxPool2D(2, name="pool1"),
        Dense(10, activation="softmax", name="fc"),
    ]
    model = tc.Sequential(layers, shape, name=NAME, rng=4)
    return model.trace(np.random.default_rng(0).random((count, *shape), np.float32), **options)


def test_a_trace_shows_each_layer_and_its_maps():
    trace = traced()
    shown = trace._repr_html_()
    assert "<script" not in shown and "3 images" in shown and "loss" not in shown
    assert "floor((12+0-3)/1)+1 = 10" in shown and "(3*3*1+1)*8 = 80" in shown
    assert shown.count("<td") == 3 * 6
    pictures = re.findall(r'alt="maps of (\w+)"[^>]*base64,([^"]+)"', shown)
    assert [name for name, _ in pictures] == ["conv1", "pool1", "fc"]
    with Image.open(io.BytesIO(base64.b64decode(pictures[0][1]))) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    maps = trace["conv1"].y[0]
    liveliest = int(np.abs(maps).mean(axis=(0, 1)).argmax())
    assert pixels.shape[:2] == (10, 6 * 10 + 5)
    # zero is nearly white, the largest of all darkest red
    first = pixels[:, :10]
    assert (first[maps[:, :, liveliest] == 0] > 240).all()
    row, column = np.unravel_index(maps[..., liveliest].argmax(), (10, 10))
    assert first[row, column, 0] > first[row, column, 1:].max()
    trace.backward(labels=[1, 2, 3])
    assert f"loss {trace.loss:.4f}" in trace._repr_html_()


def test_without_matplotlib_the_table_is_left(monkeypatch):
    from tinycnn import figures
    from tinycnn.errors import MissingExtraError

    def missing(*size):
        raise MissingExtraError("a figure needs matplotlib")

    monkeypatch.setattr(figures, "blank", missing)
    shown = traced()._repr_html_()
    assert "<table" in shown and "<img" not in shown


def test_the_page_of_a_trace_is_shown_inside_and_saved(tmp_path):
    trace = traced()
    trace.backward(labels=[3, 1, 2])
    page = trace.page(sample=1)
    shown = page._repr_html_()
    assert shown.startswith("<iframe ") and shown.count("<") == 2 and "srcdoc" not in shown
    assert (
        "trust the notebook" in shown.partition(">")[2]
    )  # of a frame that is taken away the words are left
    inside = base64.b64decode(re.search(r"base64,([^\"]+)", shown)[1]).decode()
    assert inside == page.text
    page.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page.text
    assert "MB: save() writes it" in repr(page)
    with pytest.raises(FileError, match="a page is"):
        page.save(tmp_path / "page.txt")


def test_it_is_of_one_image_and_its_label(monkeypatch):
    from tinycnn.page import notebook

    asked = []
    monkeypatch.setattr(notebook, "page", lambda sides: asked.append(sides[0].lesson) or "")
    trace = traced(training=True, rng=5)
    trace.page(sample=2)
    trace.backward(labels=[3, 1, 2], keep=True)
    trace.page(sample=2)
    trace.page(sample=0, label=7)
    first, second, third = asked
    assert first.likeliest and first.label == int(trace.y[2].argmax())
    assert (second.label, second.likeliest, third.label) == (2, False, 7)
    np.testing.assert_array_equal(second.trace.x, trace.x[2:3])
    np.testing.assert_allclose(second.trace.y, trace.y[2:3], rtol=1e-4, atol=1e-6)


def test_weights_as_they_were_drawn_are_called_random(monkeypatch):
    from tinycnn.page import notebook

    asked = []
    monkeypatch.setattr(notebook, "page", lambda sides: asked.append(sides[0].lesson) or "")
    trace = traced()
    trace.page()
    with trace.model.edit() as parameters:
        parameters["fc.b"][0] = 1
    trace.model.trace(trace.x).page()
    assert [lesson.random for lesson in asked] == [True, False]
    assert asked[0].weights.startswith("random") and asked[1].weights == "those of the model"


def test_classes_have_the_names_that_are_given(monkeypatch):
    from tinycnn.page import notebook

    asked = []
    monkeypatch.setattr(notebook, "page", lambda sides: asked.append(sides[0].lesson) or "")
    traced().page(label=2, classes=["", " boot ", "</script>", *"defghij"])
    assert [asked[0].class_words(k) for k in range(3)] == ["0", "1 (boot)", "2 (</script>)"]


@pytest.mark.parametrize(
    ("options", "message"),
    [({"sample": 3}, "sample must be at most 2, got 3"), ({"sample": -1}, "sample"),
     ({"label": 10}, "label must be at most 9, got 10"),
     ({"classes": ["a"]}, "classes has 1 name, and the network tells 10 classes apart"),
     ({"classes": "abcdefghij"}, "classes must be a list of names, got 'abcdefghij'"),
     ({"classes": range(10)}, "classes must be a list of names"), ({"classes": 10}, "got 10"),
     ({"classes": ["a\n\x00", *"bcdefghij"]}, "classes names class 0 .* which is no text")],
)  # fmt: skip
def test_mistakes_are_named(options, message):
    with pytest.raises((ArgumentError, ValueError), match=message):
        traced().page(**options)


def test_what_is_no_picture_and_what_has_changed():
    with pytest.raises(ArgumentError, match="a page shows a picture of 1 or 3 channels"):
        traced(shape=(12, 12, 2)).page()
    maps = tc.Sequential([Conv2D(2, 3)], (8, 8, 1)).trace(np.ones((1, 8, 8, 1)))
    with pytest.raises(ArgumentError, match="the answer of this network is none"):
        maps.page()
    trace = traced()
    with trace.model.edit() as parameters:
        parameters["fc.b"][0] = 1
    with pytest.raises(StaleTraceError, match="make a new trace"):
        trace.page()


@pytest.mark.browser
def test_inside_a_notebook_its_links_lead_to_its_own_parts(browser, tmp_path):
    (tmp_path / "notebook.html").write_text(
        f"<!doctype html><meta charset=utf-8><p>cell</p>{traced().page()._repr_html_()}"
    )
    notebook, problems = browser.new_page(), []
    notebook.on("console", lambda message: problems.append(message.text))
    notebook.on("pageerror", lambda error: problems.append(str(error)))
    notebook.goto((tmp_path / "notebook.html").as_uri())
    inside = notebook.frames[1]
    inside.get_by_text("conv1", exact=True).first.click()
    inside.get_by_role("heading", name="conv1").wait_for()
    assert inside.url.startswith("data:text/html")
    assert inside.url.endswith("#/layer/conv1/maps/0/")
    assert notebook.url.endswith("notebook.html") and not problems
    notebook.close()
