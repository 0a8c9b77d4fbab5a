"""What a terminal shows for a notebook: its text as HTML."""

from __future__ import annotations

import html

from tinycnn.explain.readers import explanation_text
from tinycnn.explain.readers.style import Style
from tinycnn.explain.values.explanation import Explanation


def draw_explanation(explanation: Explanation) -> str:
    """An opened number as HTML."""
    return draw_text(explanation_text.draw_explanation(explanation, Style.plain()))


def draw_text(text: str) -> str:
    """Lines under a heading as HTML: preformatted, so that columns of numbers stay columns."""
    first, _, rest = text.partition("\n")
    heading = html.escape(" ".join(first.split()))
    return (
        f"<div><b>{heading}</b>"
        f'<pre style="line-height:1.2">{html.escape(rest.lstrip(chr(10)))}</pre></div>'
    )
