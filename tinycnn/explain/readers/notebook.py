"""An opened number for a notebook: the terminal's text as HTML."""

from __future__ import annotations

import html

from tinycnn.explain.readers.explanation_text import draw_explanation as draw_text
from tinycnn.explain.readers.style import Style
from tinycnn.explain.values.explanation import Explanation


def draw_explanation(explanation: Explanation) -> str:
    """An opened number as HTML: preformatted, so that columns of numbers stay columns."""
    first, _, rest = draw_text(explanation, Style.plain()).partition("\n")
    heading = html.escape(" ".join(first.split()))
    return (
        f"<div><b>{heading}</b>"
        f'<pre style="line-height:1.2">{html.escape(rest.lstrip(chr(10)))}</pre></div>'
    )
