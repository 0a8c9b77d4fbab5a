"""What is seen of pictures that have little to see: flat ones, thin lines, colours of one brightness."""

import re

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.explain import explain
from tinycnn.explain.readers.explanation_text import draw_explanation
from tinycnn.explain.readers.picture_text import draw_picture
from tinycnn.explain.readers.style import Style
from tinycnn.explain.walk import shading
from tinycnn.explain.walk.styled_text import Look
from tinycnn.explain.walk.tensor_layout import of_output
from tinycnn.layers import Conv2D, Dense

ALL = ((-2, -1), (-2, -1))  # a frame that lies outside


def picture(shape, *parts):
    """A picture of one colour, with regions of others."""
    pixels = np.zeros(shape, np.uint8)
    for region, colour in parts:
        pixels[region] = colour
    return pixels


RED_ON_BLUE = picture((40, 40, 3), (np.s_[:20], (255, 0, 0)), (np.s_[20:], (0, 0, 255)))
LINE = picture((40, 40, 3), (np.s_[:], 255), (np.s_[20:22, 4:12], 0))
WHITE = picture((40, 40, 3), (np.s_[:], 255))


def drawn(pixels):
    return [line[8:] for line in draw_picture(pixels, ALL, Style.plain())]


def test_a_thin_line_on_white_is_drawn():
    lines = drawn(LINE)
    assert lines[10] == "@" * 4 + " " * 8 + "@" * 28
    assert {line for i, line in enumerate(lines) if i != 10} == {"@" * 40}


@pytest.mark.parametrize(("level", "sign"), [(255, "@"), (128, "+"), (0, " ")])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_flat_picture_is_as_bright_as_it_is(level, sign, channels):
    flat = np.full((40, 40, channels), level, np.uint8)
    assert set(drawn(flat)) == {sign * 40}


def test_colours_of_one_brightness_are_told_apart():
    lines = drawn(RED_ON_BLUE)
    assert set(lines[:10]) == {"@" * 40} and set(lines[10:]) == {" " * 40}
    swapped = drawn(RED_ON_BLUE[::-1])
    assert set(swapped[:10]) == {" " * 40} and set(swapped[10:]) == {"@" * 40}


def opened(pixels):
    """A cell of a small network over ``pixels``, opened."""
    model = tc.Sequential([Conv2D(2, 3), Dense(2, activation="softmax")], pixels.shape)
    return explain(model.trace((pixels[None].astype(np.float32) - 128) / 128), "conv1", (9, 9, 1))


@pytest.mark.parametrize(
    ("pixels", "grey", "coloured"),
    [
        (WHITE, "(every pixel is 255, 255, 255)", "(every pixel is 255, 255, 255)"),
        (WHITE[:, :, :1], "(every pixel is 255)", "(every pixel is 255)"),
        (RED_ON_BLUE, "(in grey its colours look alike: drawn by how red they are)", ""),
        (LINE, "", ""),
    ],
)
def test_what_cannot_be_seen_is_said(pixels, grey, coloured):
    for style, words in ((Style.plain(), grey), (Style(colour=True), coloured)):
        text = re.sub(r"\x1b\[[\d;]*m", "", draw_explanation(opened(pixels), style))
        remarks = re.findall(r"^ {8}(\((?:every pixel|in grey).*)$", text, re.MULTILINE)
        assert remarks == [words] * bool(words)


def text_of(lines):
    return ["".join(text for text, _ in line) for line in lines]


@pytest.mark.parametrize("look", [Look(), Look(256, True)])
@pytest.mark.parametrize("width", [20, 80])
def test_the_walk_says_it_too_and_stays_within_its_lines(look, width):
    for pixels, words in ((WHITE, "every pixel is 255"), (RED_ON_BLUE, "drawn by how red")):
        lines = text_of(shading.draw_field(pixels, ALL, 12, width, look))
        assert words in " ".join(" ".join(lines).split())
        assert len(lines) <= 12 and max(map(len, lines)) <= width
    assert not any("(" in line for line in text_of(shading.draw_field(LINE, ALL, 12, width, look)))


def test_a_flat_input_is_as_bright_as_it_is_in_the_walk():
    shades = set()
    for level in (-1.0, 0.0, 127 / 128):
        layout = of_output("input", None, np.full((9, 9, 1), level, np.float32))
        look = Look(256, True)
        win = shading.viewport(layout, (80, 0), 9, 30, look)
        first = shading.draw_map(layout, (80, 0), win, look)[0]
        shades.add(first[1][1].back)
    assert len(shades) == 3 and {16, 231} <= shades  # black and white among them
