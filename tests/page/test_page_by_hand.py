"""By hand in a browser: where a number was used, the turned kernel, terms that fly, groups by a slider."""

import re

import numpy as np
import pytest
from opened_pages import Opened, expect, texts

from tinycnn.explain.values.printing import number

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


def watch(page):
    """Note what flies: its text, and where it begins."""
    page.evaluate(
        """() => {
            window.flown = [];
            const note = (node) => {
                if (!node.classList?.contains("flying")) return;
                flown.push([node.textContent, parseFloat(node.style.left), parseFloat(node.style.top)]);
                document.body.dataset.flown = flown.length;
            };
            new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach(note)))
                .observe(document.body, { childList: true });
        }"""
    )


def begins_at(flown, cell):
    """Whether something began at a cell, and looks like it."""
    text, left, top = flown
    box = cell.bounding_box()
    return text == cell.text_content() and (left, top) == pytest.approx((box["x"], box["y"]), abs=1)


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_terms_fly_into_their_sum_unless_the_reader_wants_no_motion(browser, written, motion):
    """From the cells where they stand: dz[0,1] and the x[1,2] that W[1,1] met there, and so on."""
    one = Opened(browser, written, reduced_motion=motion)
    page = one.go("uses")
    watch(page)
    flight = page.locator(".flight").first
    step = flight.get_by_role("button", name="Step")
    expect(flight.locator("[role=status]")).to_have_text("")
    for so_far in ("3*3 + ...", "3*3 + 3*3 + ...", "3*3 + 3*3 + 4*2 = 26"):
        step.click()
        expect(flight.locator("[role=status]")).to_have_text(so_far)
    assert texts(page, ".now") == ["4", "2"]  # those of the last term are marked, whatever moves
    flown = page.evaluate("window.flown")
    cells = ["dz[0,1] = 3", "x[1,2] = 3", "dz[2,0] = 3", "x[3,1] = 3", "dz[2,2] = 4", "x[3,3] = 2"]
    if motion == "reduce":
        assert flown == []
    else:
        for each, name in zip(flown, cells, strict=True):
            assert begins_at(each, page.get_by_role("button", name=name, exact=True).first), name
    expect(page.locator(".flying")).to_have_count(0)
    one.end()


def test_a_pools_gradients_fly_to_the_cell_that_won_them(browser, written):
    """dx[2,2] = 1 + 3 + 4: three of the overlapping windows."""
    one = Opened(browser, written, reduced_motion="no-preference")
    page = one.go("example/overlap/1")
    page.get_by_role("button", name="dx[2,2] = 8", exact=True).focus()
    watch(page)
    flight = page.locator(".flight")
    for so_far in ("1 + ...", "1 + 3 + ...", "1 + 3 + 4 = 8"):
        flight.get_by_role("button", name="Step").click()
        expect(flight.locator("[role=status]")).to_have_text(so_far)
    dy = [page.get_by_role("button", name=f"dy[{at}]").first for at in ("0,0", "1,0", "1,1")]
    flown = page.evaluate("window.flown")
    assert all(begins_at(*pair) for pair in zip(flown, dy, strict=True))
    one.end()


def test_a_sum_plays_and_pauses(opened):
    opened.page.clock.install()  # a second lasts as long as the test says
    page = opened.go("example/conv-pool/0")
    flight = page.locator(".flight").first
    flight.get_by_role("button", name="Play").click()
    expect(flight.locator(".fed")).to_have_count(1)
    page.clock.run_for(700)
    expect(flight.locator(".fed")).to_have_count(2)  # 1*1 and 1*2; its other products are 0
    page.clock.run_for(700)
    expect(flight.locator("[role=status]")).to_have_text("1*1 + 1*2 - 1 = 2")
    expect(flight.get_by_role("button", name="Play")).to_be_visible()
    page.get_by_role("button", name="z[0,1] = 6", exact=True).focus()
    flight.get_by_role("button", name="Play").click()
    flight.get_by_role("button", name="Pause").click()
    page.clock.run_for(5000)
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
    opened.page.clock.install()
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
    before = texts(card, ".here")
    page.clock.run_for(700)
    assert texts(card, ".here") != before
    card.get_by_role("button", name="Pause").click()
    expect(card.get_by_role("button", name="Play")).to_be_visible()


