"""WCAG 2.1 AA: the page by keyboard, aloud, enlarged, in both themes, without motion, and on paper."""

import re
from urllib.parse import quote

import numpy as np
import pytest
from opened_pages import VIEWS, Opened, expect, texts

from tinycnn.explain.values.printing import number

pytestmark = pytest.mark.browser

HAS_FOCUS = "() => document.activeElement !== document.body && document.activeElement !== null"
MEETS = """() => { const one = document.activeElement, isNew = one !== document.body && !met.has(one);
    met.add(one); return isNew; }"""
MISSED = """() => [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex]")]
    .filter((one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility() && !met.has(one))
    .map((one) => one.outerHTML.slice(0, 200))"""
MOVING = """() => [...document.querySelectorAll("*")].filter((each) => {
    const style = getComputedStyle(each);
    const moves = style.transitionProperty !== "none" && !/^0s(, 0s)*$/.test(style.transitionDuration);
    return style.animationName !== "none" || moves;
}).length"""
UNNAMED = """() => [...document.querySelectorAll("main canvas")].filter((one) =>
    one.getAttribute("aria-hidden") !== "true" && !one.closest("[aria-label]")).length"""


@pytest.mark.parametrize(
    "theme, size", [("light", "desk"), ("dark", "desk"), ("light", "phone"), ("dark", "zoomed")]
)
def test_no_view_breaks_a_rule_of_accessibility(browser, written, theme, size):
    one = Opened(browser, written, size, color_scheme=theme)
    found = {}
    for view in VIEWS:
        one.go(view)
        found[view] = one.violations()
    assert found == {view: [] for view in VIEWS}
    one.end()


def test_larger_type_and_predicting_break_none_either(browser, written):
    one = Opened(browser, written, "phone")
    one.go("").locator("#larger").click()
    one.page.locator("#predict").click()
    for view in VIEWS:
        one.turn(view)
        assert one.violations() == [], view
        assert one.page.evaluate("document.documentElement.scrollWidth") <= 360, view
    one.end()


def test_tab_goes_through_everything_and_out_again(opened):
    """Nothing that can be used is left out, and nothing holds the focus."""
    for view in VIEWS:
        page = opened.go(view)
        page.locator(".skip").focus()  # the first
        page.evaluate("window.met = new Set()")
        while page.evaluate(MEETS):
            page.keyboard.press("Tab")
        assert page.evaluate(MISSED) == [], view


def test_no_button_loses_the_focus(opened):
    """Whatever is pressed by Enter, somebody has the focus afterwards."""
    for view in VIEWS:
        page = opened.go(view)
        buttons = page.locator("main button:not(:disabled):not(.unsaved *):visible")
        k = 0
        while k < min(buttons.count(), 25):
            name = buttons.nth(k).text_content()
            buttons.nth(k).focus()
            page.keyboard.press("Enter")
            assert page.evaluate(HAS_FOCUS), f"{view}: {name}"
            opened.drawn(f"#/{quote(view, safe='/')}")
            k += 1


def test_an_opened_number_is_spoken(opened, lesson):
    page = opened.go("layer/conv2")
    link = page.locator("ul.links a", has_text="conv2[").first
    row, column, channel = map(int, re.findall(r"[\d]+", link.text_content())[1:4])
    link.focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_be_focused()
    value = number(float(lesson.trace["conv2"].y[0, row, column, channel]))
    expect(page.locator("#spoken")).to_have_text(
        f"conv2, row {row}, column {column}, filter {channel} = {value}"
    )


def test_a_number_that_is_predicted_is_spoken_when_it_is_shown(opened, lesson):
    page = opened.go("layer/fc3")
    page.locator("#predict").click()
    page.locator("ul.links a", has_text="fc3[281]").first.click()
    value = number(float(lesson.trace["fc3"].y[0, 281]))
    assert value not in page.locator("main, #spoken").all_text_contents()[0]
    page.get_by_role("button", name="Show the number").press("Enter")
    expect(page.locator("#value")).to_be_focused()
    expect(page.locator("#spoken")).to_have_text(f"fc3, unit 281 = {value}")


MAP = ".map[role=application]"
PANELS = {  # keys from the panel's first matrix, slider or choice on, and what is then said
    "example/conv-pool/0": (".operands button[tabindex='0']", ["ArrowDown", "Enter"], "x[1,0] is used in"),
    "example/overlap/0": (".results button[tabindex='0']", ["ArrowRight", "Enter"], "y[0,1]"),
    "example/channels/0": (".results button[tabindex='0']", ["Enter"], " = "),
    "sizes": ("#stride", ["ArrowRight"], "floor("),
    "softmax": ("main [aria-pressed='true']", ["Shift+Tab", "Enter"], "Label 1"),
    "layer/conv1/maps/2/0,0": (f"{MAP} >> nth=1", ["ArrowDown", "ArrowRight"], "conv1[1,1,2] = "),
    "layer/pool1/gradients/2/0,0": (f"{MAP} >> nth=1", ["ArrowDown"], "dL/dy of pool1[1,0,2] = "),
    "layer/conv1": (f"{MAP} >> nth=0", ["ArrowRight"], "filter 1"),
}  # fmt: skip


