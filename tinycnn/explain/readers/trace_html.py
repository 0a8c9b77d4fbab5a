"""A trace in a notebook: its layers as a table, each with some of its maps as a picture."""

from __future__ import annotations

import html
import io
import math

import numpy as np

from tinycnn import figures
from tinycnn.arrays import Array
from tinycnn.errors import MissingExtraError
from tinycnn.explain.lessons import overview
from tinycnn.explain.readers.notebook import as_image
from tinycnn.explain.readers.overview_text import percent
from tinycnn.explain.values.printing import number
from tinycnn.passes import Record
from tinycnn.tables import html_table
from tinycnn.trace import Trace
from tinycnn.wording import many

_MAPS = 6  # of a layer: the liveliest
_SHOWN = "height:64px;image-rendering:pixelated"
_HEAD = ("layer", "output size", "feature map", "range", "zeros", "parameters")
_COLOURS = "RdBu_r"  # diverging about 0, as in figures


def draw_trace(trace: Trace) -> str:
    """The overview of a pass as HTML; of several images, the maps of the first."""
    rows = [_cells(trace, record) for record in trace.records]
    table = html_table(_HEAD, rows, right=0)
    name = html.escape(trace.model.name or "the network")
    title = f"<b>{name}</b>, {many(len(trace.x), 'image')}{_loss(trace)}"
    first = trace.records[0].name
    ways = (
        f"Open a number: <code>trace.explain({html.escape(repr(first))}, at=(...))</code>. "
        "All of them, in a page: <code>trace.page()</code>"
    )
    return f"<div><p>{title}</p>{table}{_pictures(trace)}<p>{ways}</p></div>"


def _cells(trace: Trace, record: Record) -> list[str]:
    row = overview.forward_row(trace, record.name)
    spread = f"{number(row.lowest, 3)} .. {number(row.highest, 3)}"
    return [row.name, row.size, row.feature_map, spread, percent(row.zeros), row.parameters]


def _loss(trace: Trace) -> str:
    return "" if trace.loss is None else f", loss {number(trace.loss)}"


def _pictures(trace: Trace) -> str:
    """The liveliest maps of each layer, and what their colours say; "" without matplotlib."""
    try:
        drawn = [(record.name, _png(record.y[0])) for record in trace.records]
    except MissingExtraError:
        return ""
    shown = "".join(
        f'<figure style="display:inline-block;margin:4px 20px 4px 0"><figcaption>{html.escape(name)}'
        f"</figcaption>{as_image(png, f'maps of {name}', _SHOWN)}</figure>"
        for name, png in drawn
    )
    words = (
        f"Of each layer the {_MAPS} liveliest maps, or all units: red above 0, blue below, white 0; "
        "each layer by its own largest size."
    )
    return f'<div>{shown}</div><p style="font-size:smaller">{words}</p>'


def _png(y: Array) -> bytes:
    """Maps beside each other, or a vector folded into rows, as a PNG."""
    figures.blank(1, 1)
    from matplotlib.image import imsave

    values = _sheet(y.astype(np.float64))
    finite = np.abs(values[np.isfinite(values)])
    limit = float(finite.max(initial=0.0)) or 1.0
    written = io.BytesIO()
    imsave(written, values, cmap=_COLOURS, vmin=-limit, vmax=limit, format="png")
    return written.getvalue()


def _sheet(y: Array) -> Array:
    if y.ndim != 3:
        flat = y.ravel()
        rows = max(math.isqrt(len(flat)), 1)
        padded = np.full(rows * -(-len(flat) // rows), np.nan)
        padded[: len(flat)] = flat
        return padded.reshape(rows, -1)
    liveliest = np.argsort(-np.abs(y).mean(axis=(0, 1)), kind="stable")[:_MAPS]
    gap = np.full((y.shape[0], max(y.shape[0] // 16, 1)), np.nan)
    parts = [part for channel in liveliest for part in (y[:, :, channel], gap)]
    return np.concatenate(parts[:-1], axis=1)
