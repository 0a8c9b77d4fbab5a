"""The usual one-page AlexNet handout, checked line by line: ``docs/handout.md`` comes out of here."""

from __future__ import annotations

import math
from importlib.resources import files

from tinycnn.networks import alexnet


def page() -> str:
    """The handout as Markdown: ``handout.md`` beside this file, its numbers worked out by the engine."""
    net, wide = alexnet().summary(), alexnet(10_000).summary()
    rows = {row.name: row for row in net.rows}
    names = list(rows)
    classes, weights = net.rows[-1].output_shape[0], 11 * 11 * 3
    cells, flattened = (math.prod(rows[name].output_shape) for name in ("conv1", "pool3"))
    text = files(__package__).joinpath("handout.md").read_text(encoding="utf-8")
    return text.format(
        net=net,
        wide=wide,
        paper=alexnet(variant="paper").summary(),
        rows=rows,
        millions=net.parameters / 1e6,
        classes=classes,
        more=wide.parameters - net.parameters,
        filters=", ".join(rows[f"conv{i}"].filters for i in range(1, 6)),
        last_rows=" ".join(names[names.index("dropout1") :]),
        flattened=flattened,
        share=rows["fc1"].parameters / net.parameters,
        cells=cells,
        weights=weights,
        shared=weights + 1,
        unshared=cells * (weights + 1),
        chance=math.log(classes),
    )
