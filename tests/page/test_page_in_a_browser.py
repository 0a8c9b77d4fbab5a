"""The page in a real browser: its numbers, its keys, its accessibility, and that nothing leaves the file."""

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from opened_pages import SIZES, VIEWS, Opened, expect, texts
from PIL import Image
from served_pages import served

from tinycnn import cli, shapes
from tinycnn.explain import open_lesson
from tinycnn.explain.values.printing import number

pytestmark = pytest.mark.browser

# --------------------------------------------------------------------------- numbers


def test_the_overview_has_the_networks_numbers(opened, lesson):
    page = opened.go("")
    rows = page.locator("main table.numbers tbody tr")
    assert rows.count() == len(lesson.trace.records)
    for k, record in enumerate(lesson.trace.records):
        cells = rows.nth(k).locator("td").all_text_contents()
        assert rows.nth(k).locator("th").text_content() == record.name
        assert cells[1] == " x ".join(map(str, record.y.shape[1:]))
        count = sum(int(np.prod(array.shape)) for array in record.params.values())
        assert not count or cells[2].endswith(f"= {count:,}")
    rows = opened.go("/gradients").locator("main table.numbers tbody tr")
    for k, record in enumerate(lesson.backward.records):
        rule, largest, at, _zeros = rows.nth(k).locator("td").all_text_contents()
        array = record.grads["W"] if record.grads else record.dx[0]
        assert rule.startswith(f"dL/d{'W' if record.grads else 'x'} = ")
        assert largest == number(float(array[tuple(map(int, at.split(",")))]))
        assert abs(array).max() == abs(array[tuple(map(int, at.split(",")))])
    page = opened.go("")
    loss = page.locator("main .card p.mono").first.text_content()
    p = float(lesson.trace.y[0, 281])
    assert loss == f"-ln p[281] = -ln {number(p)} = {number(-np.log(p))}"


@pytest.mark.parametrize(
    "name, at", [("conv1", (3, 20, 5)), ("pool2", (4, 0, 31)), ("conv5", (2, 2, 7))]
)
def test_a_maps_cell_is_the_traces(opened, lesson, name, at):
    row, column, channel = at
    page = opened.go(f"layer/{name}/maps/{channel}/{row},{column}")
    value = number(float(lesson.trace[name].y[(0, *at)]))
    assert page.locator("#cell").text_content() == f"{name}[{row},{column},{channel}] = {value}"
    page.locator("details summary").nth(1).click()  # the first is the sheet's
    table = page.locator("details table.numbers tbody tr")
    for i, line in enumerate(lesson.trace[name].y[0, :, :, channel]):
        expect(table.nth(i).locator("td")).to_have_text([number(float(v)) for v in line])


def test_a_gradients_cell_is_the_traces(opened, lesson):
    page = opened.go("layer/conv2/gradients/3/5,6")
    value = number(float(lesson.backward["conv2"].dy[0, 5, 6, 3]))
    assert page.locator("#cell").text_content() == f"dL/dy of conv2[5,6,3] = {value}"


def test_numbers_are_printed_as_the_terminal_prints_them(opened):
    """Halves go to the even neighbour, as they do in Python."""
    values = [0.0, 1.03125, -1.03125, 2.5e-5, 1234567.0, 0.15625, 99999.5, 3.14159265, -0.00012345]
    values += np.random.default_rng(0).normal(size=200).astype(np.float32).tolist()
    values += (np.random.default_rng(1).integers(-(2**20), 2**20, 300) / 2**17).tolist()
    page = opened.go("")
    shown = page.evaluate(
        "values => import('numbers').then(({ number }) => values.map((value) => number(value)))",
        values,
    )
    assert shown == [number(value) for value in values]