def test_the_factors_of_an_opened_number_fly_from_patch_and_kernel(browser, written):
    """Into their product; and of a sum part by part, from the position and the plane that the part is of."""
    one = Opened(browser, written, reduced_motion="no-preference")
    link = one.go("layer/conv2").locator("ul.links a:has-text('conv2[')").last.text_content()
    page = one.go(f"open/{link.partition(' = ')[0]}")
    card, total = page.locator(".card", has=page.locator("#plane")), page.locator(".total")
    watch(page)
    card.get_by_role("button", name="Step").click()
    patch, kernel, _ = card.locator(".here").all()
    expect(page.locator(".flying")).to_have_count(0)
    flown = page.evaluate("window.flown")
    assert begins_at(flown[0], patch) and begins_at(flown[1], kernel) and len(flown) == 2

    page.locator("table.parts button").nth(7).click()  # position (1,2), channel after channel
    for channel in range(3):
        page.evaluate("window.flown.length = 0")
        total.get_by_role("button", name="Step").click()
        page.wait_for_selector("body[data-flown='3']")
        expect(page.locator(".flying")).to_have_count(0)
        assert page.locator("#plane").input_value() == str(channel)
        factors = card.locator(".here").all()[:2]
        first, second, product = page.evaluate("window.flown")
        assert begins_at(first, factors[0]) and begins_at(second, factors[1])
        assert begins_at(product, page.locator("table.parts td.fed").nth(channel))
    one.end()


def test_the_terms_of_a_weight_fly_from_their_places_on_the_map(browser, written, lesson):
    one = Opened(browser, written, reduced_motion="no-preference")
    link = one.go("layer/conv1").locator("ul.links a:has-text('conv1.W[')").first.text_content()
    key = link.partition(" = ")[0]
    page = one.go(f"open/{key}")
    i, j, c, f = (int(at) for at in key.partition("[")[2][:-1].split(","))
    record = lesson.backward["conv1"]
    terms = record.dz[0, :, :, f].astype(float) * record.x[0, i : i + 92 : 4, j : j + 92 : 4, c]
    watch(page)
    region = np.abs(terms[:5, :5])  # the first of 5 x 5, of 23 x 23 places: 5, 5, 5, 4, 4
    largest = np.unravel_index(region.argmax(), region.shape)
    page.locator(".total").get_by_role("button", name="Step").click()
    words = page.locator("p.mono", has_text="dz * x")
    assert words.text_content().startswith(f"place ({largest[0]},{largest[1]}): dz * x = ")
    frame = page.locator("[data-linked=terms] .frame").bounding_box()
    _, left, top = page.evaluate("window.flown")[0]
    assert (left, top) == pytest.approx((frame["x"], frame["y"]), abs=1)
    one.end()


def test_a_windows_numbers_tell_where_else_they_compete(opened, lesson):
    """Those of pool1's window, and which of its neighbours hold them, gone through one by one."""
    link = opened.go("layer/pool1").locator("ul.links a:has-text('pool1[')").last.text_content()
    page = opened.go(f"open/{link.partition(' = ')[0]}")
    row, column, channel = (int(at) for at in link.partition("[")[2].partition("]")[0].split(","))
    record = lesson.trace["pool1"]
    x, y = record.x[0, :, :, channel], record.y[0, :, :, channel]
    table = page.locator(".matrix table")
    for i, j in ((0, 0), (1, 1), (2, 1)):
        h, w = 2 * row + i, 2 * column + j
        held = [(r, c) for r, c in np.ndindex(y.shape) if 0 <= h - 2 * r < 3 and 0 <= w - 2 * c < 3]
        table.locator("td").nth(3 * i + j).locator("[aria-label]").focus()
        assert (
            page.locator(".stage .equation")
            .text_content()
            .startswith(f"conv1[{h},{w},{channel}] = ")
        )
        lines = page.locator(".stage table.parts tr")
        assert lines.count() == len(held)
        for line, (r, c) in zip(lines.all(), held, strict=True):
            window = x[2 * r : 2 * r + 3, 2 * c : 2 * c + 3]
            at = np.unravel_index(window.argmax(), window.shape)
            winner = 2 * r + at[0], 2 * c + at[1]
            outcome = "won" if winner == (h, w) else f"lost to {winner[0]},{winner[1]}"
            assert line.locator("th").text_content() == f"window ({r},{c}), {outcome}"
            assert line.locator("td").text_content() == number(float(y[r, c]))


def test_the_windows_over_a_cell_and_what_they_send_lead_on(browser, server, lesson):
    """dL/dy of conv1 is made of pool1's: each dy leads to the gradient, and 1 or 0 to the window."""
    pool = lesson.backward["pool1"]
    h, w, channel = (int(at) for at in np.argwhere(pool.dx[0] != 0)[0])
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{server.address}#/open/conv1.y[{h},{w},{channel}]")
    lines = page.locator("table.parts tr")
    lines.first.wait_for()
    for line in lines.all():
        dy, wins = line.locator("a").all()
        r, c = (int(at) for at in re.search(r"window \((\d+),(\d+)\)", dy.text_content()).groups())
        assert dy.get_attribute("href") == f"#/open/pool1.y%5B{r}%2C{c}%2C{channel}%5D"
        assert wins.get_attribute("href") == f"#/open/pool1%5B{r}%2C{c}%2C{channel}%5D"
        assert float(wins.text_content()) == (pool.y[0, r, c, channel] == pool.x[0, h, w, channel])
    total = page.locator("#value").text_content()
    assert total == number(float(pool.dx[0, h, w, channel]))
    context.close()


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
