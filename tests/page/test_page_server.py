"""The live page: numbers opened when asked for, edits replayed, and strangers kept out."""

import json
import socket
from dataclasses import replace
from http.client import HTTPConnection
from urllib.parse import quote, urlsplit

import numpy as np
import pytest

import tinycnn as tc
from tinycnn import cli
from tinycnn.errors import ArgumentError, UnknownNameError
from tinycnn.explain import explain, open_lesson
from tinycnn.explain.values.printing import number
from tinycnn.page.choosing import NumberAddress
from tinycnn.page.edited import EditedSide
from tinycnn.page.live import LivePage
from tinycnn.page.sides import Side


def asked(server, path="", method="GET", body=None, headers=None):
    """Status, headers and text of an answer; a path that begins with / stands without the token."""
    address = urlsplit(server.address)
    connection = HTTPConnection(address.netloc)
    path = path if path.startswith("/") else address.path + path
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, dict(response.getheaders()), text


def edit(server, content, **headers):
    headers = {"Content-Type": "application/json", **headers}
    return asked(server, "edit", "POST", content, headers)


def test_the_page_and_its_numbers(server):
    status, headers, text = asked(server)
    assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8"
    assert "connect-src 'self'" in text and "<h1>AlexNet (mini)</h1>" in text
    status, _, text = asked(server, f"number?key={quote('conv2[5,6,7]')}")
    opened = json.loads(text)["sides"][0]["opened"]
    assert status == 200 and opened["options"] == "--layer conv2 --at 5,6,7"
    expected = explain(open_lesson(model="mini").trace, "conv2[5,6,7]")
    assert opened["text"] == expected.headline and opened["subject"] == expected.subject
    answer = json.loads(asked(server, f"number?key={quote('conv2.y[5,6,7]')}")[2])
    gradient = answer["sides"][0]["opened"]
    assert answer["difference"] is None
    assert gradient["options"] == "--grad conv2.y --at 5,6,7"


@pytest.mark.parametrize(
    "key", ["", "nope[1]", "conv2[99,0,0]", "conv2[1]", "conv2", "a\nb[1]", "]["]
)
def test_a_number_that_is_not_there(server, key):
    status, _, text = asked(server, f"number?key={quote(key)}")
    assert status == 400 and json.loads(text)["error"]


@pytest.mark.parametrize(
    "path", ["/", "/number?key=loss", "/x/", "//", "/favicon.ico", "/../etc/passwd"]
)
def test_nothing_without_the_token(server, path):
    status, _, text = asked(server, path)
    assert status == 404 and server.token not in text


@pytest.mark.parametrize("path", ["numbers", "edit", "number/../../x", "page.css"])
def test_there_are_no_other_routes(server, path):
    assert asked(server, path)[0] == 404


def test_another_name_for_this_machine_is_refused(server):
    """A site whose name is made to lead here sends its own name along."""
    assert asked(server, headers={"Host": "evil.example"})[0] == 404
    assert edit(server, '{"key": "x[0,0,0]", "value": 1}', Host="evil.example")[0] == 404


def test_another_site_may_not_read_it(server):
    for headers in (asked(server)[1], asked(server, "/")[1]):
        assert "Access-Control-Allow-Origin" not in headers
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["X-Frame-Options"] == "DENY" and headers["Referrer-Policy"] == "no-referrer"