@pytest.mark.parametrize(
    "key", ["conv1[", "conv2[", "fc1[", "conv1.W[", "conv4.W[", "pool1.x[", "fc3.b["]
)
def test_an_opened_number_agrees_with_the_trace(opened, lesson, key):
    page = opened.go("layer/" + re.match(r"[a-z0-9]+", key)[0])
    link = page.locator(f"ul.links a:has-text('{key}')").first
    name, value = link.text_content().split(" = ")
    link.click()
    page.wait_for_selector("#value")
    assert page.locator("#value").text_content() == value
    part, at = re.match(r"(.*)\[(.*)\]", name).groups()
    place = tuple(map(int, at.split(",")))
    layer, _, part = part.partition(".")
    record = lesson.backward[layer]
    array = record.y[0] if not part else record.dx[0] if part == "x" else record.grads[part]
    assert value == number(float(array[place]))
    assert "disagrees" not in page.locator("main").text_content()
    assert "agrees" in page.locator("main").text_content()


def test_any_part_of_a_sum_opens(opened, lesson):
    """The first position, not the largest; its products, and what they add up to."""
    page = opened.go("layer/conv2")
    name = page.locator("ul.links a:has-text('conv2[')").first.text_content().split(" = ")[0]
    row, column, channel = map(int, re.findall(r"\d+", name)[1:])
    page.locator(f"a:has-text('{name}')").first.click()
    parts = page.locator("table.parts button")
    place = parts.last.get_attribute("aria-label")
    i, j = map(int, re.search(r"position \((\d),(\d)\)", place).groups())
    parts.last.click()
    rows = page.locator("table.parts tr")
    x = lesson.trace["conv2"].x[0, row - 2 + i, column - 2 + j]
    W = lesson.trace["conv2"].params["W"][i, j, :, channel]
    assert rows.count() == len(x) == 12
    for k in range(12):
        cells = rows.nth(k).locator("td").all_text_contents()
        assert float(cells[0]) == pytest.approx(float(x[k]), abs=1e-5)
        assert float(cells[2]) == pytest.approx(float(W[k]), abs=1e-5)
        assert float(cells[4]) == pytest.approx(float(x[k]) * float(W[k]), abs=1e-4)


# --------------------------------------------------------------------------- by hand


def test_slide_the_window(opened):
    page = opened.go("example/conv-pool/0")
    page.get_by_role("button", name="z[0,0] = 2", exact=True).focus()
    page.keyboard.press("ArrowRight")
    assert (
        page.locator(".equation").first.text_content()
        == "z[0,1] = 2*1 + 0*0 + 1*(-1) + 3*2 - 1 = 6"
    )
    assert texts(page, ".operands .reads") == ["2", "0", "1", "3", "1", "0", "-1", "2", "-1"]
    page.keyboard.press("ArrowDown")
    assert page.locator(".equation").first.text_content().startswith("z[1,1] = ")


def test_where_was_it_used(opened):
    page = opened.go("example/conv-pool/0")
    page.get_by_role("button", name="W[1,1] = 2", exact=True).hover()
    assert "W[1,1] is used in 9 cells" in page.locator(".equation").first.text_content()
    assert page.locator(".results .fed").count() == 9
    page.get_by_role("button", name="x[0,0] = 1", exact=True).hover()
    assert page.locator(".results .fed").count() == 1


def test_predict_before_the_number_is_shown(opened):
    page = opened.go("example/conv-pool/0")
    page.locator("#predict").click()
    assert set(texts(page, ".results button")) == {"?"}
    cell = page.get_by_role("button", name="z[0,1], hidden", exact=True)
    cell.focus()
    assert "6" not in page.locator(".equation").first.text_content()
    page.keyboard.press("Enter")
    assert page.locator(".equation").first.text_content().endswith("= 6")
    assert sorted(set(texts(page, ".results button"))) == ["6", "?"]


