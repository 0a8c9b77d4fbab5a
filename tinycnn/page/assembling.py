"""The page as one file: its template, its style, its modules and its data."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from tinycnn import __version__, strict_json
from tinycnn.page.packing import Packer

_START = "import 'main';"
_ITSELF, _NOBODY = "'self'", "'none'"  # whom a page may ask


def assembled(shown: Mapping[str, Any], *, live: bool = False) -> str:
    """HTML that holds all of it: nothing is loaded from elsewhere, and nothing else is allowed to run.

    A ``live`` page may ask the server that it came from, and no other.
    """
    room = resources.files(__package__)
    style, imports = _text(room, "page.css"), _imports(room)
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data: blob:; "
        f"connect-src {_ITSELF if live else _NOBODY}; style-src {_digest(style)}; "
        f"script-src data: {_digest(imports)} {_digest(_START)}"
    )
    parts = {
        "policy": policy,
        "title": html.escape(str(shown["title"])),
        "style": style,
        "imports": imports,
        "start": _START,
        "footer": html.escape(f"tinycnn {__version__}. Every number was worked out by its engine."),
        "data": Packer().pack(shown),
    }
    page = _text(room, "page.html")
    for name, part in parts.items():
        page = page.replace("{{" + name + "}}", part)
    return page


def _imports(room: Traversable) -> str:
    """An import map with every module in it: from a file, a browser loads none beside it."""
    modules = sorted(room.joinpath("modules").iterdir(), key=lambda file: file.name)
    return strict_json.dumps(
        {"imports": {file.name.removesuffix(".js"): _as_address(file) for file in modules}}
    )


def _as_address(file: Traversable) -> str:
    return "data:text/javascript;base64," + base64.b64encode(file.read_bytes()).decode("ascii")


def _text(room: Traversable, name: str) -> str:
    return room.joinpath(name).read_text(encoding="utf-8")


def _digest(content: str) -> str:
    """What allows an inline script or style, and nothing that was slipped in, to hold."""
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