def test_a_form_of_another_site_cannot_edit(server):
    """It can send text or fields, but no JSON."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        headers = {"Content-Type": kind}
        assert asked(server, "edit", "POST", '{"key": "x[0,0,0]", "value": 1}', headers)[0] == 404


@pytest.mark.parametrize(
    "content, words",
    [
        ("", "JSON"), ("[1]", "an edit is"), ("{}", "an edit is"), ("{", "JSON"),
        ('{"key": 1, "value": 1}', "an edit is"), ('{"key": "x[0,0,0]", "value": "1"}', "an edit is"),
        ('{"key": "x[0,0,0]", "value": NaN}', "within"), ('{"key": "x[0,0,0]", "value": 1e999}', "within"),
        ('{"key": "x[0,0]", "value": 1}', "no number"), ('{"key": "x[99,0,0]", "value": 1}', "no number"),
        ('{"key": "conv1[0,0,0]", "value": 1}', "no number"), ('{"key": "x", "value": 1}', "no number"),
        *((f'{{"key": "x[0,0,0]", "value": 1, "sides": {sides}}}', "numbers below 1") for sides in
          ("0", "[1]", "[-1]", "[0.0]", '"0"', "[[0]]", '{"0": 0}', "null", "[0, 1]")),
        (" " * 10_001, "bytes"),
    ],
)  # fmt: skip
def test_an_edit_that_makes_no_sense(server, content, words):
    status, _, text = edit(server, content)
    assert status == 400 and words in json.loads(text)["error"]


def net(tmp_path):
    """Its file; one weight and one pixel decide everything."""
    model = tc.Sequential([tc.layers.Dense(2, activation="softmax")], (1, 2, 1), rng=0)
    with model.edit() as parameters:
        parameters["dense1.W"][...] = [[1, 0], [0, 1]]
        parameters["dense1.b"][...] = 0
    model.save(tmp_path / "net.npz")
    np.save(tmp_path / "x.npy", np.array([[[1.0], [2.0]]]))
    return open_lesson(tmp_path / "x.npy", model=str(tmp_path / "net.npz"), label=0)


def text(live, key, side=0):
    """A number as the page shows it."""
    return live.number(key)["sides"][side]["opened"]["text"]


def test_an_edit_is_replayed(tmp_path):
    """z = (1, 2): loss ln(1 + e); with W[1,1] = 0 it is z = (1, 0), then with x[0,1] = 3 the same."""
    live = LivePage([Side(net(tmp_path), "tinycnn step")])
    losses = [np.log(1 + np.e), np.log(1 + np.exp(-1))]
    assert text(live, "loss") == number(losses[0])
    live.edit({"key": "dense1.W[1,1]", "value": 0})
    assert text(live, "loss") == number(losses[1])
    live.edit({"key": "x[0,1,0]", "value": 3})
    assert text(live, "loss") == number(losses[1])
    live.edit({"key": "dense1.b[1]", "value": 1.0})  # z = (1, 1)
    assert text(live, "loss") == number(np.log(2))
    assert text(live, "dense1.W[1,1]") == number(3 * 0.5)  # x * (p - onehot)


# --------------------------------------------------------------------------- two sides


@pytest.fixture
def pair(tmp_path):
    """The same network and picture twice, the labels 0 and 1."""
    lessons = [
        net(tmp_path),
        open_lesson(tmp_path / "x.npy", model=str(tmp_path / "net.npz"), label=1),
    ]
    return LivePage([Side(lesson, "tinycnn step") for lesson in lessons])


def losses(live):
    return [text(live, "loss", side) for side in (0, 1)]


def test_each_side_has_its_number_and_their_difference_stands_beside(pair):
    """z = (1, 2): ln(1 + e) against label 0, ln(1 + 1/e) against label 1; 1 less."""
    before = [number(float(np.log(1 + np.exp(sign)))) for sign in (1, -1)]
    assert losses(pair) == before
    assert pair.number("loss")["difference"][0][1:] == [*before, number(-1.0)]


def test_an_edit_goes_to_the_side_that_it_is_made_on(pair):
    before = losses(pair)
    pair.edit({"key": "dense1.W[1,1]", "value": 0, "sides": [1]})  # z = (1, 0) on the right
    assert losses(pair) == [before[0], number(float(np.log(1 + np.e)))]
    pair.edit({"key": "x[0,1,0]", "value": 1.0, "sides": [0]})  # z = (1, 1) on the left
    assert losses(pair) == [number(float(np.log(2))), number(float(np.log(1 + np.e)))]


@pytest.mark.parametrize("chosen", [{}, {"sides": [0, 1]}, {"sides": [1, 0, 1]}])
def test_an_edit_of_both_sides_is_made_once_on_each(pair, chosen):
    pair.edit({"key": "dense1.b[1]", "value": -1.0, **chosen})  # z = (1, 1)
    assert losses(pair) == [number(float(np.log(2)))] * 2


@pytest.mark.parametrize("sides", [[2], [0, 2], ["1"], [None], 1, {}])
def test_there_is_no_third_side(pair, sides):
    before = losses(pair)
    with pytest.raises(ArgumentError, match="numbers below 2"):
        pair.edit({"key": "dense1.b[1]", "value": 1, "sides": sides})
    assert losses(pair) == before


def test_what_one_side_has_not_is_refused_there_alone_and_edited_on_neither(tmp_path):
    live = LivePage([Side(net(tmp_path), ""), Side(open_lesson(model="mini"), "")])
    left, right = live.number("dense1[0]")["sides"]
    assert left["opened"]["text"] == number(1 / (1 + np.e)) and "no layer" in right["refused"]
    assert live.number("dense1[0]")["difference"] is None
    with pytest.raises(UnknownNameError):
        live.number("nowhere[0]")
    before = losses(live)
    with pytest.raises(
        ArgumentError, match=r"there is no number 'dense1.b\[0\]' to edit; there are x"
    ):
        live.edit({"key": "dense1.b[0]", "value": 9})
    assert losses(live) == before


def test_one_network_on_both_sides_is_edited_on_both(tmp_path):
    """Somebody's own code may give the same one twice."""
    lesson = net(tmp_path)
    live = LivePage([Side(lesson, ""), Side(replace(lesson, label=1), "")])
    live.edit({"key": "dense1.b[1]", "value": -1.0, "sides": [0]})
    assert losses(live) == [number(float(np.log(2)))] * 2


def test_mistakes_in_python(tmp_path):
    live = LivePage([Side(net(tmp_path), "tinycnn step")])
    with pytest.raises(UnknownNameError, match="there is no layer"):
        live.number("conv9[0]")
    with pytest.raises(ArgumentError, match=r"there is no number 'y\[0\]' to edit; there are x\["):
        live.edit({"key": "y[0]", "value": 1})


def test_a_port_in_use_is_told(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code = cli.main(["page", "--model", "mini", "--serve", "--port", str(port)])
    err = capsys.readouterr().err
    assert code == 2 and f"port {port} cannot be used: " in err and "0 for any that is free" in err


@pytest.mark.parametrize(
    "argv, words",
    [
        (["--serve", "-o", "a.html"], "--serve writes no file"),
        (["--port", "80"], "--port goes with --serve"),
        (["--serve", "--port", "70000"], "--port must"),
    ],
)
def test_options_that_do_not_fit(capsys, argv, words):
    assert cli.main(["page", "--model", "mini", *argv]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("model, weights", [("mini", "random, seed 0"), ("fashion", "trained")])
def test_weights_that_were_edited_are_called_so(model, weights):
    """A pixel leaves them as they are."""
    one = EditedSide(Side(open_lesson(model=model), ""))
    before = one.side.lesson
    assert before.weights.startswith(weights)
    one.edit(NumberAddress.of("x[0,0,0]", []), 0.5)
    assert (one.side.lesson.weights, one.side.lesson.random) == (before.weights, before.random)
    for value in (2.0, 3.0):
        one.edit(NumberAddress.of("fc3.b[3]", []), value)
        after = one.side.lesson
        assert (after.weights, after.random) == (f"{before.weights}, then edited here", False)
