"""The page of a trace, for a notebook: shown inside it, and saved as one file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from tinycnn.errors import ArgumentError
from tinycnn.explain.lessons.lesson import Lesson
from tinycnn.explain.pictures.picture import Picture
from tinycnn.explain.receptive_field import picture_of
from tinycnn.files import expect_ending, write_text
from tinycnn.page.document import page
from tinycnn.page.sides import Side
from tinycnn.runs.class_names import as_class_names
from tinycnn.trace import Trace
from tinycnn.validation import check_int
from tinycnn.wording import many

_INSTEAD = (
    "A page stands here, as a frame, which is not shown: trust the notebook, or run the cell again."
)
_COMMAND = "tinycnn step PICTURE.npy --model MODEL.npz"  # a notebook's arrays are in no file


class TracePage:
    """The page of one image of a trace, as HTML: `text`. Notebooks show it, `save` writes it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"<the page of a trace, {len(self.text) / 1e6:.1f} MB: save() writes it>"

    def _repr_html_(self) -> str:
        # As an address of its own, to which the page's links to its parts belong: in an iframe's srcdoc they
        # would lead to the notebook's. The words are what is left where frames are taken away, as from a
        # notebook that nobody has trusted yet.
        data = base64.b64encode(self.text.encode()).decode("ascii")
        style = "width:100%;height:80vh;min-height:480px;border:1px solid #888"
        source = f"data:text/html;charset=utf-8;base64,{data}"
        return f'<iframe title="The page of a trace" style="{style}" src="{source}">{_INSTEAD}</iframe>'

    def save(self, target: str | Path) -> None:
        """Write it into the file ``target``, .html; raises FileError where that cannot be."""
        expect_ending("a page", target, [".html", ".htm"])
        write_text(target, self.text)


def page_of(
    trace: Trace, sample: int, label: int | None, classes: Sequence[str] | None
) -> TracePage:
    """The page of image ``sample``, whose gradients are taken against ``label``.

    Without one it is the label that backward was given, else the likeliest class. Raises ArgumentError where
    the input is no picture, the answer no classes, or ``classes`` no name for each of them.
    """
    check_int(sample, "sample", least=0, most=len(trace.x) - 1)
    pixels = picture_of(trace, sample)
    if pixels is None:
        raise ArgumentError(
            "a page shows a picture of 1 or 3 channels, and the input of this trace is none"
        )
    shape = trace.y[sample].shape
    if len(shape) != 1:
        raise ArgumentError(
            "a page takes the loss of classes, and the answer of this network is none"
        )
    names = () if classes is None else as_class_names(classes, shape[0], "classes")
    title = f"image {sample} of {many(len(trace.x), 'image')}"
    x = trace.x[sample : sample + 1]
    wanted = _label(trace, sample, label)
    random = trace.version == 0  # nobody has loaded, edited or trained them
    context = trace.records[0].context
    lesson = Lesson(
        trace.model,
        Picture(pixels, title, x, "x is the array that the trace was given"),
        int(trace.y[sample].argmax()) if wanted is None else wanted,
        "random, as the model draws them" if random else "those of the model",
        random,
        context.training,
        likeliest=wanted is None,
        class_names=names,
    )
    # The same pass again by the plain formula, whose sums are those that the page opens.
    lesson.trace = trace.model.trace(
        x,
        training=context.training,
        rng=context.rng,
        first_sample=context.first_sample + sample,
        algorithm="im2col",
    )
    return TracePage(page([Side(lesson, _COMMAND)]))


def _label(trace: Trace, sample: int, label: int | None) -> int | None:
    """The label that is asked for, else the one that backward was given; None where it was given none."""
    last = trace.y.shape[-1] - 1
    if label is not None:
        return check_int(label, "label", least=0, most=last)
    given = None if trace.labels is None else trace.labels[sample]
    return given if isinstance(given, int) else None
