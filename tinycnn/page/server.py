"""The page's server: for this machine alone, and for those who know the token in its address."""

from __future__ import annotations

import json
import re
import secrets
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from tinycnn import __version__, strict_json
from tinycnn.errors import ArgumentError, TinyCNNError
from tinycnn.page.live import LivePage

_HOST = "127.0.0.1"
_LONGEST = 10_000  # bytes of an edit
_PATIENCE = 10.0  # seconds that a client may take over its next words
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class PageServer(ThreadingHTTPServer):
    """Serves one live page at `address`; another site's page can neither guess nor read it."""

    daemon_threads = True

    def __init__(self, live: LivePage, port: int = 0) -> None:
        self.live = live
        self.token = secrets.token_urlsafe(24)
        try:
            super().__init__((_HOST, port), _Handler)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ArgumentError(
                f"port {port} cannot be used: {reason}; another one, or 0 for any that is free"
            ) from error

    @property
    def host(self) -> str:
        """The only name by which it is asked: a site whose own name leads here sends that."""
        return f"{_HOST}:{self.server_address[1]}"

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{self.host}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong in a line; of a client that has gone away, nothing."""
        error = sys.exception()
        if not isinstance(error, OSError):
            print(f"tinycnn: a question to the page failed: {error!r}", file=sys.stderr)


class _Handler(BaseHTTPRequestHandler):
    """The three routes: the page, ``number?key=...``, and ``edit``."""

    server: PageServer
    timeout = _PATIENCE
    server_version = f"tinycnn/{__version__}"
    sys_version = ""

    def do_GET(self) -> None:
        route = self._route()
        if route == "":
            self._answer("text/html", self.server.live.page)
        elif route == "number":
            key = parse_qs(self.path.partition("?")[2]).get("key", [""])[0]
            self._answer(
                "application/json", lambda: strict_json.dumps(self.server.live.number(key))
            )
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        if self._route() != "edit" or self.headers.get("Content-Type") != "application/json":
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self._answer("application/json", self._edited)

    def _edited(self) -> str:
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch("[0-9]{1,9}", length) or int(length) > _LONGEST:
            raise ArgumentError(f"an edit says how many bytes it has, at most {_LONGEST:,}")
        try:
            change = json.loads(self.rfile.read(int(length)))
        except ValueError as error:
            raise ArgumentError(
                'an edit is JSON, such as {"key": "x[0,0,0]", "value": 1}'
            ) from error
        self.server.live.edit(change if isinstance(change, dict) else {})
        return strict_json.dumps({})

    def _route(self) -> str | None:
        """What is asked for behind the token; None without it, by another name, or from another site."""
        found = re.fullmatch("/([^/]*)/(.*)", self.path.partition("?")[0])
        if found is None:
            return None
        known = secrets.compare_digest(found[1].encode(), self.server.token.encode())
        named = self.headers.get_all("Host") == [self.server.host]
        own = self.headers.get("Origin") in (None, f"http://{self.server.host}")
        return found[2] if known and named and own else None

    def _answer(self, kind: str, work: Callable[[], str]) -> None:
        status = HTTPStatus.OK
        try:
            text = work()
        except TinyCNNError as error:
            status, kind = HTTPStatus.BAD_REQUEST, "application/json"
            text = strict_json.dumps({"error": str(error)})
        content = text.encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def end_headers(self) -> None:
        """Send what keeps other sites out with every answer."""
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: the terminal belongs to the reader."""