@pytest.mark.parametrize("view", PANELS)
def test_each_panel_is_used_by_keys_and_says_what_it_shows(opened, view):
    start, keys, said = PANELS[view]
    page = opened.go(view)
    page.locator(start).first.focus()
    for key in keys:
        page.keyboard.press(key)
    expect(page.locator("#spoken")).to_contain_text(said)


@pytest.mark.parametrize("view, slider", [("slope", "#move"), ("learning", "#step")])
def test_a_slider_says_what_it_is_at(opened, view, slider):
    page = opened.go(view)
    page.locator(slider).press("ArrowRight")
    assert "loss " in page.locator(slider).get_attribute("aria-valuetext")
    assert page.locator("main [aria-live=polite]").count() == 1


def test_each_canvas_has_its_table(opened, lesson):
    """A map's numbers, the largest of each channel, a filter's weights: as text."""
    page = opened.go("layer/conv1/maps/2")
    for summary in page.locator("main summary").all():
        summary.press("Enter")
    rows = page.get_by_role("group", name="The largest number of each filter").locator("tbody tr")
    y = lesson.trace["conv1"].y[0]
    expect(rows).to_have_count(y.shape[2])
    for channel in range(y.shape[2]):
        row, column = np.unravel_index(np.abs(y[..., channel]).argmax(), y.shape[:2])
        value = number(float(y[row, column, channel]))
        assert texts(rows.nth(channel), "td") == [value, f"{row}, {column}"]
    weights = page.get_by_role("group", name="The weights of its 12 filters").locator("tbody tr")
    W = lesson.model.parameters()["conv1.W"]
    assert texts(weights.nth(5), "td") == [number(float(w)) for w in W[..., 5].ravel()]
    assert page.evaluate(UNNAMED) == 0


def test_signs_are_text_too(opened, lesson):
    """What is below 0 has its minus wherever its colour is shown."""
    page = opened.go("layer/conv1/gradients/2")
    page.locator("main details", has_text="gradients as a table").locator("summary").press("Enter")
    table = page.get_by_role("group", name=re.compile("gradients$"))
    table.wait_for()
    shown = texts(table, "tbody td")
    dy = lesson.backward["conv1"].dy[0, :, :, 2].ravel()
    assert [text.startswith("-") for text in shown] == (dy < 0).tolist() and (dy < 0).any()


def test_nothing_moves_for_those_who_want_no_motion(browser, written):
    one = Opened(browser, written)
    for view in VIEWS:
        assert one.go(view).evaluate(MOVING) == 0, view
    one.end()


def test_a_view_is_printed_without_what_is_only_pressed(opened, tmp_path):
    for view in ("", "open/conv1[11,11,0]", "example/conv-pool/0"):
        page = opened.go(view)
        page.emulate_media(media="print", color_scheme="dark")
        assert page.locator(".top, nav, .unsaved").locator("visible=true").count() == 0
        ink, ground = page.evaluate(
            "() => ['color', 'backgroundColor'].map((name) => getComputedStyle(document.body)[name])"
        )
        assert (ink, ground) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")
        assert page.locator("h1").is_visible()
        assert page.pdf(path=tmp_path / "page.pdf", format="A4")[:4] == b"%PDF"
        page.emulate_media(media="screen", color_scheme="light")


def test_the_theme_is_the_systems_until_it_is_chosen(opened):
    page = opened.go("")
    root = page.locator("html")
    for scheme in ("dark", "light", "dark"):
        page.emulate_media(color_scheme=scheme)
        expect(root).to_have_attribute("data-theme", scheme)
        expect(root).to_have_css("color-scheme", scheme)
        expect(root).not_to_have_css("scrollbar-color", "auto")  # Firefox has white ones in both
    page.get_by_role("button", name="Dark").click()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        expect(root).to_have_attribute("data-theme", "light")


def test_a_view_that_another_overtakes_leaves_no_complaint(browser, written):
    """On its way in: as a key that is held down has it."""
    one = Opened(browser, written, reduced_motion="no-preference")
    one.go("").evaluate(
        """() => ["conv1", "conv2", "conv3"].forEach((name) => {
            location.hash = `#/layer/${name}`;
            dispatchEvent(new HashChangeEvent("hashchange"));
        })"""
    )
    one.drawn("#/layer/conv3")
    one.end()
