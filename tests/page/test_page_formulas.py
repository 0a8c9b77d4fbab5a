"""Formulas as MathML: their text is the terminal's, sign by sign, and their shape that of the arithmetic."""

import re

import pytest
from opened_pages import expect, texts

from tinycnn.explain.examples.example import load, open_example

pytestmark = pytest.mark.browser

SET = """texts => import('formula').then(({ formula }) => texts.map((text) => {
    const made = formula(text);
    if (typeof made === 'string') return [made, null];
    return [made.textContent, made.innerHTML];
}))"""


def made(page, *formulas):
    return page.evaluate(SET, list(formulas))


def test_every_equation_of_the_examples_keeps_its_text(opened):
    equations = [
        cell.equation(result.value.cell(place), result.value.exact[place] if result.value.exact else "")
        for name in load()
        for stage in open_example(name).stages
        for result in stage.results
        for place, cell in enumerate(result.cells)
    ]  # fmt: skip
    sizes = [size for name in load() for stage in open_example(name).stages for size in stage.sizes]
    shown = made(opened.go(""), *equations, *sizes)
    assert [text for text, _ in shown] == [*equations, *sizes]
    assert all(markup for text, markup in shown if " = " in text)


@pytest.mark.parametrize(
    "text, parts",
    [
        ("1/8 = 0.125", ["mfrac", "mn"]),
        ("2/(11/3)^0.75", ["mfrac", "msup"]),
        ("W[0,0] = 1 - 0.1*16", ["msub", "times"]),
        ("(11*11*3+1)*12 = 4,368", ["<mn>4,368</mn>", 'fence="true"']),
        ("floor((227+0-11)/4)+1 = 55", ["mfrac", "floor"]),
        ("-ln p[281] = -ln 0.00088744 = 7.0272", ["msub", "<mi"]),
        ("max(2, 6, 0, 2) = 6", ['separator="true"']),
        ("-0.01 * (-3.963666)^2 = -0.15711", ["msup", 'form="prefix"']),
        ("conv1.W[0,1] = -2.2841e-05", ["<mn>2.2841e-05</mn>"]),
        (
            "dL/dW = sum over all places of dz * x",
            ["mfrac", "munder", "sigma", "all places", "times"],
        ),
        ("dL/dW = x^T (p - onehot)", ["</msup><mspace", "onehot"]),
        ("dL/dW = x^T dz", ["msup", "dz"]),
        ("y * (dy - sum over classes of dy * y)", ["munder", "classes", "fence"]),
        ("dL/dx = dy * (y > 0)", ["&gt;", "fence"]),
        ("dL/dx = dy/s^beta - 2*a*beta*x", ["β", "times"]),
        ("floor((8+0-3)/1)+1 = 6, floor((9+0-3)/1)+1 = 7", [", <span", "mfrac"]),
    ],
)
def test_arithmetic_is_set_as_mathematics(opened, text, parts):
    ((shown, markup),) = made(opened.go(""), text)
    assert shown == text
    assert "<math" in markup and all(part in markup for part in parts)


@pytest.mark.parametrize(
    "text",
    ["as its input", "512 -> 512", "sum of dz * x over all places", "a sum of 3", "1 +", ")(", "",
     "</math><b>", "55 x 55"],
)  # fmt: skip
def test_what_is_no_arithmetic_stays_text(opened, text):
    assert made(opened.go(""), text) == [[text, None]]


SENTENCE = """([text]) => import('formula').then(({ sentence }) => {
    const pieces = sentence(text).flat();
    const box = document.createElement("p");
    box.append(...pieces);
    return [box.textContent, pieces.filter((one) => typeof one !== "string").map((one) => one.textContent)];
})"""


@pytest.mark.parametrize(
    "text, formulas",
    [
        (
            "over the 3,025 places where this weight was used, dz[i,j,3] * x[4i+5,4j+5,red]:",
            ["dz[i,j,3] * x[4i+5,4j+5,red]"],
        ),
        ("2,400 products x * W, added up by kernel position:", ["x * W"]),
        ("softmax and loss are one step: p - onehot", ["p - onehot"]),
        ("the mask kept this cell: dy * 1 / (1 - 0.5)", ["dy * 1 / (1 - 0.5)"]),
        (
            "dy * gamma / (0.25 + 1e-05)^0.5, where gamma = 1.5:",
            ["dy * gamma / (0.25 + 1e-05)^0.5", "gamma = 1.5"],
        ),
        ("y = 0: ReLU stopped it, so nothing passes", ["y = 0"]),
        ("a max-pool and/or 512 -> 512, row 13-2 .. 13+2, of chelsea-1.png; no mark", []),
        ("place (44,44): 0.25 * -0.5 = -0.125", ["0.25 * -0.5 = -0.125"]),
        ("(L(+h) - L(-h)) / 2h, h = 1e-06:", ["(L(+h) - L(-h)) / 2h", "h = 1e-06"]),
        ("25 terms * 2^-24 * the sum of the terms' sizes, 0.18", ["2^-24"]),
        ("y * dy less y * that sum:", ["y * dy"]),
        ("the window's cells compete:", []),
        ("<b> * 1 = 2", ["1 = 2"]),
        ("", []),
    ],
)
def test_formulas_in_sentences_are_set(opened, text, formulas):
    """What stands around them stays, and all of the text does."""
    assert opened.go("").evaluate(SENTENCE, [text]) == [text, formulas]


def test_the_headings_of_sums_have_their_formulas_set(opened):
    page = opened.go("layer/conv1")
    page.locator("ul.links a:has-text('conv1.W[')").first.click()
    heading = page.locator("h2:has-text('Its sum') + p")
    expect(heading.locator("math")).not_to_have_count(0)
    assert re.search(r"used, dz\[i,j,\d+\] \* x\[", heading.text_content())


def test_a_fraction_stands_over_its_denominator(opened):
    """Seen, not only marked up: the numerator is above, and the slash and the brackets are gone."""
    page = opened.go("layer/conv1")
    above, below = page.locator("dl mfrac").first.locator("> *").all()
    assert (
        above.bounding_box()["y"] + above.bounding_box()["height"] <= below.bounding_box()["y"] + 3
    )
    assert page.locator("dl mfrac .unseen").first.is_hidden()
    assert texts(page, "dl dd").count("floor((99+0-11)/4)+1 = 23") == 1


def test_what_is_copied_is_the_terminals_text(opened):
    page = opened.go("layer/conv1")
    page.evaluate(
        """() => {
            addEventListener("copy", (event) => { window.copied = event.clipboardData.getData("text"); });
            getSelection().selectAllChildren(document.querySelector("dl.facts"));
        }"""
    )
    page.keyboard.press("Control+c")
    copied = " ".join(page.evaluate("window.copied").split())
    for text in (
        "floor((99+0-11)/4)+1 = 23",
        "(11*11*3+1)*12 = 4,368",
        "dL/dW = sum over all places of dz * x",
    ):
        assert text in copied


@pytest.mark.parametrize(
    "view", ["layer/conv2", "open/loss", "example/whole/2", "example/lrn/0", "sizes", "softmax"]
)
def test_every_panel_has_formulas(opened, view):
    assert opened.go(view).locator("main math").count() >= 1
