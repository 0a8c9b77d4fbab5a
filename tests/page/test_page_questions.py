"""Six questions that a class asks, each answered in at most three actions from the start, counted."""

import math
import re

import numpy as np
import pytest
from opened_pages import Opened, expect, texts
from served_pages import served

from tinycnn import cli
from tinycnn.explain import open_lesson
from tinycnn.explain.values.printing import number

pytestmark = pytest.mark.browser


class Reader:
    """Somebody at the start of a page who clicks, presses a key, or types into a field."""

    def __init__(self, page):
        self.page, self.actions = page, 0

    def click(self, locator):
        self.actions += 1
        locator.click()

    def press(self, locator, key):
        self.actions += 1
        locator.press(key)

    def type(self, label, text):
        self.actions += 1
        self.page.get_by_label(label, exact=True).fill(text)

    def layer(self, name):
        self.click(
            self.page.locator("ol.flow a").filter(has=self.page.get_by_text(name, exact=True))
        )
        expect(self.page.locator("h1")).to_have_text(name)

    def opened(self, words):
        """Of the numbers that the layer's page lists, the first whose name begins with ``words``."""
        link = self.page.locator(f"ul.links a:has-text('{words}')").first
        key = link.text_content().partition(" = ")[0]
        self.click(link)
        self.page.wait_for_selector("#value")
        return key

    def fact(self, term):
        return self.page.locator(f"dt:text-is('{term}') + dd").text_content()


@pytest.fixture
def reader(opened):
    someone = Reader(opened.go(""))
    yield someone
    assert 1 <= someone.actions <= 3


def places(key):
    return [int(at) for at in re.findall(r"\d+", key.partition("[")[2])]


def test_why_is_the_map_so_large(reader):
    reader.layer("pool1")
    assert reader.fact("size") == "floor((23+0-3)/2)+1 = 11"


def test_where_does_this_number_come_from(reader, lesson):
    reader.layer("conv2")
    row, column, channel = places(reader.opened("conv2["))
    part = reader.page.locator("table.parts button").first
    i, j = places(part.get_attribute("aria-label").replace("(", "["))[:2]
    reader.click(part)
    x = lesson.trace["conv2"].x[0, row - 2 + i, column - 2 + j]
    W = lesson.trace["conv2"].params["W"][i, j, :, channel]
    lines = reader.page.locator("table.parts tr")
    assert lines.count() == x.size
    for k in range(x.size):
        a, _, b, _, product = texts(lines.nth(k), "td")
        assert (float(a), float(b)) == pytest.approx((float(x[k]), float(W[k])), abs=1e-5)
        assert float(product) == pytest.approx(float(x[k]) * float(W[k]), abs=1e-4)


def test_which_way_would_this_weight_move_and_which_pixels_push_it(reader, lesson):
    reader.layer("conv1")
    i, j, c, f = places(reader.opened("conv1.W["))
    record = lesson.backward["conv1"]
    gradient, weight = float(record.grads["W"][i, j, c, f]), float(record.params["W"][i, j, c, f])
    step = reader.page.locator("main p").filter(has=reader.page.get_by_text("STEP ", exact=True))
    expect(step).to_contain_text(f" = {number(weight - 0.01 * gradient)}")

    terms = record.dz[0, :, :, f] * record.x[0, i : i + 4 * 23 : 4, j : j + 4 * 23 : 4, c]
    largest = np.unravel_index(np.abs(terms).argmax(), terms.shape)
    words = reader.page.locator("p.mono", has_text="dz * x").text_content()
    assert words.startswith(f"place ({largest[0]},{largest[1]}): dz * x = ")
    assert float(words.rpartition("= ")[2]) == pytest.approx(float(terms[largest]), rel=1e-3)
    assert reader.page.get_by_label(re.compile("The picture; the frame is the window")).is_visible()


def test_why_so_many_parameters(reader):
    reader.layer("fc1")
    assert reader.fact("parameters") == f"({2 * 2 * 32}+1)*512 = {129 * 512:,}"


def test_which_cell_gets_this_pools_gradient(reader, lesson):
    reader.layer("pool1")
    r, c, channel = places(reader.opened("pool1["))
    window = lesson.trace["pool1"].x[0, 2 * r : 2 * r + 3, 2 * c : 2 * c + 3, channel]
    i, j = np.unravel_index(window.argmax(), window.shape)
    winner = reader.page.locator("td", has_text="★")
    expect(winner.locator("a")).to_have_attribute(
        "aria-label",
        f"conv1[{2 * r + i},{2 * c + j},{channel}] = {number(float(window[i, j]))}, wins",
    )


def test_what_changes_if_i_edit_a_weight_by_hand(reader):
    reader.click(reader.page.get_by_role("link", name=re.compile("A gradient with a finger")))
    reader.press(reader.page.get_by_label("h", exact=True), "ArrowRight")
    words = reader.page.locator("p.mono", has_text="by the tangent").text_content()
    tangent = (
        math.log(4) + 0.75 * 0.025
    )  # the loss and its slope, as `tinycnn step --example whole` has them
    assert words.startswith("W[0,0] = 1.0000 + 0.0250: loss ")
    assert words.endswith(f"by the tangent {number(tangent)}")


@pytest.mark.parametrize("key, value", [("fc3.b[281]", 5.0), ("x[40,41,2]", -1.0)])
def test_what_changes_if_i_edit_this_pixel_or_weight(browser, key, value):
    lesson = open_lesson(model="mini")
    before = loss(lesson.model, lesson.picture.x)
    with served(open_lesson(model="mini")) as server:
        context = browser.new_context(reduced_motion="reduce")
        reader = Reader(context.new_page())
        reader.page.goto(server.address)
        reader.type("number", key)
        reader.type("new value", str(value))
        reader.press(reader.page.get_by_label("new value"), "Enter")
        row = reader.page.locator("#edits tbody tr").first
        row.wait_for()
        told = texts(row, "td")
        context.close()
    assert reader.actions == 3
    x = lesson.picture.x.copy()
    if key.startswith("x"):
        x[0, 40, 41, 2] = value
    else:
        with lesson.model.edit() as parameters:
            parameters["fc3.b"][281] = value
    assert told[1:] == [number(value), before, loss(lesson.model, x)]


def loss(model, x):
    """That of the cat's class, from the logits in float64, as text."""
    z = model.trace(x, algorithm="im2col").logits[0].astype(np.float64)
    return number(float(np.log(np.exp(z).sum()) - z[281]))


@pytest.mark.slow
def test_the_same_of_the_whole_network(browser, tmp_path):
    """The bundled photograph through AlexNet: 27 x 27, and 37,752,832 parameters."""
    target = tmp_path / "alexnet.html"
    assert cli.main(["page", "-o", str(target)]) == 0
    assert target.stat().st_size <= 6_000_000
    one = Opened(browser, target)
    reader = Reader(one.go(""))
    reader.layer("pool1")
    assert reader.fact("size") == "floor((55+0-3)/2)+1 = 27"
    reader = Reader(one.go(""))
    reader.layer("fc1")
    assert reader.fact("parameters") == "(9216+1)*4096 = 37,752,832"
    one.end()