def test_the_size_formula_is_the_engines(opened):
    page = opened.go("sizes")
    cases = [
        (n, k, s, p, d)
        for n in (5, 7, 224, 227) for k in (1, 2, 3, 11) for s in (1, 2, 4) for p in (0, 2) for d in (1, 3)
        if d * (k - 1) + 1 <= n + 2 * p
    ]  # fmt: skip
    shown = page.evaluate(
        """cases => Promise.all([import('sizes'), import('data')]).then(async ([{ sizeOf }, { unpack }]) => {
            const data = await unpack(document.getElementById('data').textContent);
            return cases.map(([input, kernel, stride, padding, dilation]) =>
                sizeOf(data.sizes, { input, kernel, stride, padding, dilation }).formula);
        })""",
        cases,
    )
    for (n, k, s, p, d), formula in zip(cases, shown, strict=True):
        window = shapes.window((n, n), k, stride=s, padding=p, dilation=d)
        assert formula == window.height.formula
    page.get_by_role("button", name="AlexNet: 227 to 55").click()
    assert page.locator("#formula").text_content() == "floor((227+0-11)/4)+1 = 55"
    page.get_by_role("button", name="a remainder").click()
    assert "Never read: 2, 5, 6." in page.locator("figcaption").first.text_content()
    page.locator("#kernel").focus()
    page.keyboard.press("End")
    expect(page.locator("#formula")).to_contain_text("no output")
    expect(page.locator("#weights")).to_have_text("weights: 11*11*8*8 = 7,744")


def test_a_gradient_with_a_finger(opened):
    page = opened.go("slope")
    page.get_by_role("button", name="W[1,1]").click()
    slider = page.locator("#move")
    slider.focus()
    page.keyboard.press("ArrowRight")
    # logits 4 + h and 4 + ln 3 + ... : the loss itself is checked where the curve is made
    assert slider.get_attribute("aria-valuetext").startswith("h = 0.0250, loss ")


def test_softmax_bars(opened):
    page = opened.go("softmax")
    page.get_by_role("button", name="class 0").click()
    assert texts(page, "main tbody tr td:last-child") == ["-7/8", "1/4", "5/8"]


def test_fifty_steps(opened):
    page = opened.go("learning")
    assert "about -0.225; it does change by -0.216151" in page.locator("main").text_content()
    page.locator("#step").focus()
    page.keyboard.press("End")
    assert "step 50: loss" in page.locator("main").text_content()


# --------------------------------------------------------------------------- keys, looks, access


def test_from_the_start_to_a_product_by_keys_alone(opened):
    page = opened.go("")
    page.locator("ol.flow a", has_text="conv2").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("conv2")
    expect(page.locator("h1")).to_be_focused()
    page.locator("ul.links a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#value")
    page.locator("table.parts button").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("table.parts tr").count() >= 2
    page.keyboard.press("Escape")
    expect(page.locator("h1")).to_have_text("conv2")
    page.keyboard.press("Escape")
    page.wait_for_selector("ol.flow")
    page.keyboard.press("g")
    opened.drawn("#//gradients")


def test_a_lecture_goes_on_with_one_key(opened):
    page = opened.go("example/whole/0")
    stages = page.locator("ol.steps a").count()
    seen = [page.locator("main h2").first.text_content()]
    for stage in range(1, stages):
        page.keyboard.press("PageDown")
        opened.drawn(f"#/example/whole/{stage}")
        seen.append(page.locator("main h2").first.text_content())
    assert seen[0] == "forward: z" and "backward: dx, dW, db" in seen
    assert "-0.225" in page.locator("main").text_content()


def test_arrows_walk_a_map_and_tell_where_they_are(opened, lesson):
    page = opened.go("layer/conv1/maps/2/0,0")
    page.locator(".map[role=application]").nth(1).focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    value = number(float(lesson.trace["conv1"].y[0, 0, 2, 2]))
    assert page.locator("#cell").text_content() == f"conv1[0,2,2] = {value}"
    assert page.locator("#spoken").text_content() == f"conv1[0,2,2] = {value}"


@pytest.mark.parametrize("size", SIZES)
def test_no_view_is_wider_than_the_screen(browser, written, size):
    one = Opened(browser, written, size)
    for view in VIEWS:
        page = one.go(view)
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0], view
        assert page.locator("h1").count() == 1
        assert "undefined" not in page.locator("main").inner_text(), view
    one.end()


