"""Explanations in notebooks: HTML that shows the terminal's words and runs nothing."""

import base64
import io
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

import tinycnn as tc
from tinycnn.explain import explain, open_lesson
from tinycnn.explain.readers.explanation_text import draw_words
from tinycnn.explain.readers.style import Style
from tinycnn.layers import Conv2D, Dense, ReLU

HOSTILE = "<script>alert('&')</script>"


class Reader(HTMLParser):
    """Collects the tags and the text that a browser would show."""

    def __init__(self):
        super().__init__()
        self.tags, self.text, self.images = [], "", []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "img":
            self.images.append(dict(attributes))

    def handle_data(self, data):
        self.text += data


def read(markup):
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader


@pytest.mark.parametrize("what", ["conv2[5,6,7]", "conv1.W[0,0,0,0]", "fc3.x[5]", "loss"])
def test_html_shows_the_words_of_the_terminal(what):
    opened = explain(open_lesson(model="mini").backward, what)
    shown = read(opened._repr_html_())
    assert shown.tags == ["div", "b", "img", "pre"]
    words = draw_words(opened, Style.plain())  # the picture is a picture here
    assert shown.text == " ".join(words[0].split()) + "\n".join(words[1:]).lstrip("\n")
    assert "\x1b" not in shown.text
    (image,) = shown.images
    assert opened.subject in image["alt"] and opened.headline in image["alt"]
    head, data = image["src"].split(",")
    assert head == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
        assert picture.size[0] == 1100 and picture.size[1] > 300


def test_without_matplotlib_the_picture_is_drawn_in_characters(monkeypatch):
    from tinycnn import figures
    from tinycnn.errors import MissingExtraError

    def missing(*size):
        raise MissingExtraError("a figure needs matplotlib")

    opened = explain(open_lesson(model="mini").trace, "conv2[5,6,7]")
    monkeypatch.setattr(figures, "blank", missing)
    shown = read(opened._repr_html_())
    first, _, rest = str(opened).partition("\n")
    assert shown.tags == ["div", "b", "pre"]
    assert shown.text == " ".join(first.split()) + rest.lstrip("\n")


def test_hostile_names_are_text():
    layers = [
        Conv2D(2, 2, name=HOSTILE),
        ReLU(name="a&amp;b"),
        Dense(2, activation="softmax", name="</pre>"),
    ]
    trace = tc.Sequential(layers, (4, 4, 1)).trace(np.ones((1, 4, 4, 1)))
    trace.backward(labels=[0])
    for what, at in (
        (HOSTILE, (1, 1, 1)),
        ("a&amp;b", (0, 0, 0)),
        ("</pre>", (1,)),
        (f"{HOSTILE}.x", (1, 1, 0)),
    ):
        shown = read(explain(trace, what, at)._repr_html_())
        assert set(shown.tags) <= {"div", "b", "img", "pre"} and len(shown.tags) <= 4
        assert what.removesuffix(".x") in shown.text
