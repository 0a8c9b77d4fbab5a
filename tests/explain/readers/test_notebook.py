"""Explanations in notebooks: HTML that shows the terminal's words and runs nothing."""

from html.parser import HTMLParser

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.explain import explain, open_lesson
from tinycnn.layers import Conv2D, Dense, ReLU

HOSTILE = "<script>alert('&')</script>"


class Reader(HTMLParser):
    """Collects the tags and the text that a browser would show."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)

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
    assert shown.tags == ["div", "b", "pre"]
    first, _, rest = str(opened).partition("\n")
    assert shown.text == " ".join(first.split()) + rest.lstrip("\n")
    assert "\x1b" not in shown.text


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
        assert shown.tags == ["div", "b", "pre"]
        assert what.removesuffix(".x") in shown.text