def test_a_view_is_saved_as_a_picture(opened, tmp_path):
    page = opened.go("layer/conv1/maps/2")
    box = page.locator(".shown").bounding_box()
    for kind in ("svg", "png"):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Save as {kind.upper()}").click()
        assert download.value.suggested_filename == f"conv1.{kind}"
        download.value.save_as(tmp_path / f"conv1.{kind}")
    root = ElementTree.parse(tmp_path / "conv1.svg").getroot()
    assert root.tag.endswith("svg") and int(root.get("width")) == math.ceil(box["width"])
    with Image.open(tmp_path / "conv1.png") as picture:
        assert picture.size == (2 * math.ceil(box["width"]), 2 * math.ceil(box["height"]))
        colours = picture.convert("RGB").getcolors(1 << 24)
        assert len(colours) > 100  # the map, the photograph and the text are on it


@pytest.mark.parametrize("view", [
    "constructor", "open/constructor", "open/__proto__", "layer/__proto__/x/-1/a,b", "example/toString/-3",
    "example/whole/1e9",
])  # fmt: skip
def test_an_address_that_names_nothing_still_shows_a_page(opened, view):
    assert opened.go(view).locator("h1").count() == 1


def test_an_address_that_is_no_address(opened):
    page = opened.go("")
    page.evaluate("location.hash = '#/layer/%/%E0%A4%A'")
    opened.drawn("#/layer/%/%E0%A4%A")
    assert page.locator("h1").count() == 1


def test_the_first_tab_leads_past_the_head(opened):
    page = opened.go("layer/conv1")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    assert page.locator("h1").text_content() == "conv1"


def test_classes_that_are_numbers_can_be_given_names(opened):
    words = "Classes stand here as numbers: --classes FILE gives them names."
    assert words in opened.go("").locator("main").inner_text()


def test_hostile_names_are_text(browser, tmp_path):
    """In a model's name, a layer's, and a file's."""
    hostile = tmp_path / "a<img src=x onerror=alert(1)>.py"
    hostile.write_text(
        "import tinycnn as tc\n"
        "net = tc.Sequential([\n"
        "    tc.layers.Conv2D(2, 3, activation='relu', name='<b onmouseover=alert(2)>/#?%'),\n"
        "    tc.layers.Dense(3, activation='softmax', name='\"><script>alert(3)</script>')],\n"
        "    (8, 8, 1), name='</script><script>alert(4)</script>')\n",
        "utf-8",
    )
    target = tmp_path / "page.html"
    assert cli.main(["page", "--model", f"{hostile}:net", "-o", str(target)]) == 0
    one = Opened(browser, target)
    alerts = []
    one.page.on("dialog", lambda dialog: alerts.append(dialog.message))
    page = one.go("")
    assert page.locator("h1").text_content() == "</script><script>alert(4)</script>"
    page.locator("ol.flow a", has_text="<b onmouseover").click()
    expect(page.locator("h1")).to_have_text("<b onmouseover=alert(2)>/#?%")
    page.locator("ul.links a").first.click()
    page.wait_for_selector("#value")
    assert alerts == [] and page.locator("img, main script, main b[onmouseover]").count() == 0
    one.end()


def test_the_live_page_opens_any_number_and_replays_an_edit(browser, lesson):
    with served(open_lesson(model="mini")) as server:
        one = Opened(browser, server.address)
        page = one.go("layer/conv2/maps/7/5,6")
        page.get_by_role("link", name="Open this number").click()
        expect(page.locator("#value")).to_have_text(
            number(float(lesson.trace["conv2"].y[0, 5, 6, 7]))
        )
        page.locator("table.parts button").first.click()
        page.locator(
            "table.parts th a"
        ).first.click()  # a product leads to the cell that it comes from
        expect(page.locator("h1")).to_contain_text("pool1, row 3, column 4, channel 0")
        one.go("")
        page.fill("#edit-key", "fc3.b[281]")
        page.fill("#edit-value", "5")
        page.get_by_role("button", name="Set it").click()
        row = page.locator("#edits tbody tr")
        z = lesson.trace["fc3"].z[0].astype(np.float64)
        before = np.log(np.exp(z).sum()) - z[281]
        z[281] += 5
        after = np.log(np.exp(z).sum()) - z[281]
        expect(row.locator("td")).to_have_text(["0", "5.0000", number(before), number(after)])
        one.end()
