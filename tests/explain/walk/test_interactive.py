"""``tinycnn step -i`` in a pseudo-terminal: keys in, and what a person then sees."""

import pytest
from pseudo_terminal import Terminal

NETWORK = """
import tinycnn as tc
from tinycnn.layers import Conv2D, Dense, MaxPool2D

small = tc.Sequential(
    [
        Conv2D(4, 5, stride=2, activation="relu", name="conv"),
        MaxPool2D(3, stride=2, name="pool"),
        Dense(10, activation="softmax", name="last"),
    ],
    (31, 31, 3),
    name="A small network",
)
"""


@pytest.fixture
def walk(tmp_path, monkeypatch):
    """Start a walk through a small network; further arguments are those of `Terminal`."""
    (tmp_path / "nets.py").write_text(NETWORK)
    monkeypatch.chdir(tmp_path)
    opened = []

    def start(*argv, **settings):
        terminal = Terminal("step", "-i", "--model", "nets.py:small", *argv, **settings)
        opened.append(terminal)
        return terminal

    yield start
    for terminal in opened:
        terminal.close()


def test_a_walk_from_the_layers_to_a_number_and_its_gradient(walk):
    terminal = walk()
    seen = terminal.shows("A small network", "forward", "14 x 14 x 4", "q leave")
    assert "› conv" in seen and "floor((31+0-5)/2)+1 = 14" in seen
    assert 1049 in terminal.screen.modes and 25 not in terminal.screen.modes
    terminal.press("down", "down")
    terminal.shows("› last")
    terminal.press("up", "up", "right")
    seen = terminal.shows("conv › filter ", "row ", "sees rows ", "Enter open", without=["› conv"])
    filters = {terminal.shows("conv › filter ").splitlines()[0].split()[3]}
    for _ in range(3):
        title = terminal.screen.text().splitlines()[0]
        terminal.press("]")
        terminal.shows("conv › filter ", without=[title])
        filters.add(terminal.screen.text().splitlines()[0].split()[3])
    assert filters == {"0", "1", "2", "3"}
    terminal.press("home", *["up"] * 14)
    terminal.shows("row 0, column 0, filter", "sees rows 0..4, columns 0..4")
    terminal.press("enter")
    terminal.shows("conv, row 0, column 0, filter", "SEES", "75 products x * W", "Esc back")
    terminal.press("left", "enter")
    terminal.shows("Enter where it comes from")
    terminal.press("enter")
    terminal.shows("input › ", "forward")
    terminal.press("esc", "right", "enter")
    terminal.shows("conv.W › ", "Enter opens its gradient")
    terminal.press("esc", "esc")
    terminal.shows("conv, row 0, column 0", "Enter open the part")
    terminal.press("end")
    terminal.shows("conv, row 0, column 0", "NEXT", without=["products"])
    terminal.press("b")
    terminal.shows("dL/dy of conv, row 0, column 0", "b forward")
    terminal.press("b")
    terminal.shows("75 products x * W", "b backward")
    terminal.press("esc")
    terminal.shows("conv › filter ", "row 0, column 0, filter", "forward")
    terminal.press("w", "b")
    terminal.shows("dL/d conv.W › ", ", filter ", "conv.W is ", "backward, label 0")
    terminal.press("enter")
    terminal.shows("dL/d conv.W[", "196 places", "SUMS")
    terminal.press("backspace", "backspace")
    terminal.shows("dL/dW = sum over all places of dz * x", "› conv")
    terminal.press("?")
    terminal.shows("The keys", "Shift-Tab")
    terminal.press("q")
    assert terminal.ends() == 0 and terminal.restored


@pytest.mark.process
def test_the_window_changes_size_and_may_be_tiny(walk):
    terminal = walk("--layer", "conv", lines=10, columns=40)
    terminal.shows("conv › filter ", "sees rows ", "q leave")
    terminal.press("enter")
    terminal.shows("conv, row", "SEES", without=["sees"])
    terminal.resize(40, 120)
    terminal.shows("75 products x * W, added up by kernel position:", "CHECK")
    for lines, columns in ((3, 9), (1, 1), (2, 200)):
        terminal.resize(lines, columns)
        terminal.press("down", "esc", "b", "w", "?", "up", "esc", "w", "b", "ctrl-l", "enter")
    terminal.resize(30, 100)
    terminal.shows("conv", "q leave")  # where it is depends on which keys a new size cut in two
    terminal.press("q")
    assert terminal.ends() == 0 and terminal.restored


@pytest.mark.process
def test_ctrl_c_leaves_the_terminal_as_it_was(walk):
    terminal = walk("--layer", "last", "--at", "3", TERM="xterm-256color", NO_COLOR="1")
    terminal.shows("last, unit 3", "144 products x * W", "q leave")
    terminal.press("ctrl-c")
    assert terminal.ends() == 130 and terminal.restored
    assert "interrupted" in terminal.screen.text()
    assert not terminal.coloured


@pytest.mark.process
def test_colours_where_the_terminal_has_them(walk):
    terminal = walk("--layer", "conv", TERM="xterm-256color")
    terminal.shows("conv › filter ", "[]", "q leave")
    assert terminal.coloured
    terminal.press("tab", "b")
    terminal.shows("dL/dy of pool › ")
    terminal.press("q")
    assert terminal.ends() == 0 and terminal.restored


@pytest.mark.process
@pytest.mark.parametrize("name", ["no-such-terminal", "dumb", ""])
def test_a_terminal_that_cannot_be_drawn_on_is_named(walk, name):
    terminal = walk(TERM=name)
    assert terminal.ends() == 2
    assert f"TERM='{name}'" in terminal.stream and terminal.stream.count("\n") == 1


@pytest.mark.process
def test_a_mistake_is_told_once_the_terminal_is_restored(walk):
    terminal = walk("--layer", "nowhere")
    assert terminal.ends() == 2 and terminal.restored
    assert "no layer is named 'nowhere'" in terminal.screen.text()


@pytest.mark.process
def test_a_network_of_nan_says_where_it_begins_and_fails(walk, tmp_path):
    spoiled = "\nwith small.edit() as parameters:\n    parameters['conv.W'][...] = float('nan')\n"
    with (tmp_path / "nets.py").open("a") as file:
        file.write(spoiled)
    terminal = walk()
    words = "conv.W holds NaN: 300 of its 300 numbers, the first at [0,0,0,0]"
    terminal.shows("A small network", words)
    terminal.press("down")
    terminal.shows("q leave", without=[words])
    terminal.press("q")
    assert terminal.ends() == 1 and terminal.restored
    assert f"tinycnn: {words}" in terminal.stream and "Warning" not in terminal.stream
