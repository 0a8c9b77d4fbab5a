"""The live page: numbers opened when asked for, edits replayed, and strangers kept out."""

import json
import socket
from http.client import HTTPConnection
from urllib.parse import quote, urlsplit

import numpy as np
import pytest

import tinycnn as tc
from tinycnn import cli
from tinycnn.errors import ArgumentError, UnknownNameError
from tinycnn.explain import explain, open_lesson
from tinycnn.explain.values.printing import number
from tinycnn.page.live import LivePage


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
    opened = json.loads(text)
    assert status == 200 and opened["command"].endswith("--model mini --layer conv2 --at 5,6,7")
    expected = explain(open_lesson(model="mini").trace, "conv2[5,6,7]")
    assert opened["text"] == expected.headline and opened["subject"] == expected.subject
    gradient = json.loads(asked(server, f"number?key={quote('conv2.y[5,6,7]')}")[2])
    assert gradient["command"].endswith("--grad conv2.y --at 5,6,7")


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


def test_an_edit_is_replayed(tmp_path):
    """z = (1, 2): loss ln(1 + e); with W[1,1] = 0 it is z = (1, 0), then with x[0,1] = 3 the same."""
    live = LivePage(net(tmp_path), "tinycnn step")
    losses = [np.log(1 + np.e), np.log(1 + np.exp(-1))]
    assert live.number("loss")["text"] == number(losses[0])
    live.edit({"key": "dense1.W[1,1]", "value": 0})
    assert live.number("loss")["text"] == number(losses[1])
    live.edit({"key": "x[0,1,0]", "value": 3})
    assert live.number("loss")["text"] == number(losses[1])
    live.edit({"key": "dense1.b[1]", "value": 1.0})  # z = (1, 1)
    assert live.number("loss")["text"] == number(np.log(2))
    assert live.number("dense1.W[1,1]")["text"] == number(3 * 0.5)  # x * (p - onehot)


def test_mistakes_in_python(tmp_path):
    live = LivePage(net(tmp_path), "tinycnn step")
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
