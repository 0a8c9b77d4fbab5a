"""By hand in a browser: where a number was used, the turned kernel, terms that fly, groups by a slider."""

import pytest
from opened_pages import Opened, expect, texts

pytestmark = pytest.mark.browser


def test_where_a_weight_was_used_and_what_its_terms_add_up_to(opened):
    """W[1,1] of the example: nine places, of which three send something: 3*3 + 3*3 + 4*2."""
    page = opened.go("uses")
    assert page.locator(".equation").first.text_content() == "dW[1,1] = 3*3 + 3*3 + 4*2 = 26"
    assert page.locator("[aria-label=dz] .reads").count() == 9
    page.get_by_role("button", name="W[0,0] = 1", exact=True).first.hover()
    assert page.locator(".equation").first.text_content() == "dW[0,0] = 3*2 + 3*2 + 4*1 = 16"
    page.get_by_role("button", name="x[1,2] = 3", exact=True).hover()
    assert page.locator(".equation").first.text_content() == "dx[1,2] = 3*2 = 6"


def test_both_ways_end_in_the_same_dx_cell_by_cell(opened):
    page = opened.go("uses")
    scattered, turned = (page.locator(f"[aria-label={name}]") for name in ("dx", "dx_turned"))
    first = texts(scattered, "button")
    assert first == texts(turned, "button") == [
        "0", "3", "0", "0", "0", "-3", "6", "0", "3", "0", "4", "0", "-3", "6", "-4", "8"
    ]  # fmt: skip
    page.get_by_role("button", name="dx[3,2] = -4", exact=True).focus()
    assert page.locator(".equation").nth(1).text_content() == (
        "dx_turned[3,2] = 0*2 + 4*(-1) + 0*0 + 0*1 = -4"
    )
    expect(turned.locator(".here")).to_have_text("-4")
    assert texts(page.locator("[aria-label=dz_padded]"), ".reads") == ["0", "4", "0", "0"]
    page.get_by_role("button", name="dx_turned[1,1] = -3", exact=True).focus()
    assert page.locator(".equation").first.text_content() == "dx[1,1] = 3*(-1) = -3"


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_terms_fly_into_their_sum_unless_the_reader_wants_no_motion(browser, written, motion):
    one = Opened(browser, written, reduced_motion=motion)
    page = one.go("uses")
    page.evaluate(
        """() => {
            window.flown = [];
            const note = (node) => node.classList?.contains("flying") && flown.push(node.textContent);
            new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach(note)))
                .observe(document.body, { childList: true });
        }"""
    )
    flight = page.locator(".flight").first
    step = flight.get_by_role("button", name="Step")
    expect(flight.locator("[role=status]")).to_have_text("")
    for so_far in ("3*3 + ...", "3*3 + 3*3 + ...", "3*3 + 3*3 + 4*2 = 26"):
        step.click()
        expect(flight.locator("[role=status]")).to_have_text(so_far)
    flown = page.evaluate("window.flown")
    assert flown == ([] if motion == "reduce" else ["3*3", "3*3", "4*2"])
    expect(page.locator(".flying")).to_have_count(0)
    one.end()


def test_a_sum_plays_and_pauses(opened):
    page = opened.go("example/conv-pool/0")
    flight = page.locator(".flight").first
    flight.get_by_role("button", name="Play").click()
    expect(flight.locator(".fed")).to_have_count(2)  # 1*1 and 1*2; its other products are 0
    expect(flight.get_by_role("button", name="Play")).to_be_visible()
    page.get_by_role("button", name="z[0,1] = 6", exact=True).focus()
    flight.get_by_role("button", name="Play").click()
    flight.get_by_role("button", name="Pause").click()
    expect(flight.locator(".fed")).to_have_count(1)


def test_groups_by_a_slider(opened):
    """8 channels, 8 filters, 3 x 3: 3*3*8*8 weights, and half of them in two groups."""
    page = opened.go("sizes")
    assert page.locator("#weights").text_content() == "weights: 3*3*8*8 = 576"
    page.locator("#groups").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#weights").text_content() == "weights: 3*3*4*8 = 288"
    assert page.locator("section line.axis").count() == 32
    page.keyboard.press("End")
    assert page.locator("#weights").text_content() == "weights: 3*3*1*8 = 72"


# --------------------------------------------------------------------------- windows play, levels zoom


def test_a_windows_positions_play_one_by_one(opened, lesson):
    """The marked patch cell is the engine's: row by row, channel 0 of what conv2 sees of its input."""
    page = opened.go("layer/conv2")
    page.locator("ul.links a:has-text('conv2[')").last.click()
    page.wait_for_selector("#value")
    key = page.evaluate("decodeURIComponent(location.hash)")
    row, column, channel = map(int, key.partition("[")[2][:-1].split(","))
    x = lesson.trace["conv2"].x[0, row - 2 : row + 3, column - 2 : column + 3, 0]
    card = page.locator(".card", has=page.locator("#plane"))
    for k in range(7):
        card.get_by_role("button", name="Step").click()
        patch, kernel, _ = texts(card, ".here")
        assert float(patch) == pytest.approx(float(x.flat[k]), abs=1e-5)
        W = lesson.trace["conv2"].params["W"][k // 5, k % 5, 0, channel]
        assert float(kernel) == pytest.approx(float(W), abs=1e-5)
    card.get_by_role("button", name="Play").click()
    card.get_by_role("button", name="Pause").click()
    expect(card.get_by_role("button", name="Play")).to_be_visible()


def test_levels_zoom_in_and_out_unless_the_reader_wants_no_motion(browser, written):
    one = Opened(browser, written, reduced_motion="no-preference")
    page = one.go("")
    ways = []
    for view in ("layer/conv1", "layer/conv2", "open/loss", "layer/conv2", ""):
        page.evaluate("view => { location.hash = `#/${view}`; }", view)
        one.drawn(f"#/{view}")
        ways.append(page.evaluate("document.documentElement.dataset.way"))
    assert ways == ["in", "", "in", "out", "out"]
    one.end()
