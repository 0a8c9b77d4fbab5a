"""The page's server and those who are no browser of its reader: bytes on a socket, answered or not."""

import json
import signal
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

SECRET = "AlexNet"  # stands on the page


def sent(server, text, *, ended=True):
    """The status and the whole answer to ``text``, in which HERE and TOKEN stand for the server's own."""
    text = text.replace("HERE", server.host).replace("TOKEN", server.token)
    with socket.create_connection(server.server_address) as connection:
        connection.sendall(text.replace("\n", "\r\n").encode("latin-1"))
        if ended:
            connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            whole = answer.read().decode("latin-1")
    return whole.partition(" ")[2][:3], whole


def test_the_reader_is_answered(server):
    for text in (
        "GET /TOKEN/ HTTP/1.1\nHost: HERE\n\n",
        "GET /TOKEN/ HTTP/1.1\nHost: HERE\nOrigin: http://HERE\n\n",
    ):
        status, whole = sent(server, text)
        assert status == "200" and SECRET in whole


@pytest.mark.parametrize(
    "request_line, headers",
    [
        ("GET /TOKEN/ HTTP/1.1", ""),
        ("GET /TOKEN/ HTTP/1.1", "Host: evil.example"),
        ("GET /TOKEN/ HTTP/1.1", "Host: localhost"),
        ("GET /TOKEN/ HTTP/1.1", "Host: HERE\nHost: evil.example"),
        ("GET /TOKEN/ HTTP/1.1", "Host: evil.example\nX-Forwarded-Host: HERE"),
        ("GET /TOKEN/ HTTP/1.1", "Host: HERE\nOrigin: http://evil.example"),
        ("GET /TOKEN/ HTTP/1.1", "Host: HERE\nOrigin: null"),
        ("GET /TOKEN/number?key=loss HTTP/1.1", "Host: HERE\nOrigin: https://evil.example"),
        ("GET http://HERE/TOKEN/ HTTP/1.1", "Host: HERE"),
        ("GET http://[/TOKEN/ HTTP/1.1", "Host: HERE"),
        ("GET /TOKEN HTTP/1.1", "Host: HERE"),
        ("GET /TOKEN/../TOKEN/ HTTP/1.1", "Host: HERE"),
        ("GET //TOKEN/ HTTP/1.1", "Host: evil.example"),
        ("GET /?TOKEN/ HTTP/1.1", "Host: HERE"),
        ("GET /%54OKEN/ HTTP/1.1", "Host: HERE"),
        ("GET /\xff\xfe/ HTTP/1.1", "Host: HERE"),
        ("POST /TOKEN/ HTTP/1.1", "Host: HERE\nContent-Type: application/json\nContent-Length: 0"),
        ("POST /TOKEN/edit HTTP/1.1",
         "Host: HERE\nOrigin: http://evil.example\nContent-Type: application/json\nContent-Length: 0"),
    ],
)  # fmt: skip
def test_a_stranger_is_told_nothing(server, request_line, headers):
    status, whole = sent(server, f"{request_line}\n{headers}\n\n")
    assert status == "404" and SECRET not in whole and server.token not in whole


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "HEAD", "TRACE", "CONNECT", "<b>"])
def test_there_are_two_methods(server, method):
    """OPTIONS too: another site's browser asks by it whether it may send JSON, and no is the answer."""
    status, whole = sent(
        server, f"{method} /TOKEN/edit HTTP/1.1\nHost: HERE\nOrigin: http://evil.example\n\n"
    )
    assert status == "501" and "Access-Control" not in whole
    assert "<b>" not in whole.partition("\r\n\r\n")[2]
    assert "X-Content-Type-Options: nosniff" in whole


EDIT = "POST /TOKEN/edit HTTP/1.1\nHost: HERE\nContent-Type: application/json\n"


@pytest.mark.parametrize(
    "length", ["x", "-1", "+5", "1_0", "10001", "9" * 40, "", "0x10", "5, 5"]
)  # fmt: skip
def test_a_length_that_is_none_is_refused(server, capfd, length):
    status, whole = sent(server, f'{EDIT}Content-Length: {length}\n\n{{"key": 1}}', ended=False)
    assert (
        status == "400" and "how many bytes" in json.loads(whole.partition("\r\n\r\n")[2])["error"]
    )
    assert capfd.readouterr().err == ""


def test_an_edit_in_pieces_without_a_length_is_refused(server):
    status, _ = sent(server, f"{EDIT}Transfer-Encoding: chunked\n\n2\n{{}}\n0\n\n", ended=False)
    assert status == "400"


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "GET\n\n", "GET /TOKEN/\n\n", "GET / HTTP/9.9\n\n", "GET / HTTP/x\n\n",
        "\x16\x03\x01\x02\n\n",
        "GET / HTTP/1.1\n" + "A: b\n" * 200 + "\n", f"GET /{'a' * 70_000} HTTP/1.1\n\n",
        "GET / HTTP/1.1\nA: " + "b" * 70_000 + "\n\n", "GET / HTTP/1.1\nno header\n\n",
    ],
)  # fmt: skip
def test_what_is_no_request_ends(server, capfd, text):
    _, whole = sent(server, text)
    assert SECRET not in whole and server.token not in whole
    assert capfd.readouterr().err == ""


def test_one_who_says_nothing_more_is_left(server, monkeypatch, capfd):
    """And meanwhile holds up nobody."""
    monkeypatch.setattr(server.RequestHandlerClass, "timeout", 0.2)
    with socket.create_connection(server.server_address) as slow:
        slow.sendall(f"{EDIT}Content-Length: 9\n\n{{".replace("\n", "\r\n")
                     .replace("HERE", server.host).replace("TOKEN", server.token).encode())  # fmt: skip
        assert sent(server, "GET /TOKEN/ HTTP/1.1\nHost: HERE\n\n")[0] == "200"
        assert slow.recv(10) == b""  # ended by the server
    assert capfd.readouterr().err == ""


def test_one_who_goes_away_is_forgotten(server, capfd):
    for _ in range(3):
        with socket.create_connection(server.server_address) as gone:
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            gone.sendall(f"GET /{server.token}/ HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode())
    assert sent(server, "GET /TOKEN/ HTTP/1.1\nHost: HERE\n\n")[0] == "200"
    assert capfd.readouterr().err == ""


def test_it_listens_on_this_machine_alone(server):
    assert server.socket.getsockname()[0] == "127.0.0.1"


def test_a_mistake_of_its_own_is_one_line(server, monkeypatch, capfd):
    monkeypatch.setattr(server.live, "number", lambda key: 1 / 0)
    status, _ = sent(server, "GET /TOKEN/number?key=loss HTTP/1.1\nHost: HERE\n\n")
    assert status == ""
    assert capfd.readouterr().err == (
        "tinycnn: a question to the page failed: ZeroDivisionError('division by zero')\n"
    )


@pytest.mark.process
def test_ctrl_c_ends_it():
    argv = [sys.executable, "-m", "tinycnn", "page", "--model", "mini", "--serve"]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as command:  # fmt: skip
        first = command.stderr.readline()
        address = urlsplit(first.split()[1])
        assert first.startswith("tinycnn: http://127.0.0.1:")
        with socket.create_connection((address.hostname, address.port)):  # and holds it
            command.send_signal(signal.SIGINT)
            out, err = command.communicate()
    assert (command.returncode, out, err) == (130, "", "tinycnn: interrupted\n")
