"""Tables, as text and as HTML."""

from __future__ import annotations

import html
from collections.abc import Sequence

_WIDTH = 80


def text_table(head: Sequence[str], body: Sequence[Sequence[str]], right: int) -> str:
    """Draw a table in text, the last ``right`` columns flush right; a long heading takes two lines.

    Columns stand two spaces apart, or one where the table would be wider than 80 columns.
    """
    split = [title.split(" / ") for title in head]
    heads = [
        [part[i] if i < len(part) else "" for part in split] for i in range(max(map(len, split)))
    ]
    for line in heads[:-1]:
        line[:] = [
            f"{text} /" if below else text for text, below in zip(line, heads[-1], strict=True)
        ]
    rows = [*heads, *body]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    gap = "  " if sum(widths) + 2 * (len(widths) - 1) <= _WIDTH else " "
    lines = [
        gap.join(
            text.rjust(width) if i >= len(head) - right else text.ljust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines.insert(len(heads), gap.join("-" * width for width in widths))
    return "\n".join(lines)


def html_table(head: Sequence[str], body: Sequence[Sequence[str]], right: int) -> str:
    """The same table for notebooks."""
    align = ["right" if i >= len(head) - right else "left" for i in range(len(head))]

    def line(tag: str, texts: Sequence[str]) -> str:
        cells = (
            f'<{tag} style="text-align:{side}">{html.escape(text)}</{tag}>'
            for side, text in zip(align, texts, strict=True)
        )
        return f"<tr>{''.join(cells)}</tr>"

    rows = "".join(line("td", texts) for texts in body)
    return f"<table><thead>{line('th', head)}</thead><tbody>{rows}</tbody></table>"
