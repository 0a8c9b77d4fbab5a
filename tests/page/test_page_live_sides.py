"""The live page of two sides in a browser: every cell opens on both, and edits go where they are made."""

import numpy as np
import pytest
from opened_pages import Opened, expect, texts
from served_pages import served

from tinycnn.explain import open_lesson
from tinycnn.explain.values.printing import number

pytestmark = pytest.mark.browser
LABELS = (281, 3)


@pytest.fixture
def server():
    """The same network and picture twice, against two labels."""
    with served(*(open_lesson(model="mini", label=label) for label in LABELS)) as answering:
        yield answering


@pytest.fixture
def live(browser, server):
    one = Opened(browser, server.address)
    yield one
    one.end()


def loss(model, x, label):
    """From the logits in float64."""
    z = model.trace(x, algorithm="im2col").logits[0].astype(np.float64)
    return float(np.log(np.exp(z).sum()) - z[label])


def edited(page, side, key, value, button):
    """Set a number in the form of a side, and give that side's rows of edits."""
    column = page.locator(".side").nth(side)
    column.get_by_label("number", exact=True).fill(key)
    column.get_by_label("new value").fill(value)
    with page.expect_navigation():
        column.get_by_role("button", name=button).click()
    page.wait_for_selector("html[data-ready]", state="attached")


def test_any_cell_opens_on_both_sides(live):
    lessons = [open_lesson(model="mini", label=label) for label in LABELS]
    page = live.go("layer/conv2/gradients/7/5,6")
    page.get_by_role("link", name="Open this number").first.click()
    page.wait_for_selector("#value-right")
    gradients = [float(lesson.backward["conv2"].dy[0, 5, 6, 7]) for lesson in lessons]
    assert texts(page, "#value, #value-right") == list(map(number, gradients))
    row = page.locator(".difference tbody tr").first.locator("td")
    expect(row).to_have_text([*map(number, gradients), number(gradients[1] - gradients[0])])
    assert live.violations() == []
    live.go("layer/conv2/maps/7/5,6")  # of the same picture
    expect(page.locator(".difference")).to_contain_text("Largest in this filter: 0.")


def test_an_edit_stays_on_its_side_unless_both_are_asked_for(live):
    lesson = open_lesson(model="mini")
    x, model = lesson.picture.x.copy(), lesson.model
    before = [loss(model, x, label) for label in LABELS]
    page = live.go("")
    edited(page, 1, "x[40,41,2]", "-1", "Set it on this side")
    x[0, 40, 41, 2] = -1
    right = loss(model, x, LABELS[1])
    assert page.locator("#edits").count() == 0
    row = page.locator("#edits-right tbody td")
    expect(row).to_have_text(
        [
            number(float(lesson.picture.x[0, 40, 41, 2])),
            number(-1.0),
            number(before[1]),
            number(right),
        ]
    )
    words = page.locator(".difference p.mono")
    expect(words).to_contain_text(
        f"loss: {number(before[0])} on the left, {number(right)} on the right"
    )
    edited(page, 0, "fc3.b[3]", "2", "Set it on both sides")
    with model.edit() as parameters:
        parameters["fc3.b"][3] = 2
    left = [0.0, 2.0, before[0], loss(model, lesson.picture.x, LABELS[0])]
    expect(page.locator("#edits tbody td")).to_have_text(list(map(number, left)))
    last = page.locator("#edits-right tbody tr").last.locator("td")
    expect(last).to_have_text(list(map(number, [0.0, 2.0, right, loss(model, x, LABELS[1])])))
    assert live.violations() == []


def test_a_number_that_one_side_has_not(browser):
    with served(open_lesson(model="mini"), open_lesson(model="fashion")) as server:
        one = Opened(browser, server.address)
        page = one.go("open/fc3[281]")
        page.wait_for_selector("#value")
        expect(page.locator(".side").nth(1).get_by_role("status")).to_contain_text("fc3")
        assert page.locator("#value-right").count() == 0
        page = one.go("layer/conv1/maps/0/3,4")  # of another shape: each side goes its own way
        page.locator(".side").first.get_by_role("link", name="Open this number").click()
        page.wait_for_selector("#value")
        assert page.locator("#cell-right").count() == 1
        one.end()
