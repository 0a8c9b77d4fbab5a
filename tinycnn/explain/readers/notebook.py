"""What a terminal shows for a notebook: its text as HTML, and what a figure draws as a picture."""

from __future__ import annotations

import base64
import html

from tinycnn.errors import MissingExtraError
from tinycnn.explain.readers import explanation_text, figure
from tinycnn.explain.readers.style import Style
from tinycnn.explain.values.explanation import Explanation


def draw_explanation(explanation: Explanation) -> str:
    """An opened number as HTML: its maps and the picture, without matplotlib this one in characters."""
    heading = f"{explanation.subject}, {explanation.headline}"
    try:
        png = figure.png(explanation)
    except MissingExtraError:
        png = None
    if png is None:
        return draw_text(explanation_text.draw_explanation(explanation, Style.plain()))
    words = "\n".join(explanation_text.draw_words(explanation, Style.plain()))
    return draw_text(words, as_image(png, f"What {heading}, is made of, as heat maps"))


def draw_text(text: str, picture: str = "") -> str:
    """Lines under a heading as HTML: preformatted, so that columns of numbers stay columns."""
    first, _, rest = text.partition("\n")
    heading = html.escape(" ".join(first.split()))
    return (
        f"<div><b>{heading}</b>{picture}"
        f'<pre style="line-height:1.2">{html.escape(rest.lstrip(chr(10)))}</pre></div>'
    )


def as_image(png: bytes, words: str, style: str = "max-width:100%;display:block") -> str:
    """A picture inside a page, with ``words`` for who does not see it."""
    data = base64.b64encode(png).decode("ascii")
    alt = html.escape(words, quote=True)
    return f'<img alt="{alt}" style="{style}" src="data:image/png;base64,{data}">'
