"""One recorded pass, forward and backward: what step-through, training and checks all read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn import passes
from tinycnn.arrays import Array, as_input_array, expect_shape
from tinycnn.errors import ArgumentError, UnknownNameError
from tinycnn.layers import ForwardContext
from tinycnn.losses import CrossEntropy, LossFunction
from tinycnn.parameters import FlatArrays
from tinycnn.pass_parameters import PassParameters, refuse_stale
from tinycnn.passes import LazyRecords, Record
from tinycnn.validation import check_int, mask_key

if TYPE_CHECKING:
    from tinycnn.explain.values.explanation import Explanation
    from tinycnn.model import Sequential
    from tinycnn.page.notebook import TracePage
    from tinycnn.recorded_passes import RecordedPass


class Gradients(FlatArrays):
    """What `Trace.backward` gives: ``{"conv1.W": array, ...}`` in the parameters' order and shapes.

    A type of its own, for an optimizer's velocities look the same. ``next_state`` is the model's state
    after the pass, which an optimizer's step puts in place.
    """

    next_state: Mapping[str, Array] = MappingProxyType({})


class Trace:
    """A forward pass of ``model`` over ``x``, layer by layer, and its backward pass once asked for.

    ``version`` is the model's at that moment. ``records`` are in layer order, ``y`` is the model's
    output; after ``backward(labels=...)``, ``loss`` is what ``loss_function`` gave, else both are None.
    """

    def __init__(
        self, model: Sequential, version: int, x: Array, records: Sequence[Record]
    ) -> None:
        self.model = model
        self.version = version
        self.x = x
        self.records = records
        self.loss: float | None = None
        self.loss_function: LossFunction | None = None
        self.labels: list[Any] | None = None  # what backward was given, labels or dy
        self.dy: Array | None = None

    @property
    def y(self) -> Array:
        """What the last layer gave, (N, ...)."""
        return self.records[-1].y

    @property
    def logits(self) -> Array:
        """What cross-entropy takes: what goes into a softmax at the end, else y."""
        last = self.records[-1]
        return last.z if last.layer.activation.fuses_with_cross_entropy else last.y

    def outputs_for(self, loss: LossFunction) -> Array:
        """What ``loss`` is handed: the logits, or y."""
        return self.logits if loss.takes_logits else self.y

    def __getitem__(self, name: str) -> Record:
        """The record of the layer called ``name``; raises UnknownNameError if there is none."""
        names = [record.name for record in self.records]
        if name not in names:
            raise UnknownNameError(f"no layer is named {name!r}; there are {', '.join(names)}")
        return self.records[names.index(name)]

    def next_state(self) -> dict[str, Array]:
        """Each layer's state after this pass, by name; it changes in a training pass only.

        An optimizer's step takes it from the gradients; without one, `Sequential.update_state` does.
        """
        if not self.model.state():
            return {}
        return {
            f"{record.name}.{name}": array
            for record in self.records
            if record.context.training and record.context.state
            for name, array in record.layer.next_state(record.context.state, record.saved).items()
        }

    def explain(
        self,
        what: str,
        at: Sequence[int] | None = None,
        *,
        sample: int = 0,
        part: str | None = None,
    ) -> Explanation:
        """Open one number of the pass, for image ``sample``: a cell, a gradient or the loss.

        ``what`` is "conv2" for a cell of a layer's output, "conv1.W" for the gradient of a parameter,
        "pool1.x" (or y, z) for that of a layer's input (or output, or of what went into its activation),
        or "loss". ``at`` is the place, such as (13, 13, 7); it may stand in brackets too,
        "conv1.W[5,5,0,3]", and counts from the end where it is negative. ``part`` opens another part of its
        sum than the largest, by the address that the text gives it, such as "2,3" or "2,3/0".

        Raises UnknownNameError for what is not there, ArgumentError for a place that is missing, given
        twice, or not a place, for a part that does not open, or a gradient before `backward`.
        """
        # A door upwards: a reader that is loaded when somebody asks for it.
        opened: Explanation = import_module("tinycnn.explain").explain(
            self, what, at, sample=sample, part=part
        )
        return opened

    def page(self, *, sample: int = 0, label: int | None = None) -> TracePage:
        """The page of image ``sample``: a notebook shows it, ``.save("page.html")`` writes it.

        The same as `tinycnn page`: the pass and its gradients, against ``label`` (by default the one that
        backward was given, else the likeliest class), and numbers opened down to their products. It takes
        seconds, and some MB. Raises ArgumentError where x is no picture of 1 or 3 channels or y no classes,
        StaleTraceError if the model's parameters have changed since the pass.
        """
        refuse_stale(self.model, self.version)
        shown: TracePage = import_module("tinycnn.page.notebook").page_of(self, sample, label)
        return shown

    def _repr_html_(self) -> str:
        drawn: str = import_module("tinycnn.explain.readers.trace_html").draw_trace(self)
        return drawn

    def backward(
        self,
        dy: ArrayLike | None = None,
        *,
        labels: ArrayLike | None = None,
        loss: LossFunction | None = None,
        keep: bool | None = None,
        out: FlatArrays | None = None,
    ) -> Gradients:
        """Carry a gradient back through all layers; gives those of the parameters, by name.

        Either ``dy`` (the shape of ``y``) or ``labels`` (N,): with labels the gradient is that of
        the mean cross-entropy, and a softmax at the end is one step with it,
        (p - onehot) / N at the softmax's input. ``loss`` is another one of
        `tinycnn.losses`, such as ``tc.losses.CrossEntropy(label_smoothing=0.1)``, or of yours; where it
        compares numbers, labels are targets in the shape of ``y``. ``keep`` holds every record's dy and dx
        (by default unless the pass was for training); ``out`` takes an earlier call's result and overwrites
        it. Where no layer before one has parameters, its dx may be None, as an embedding's is; nothing is
        then carried further.

        Raises StaleTraceError if the model's parameters have changed since the forward pass, ShapeError,
        DTypeError or ArgumentError for a dy or labels that do not belong to ``y``, and ArgumentError for an
        ``out`` that is no such result or shares memory with what is read.
        """
        if (dy is None) == (labels is None):
            raise ArgumentError("backward takes either dy or labels")
        function = _loss_function(loss, labels)
        refuse_stale(self.model, self.version)
        lazy = self.records if isinstance(self.records, LazyRecords) else None
        for record in self.records if lazy is None else ():  # a lazy pass ran while nobody edited
            if isinstance(record.params, PassParameters):
                record.params.refuse_changed()  # before anything is done
        last = self.records[-1]
        fuses = function is not None and function.takes_logits
        fuses = fuses and last.layer.activation.fuses_with_cross_entropy
        gradients = self._gradients(out, dy)
        upstream = self._begin(dy, labels, function)
        keep = not last.context.training if keep is None else keep
        if lazy is not None and not keep:
            lazy.backward(upstream, gradients, before_activation=fuses)
        else:
            passes.backward(
                self.records, upstream, gradients.of, before_activation=fuses, keep=keep
            )
        gradients.next_state = self.next_state()
        return gradients

    def _begin(
        self, dy: ArrayLike | None, labels: ArrayLike | None, function: LossFunction | None
    ) -> Array:
        """The gradient that backward begins with; the trace remembers where it is from."""
        loss, name = None, "dy"
        if function is not None and labels is not None:
            value, dy = function(self.outputs_for(function), labels)
            loss, name = float(value), "the gradient that the loss gives"
        upstream = as_input_array(dy, name, "N...", self.model.dtype)  # type: ignore[arg-type]
        expect_shape(upstream, self.y.shape, name, "the shape of trace.y")
        self.loss, self.loss_function = loss, function
        self.labels = None if labels is None else np.asarray(labels).tolist()
        self.dy = upstream if labels is None else None
        return upstream

    def _gradients(self, out: FlatArrays | None, dy: ArrayLike | None) -> Gradients:
        shapes = self.model.parameter_shapes()
        if out is None:
            return Gradients(shapes, self.model.dtype)
        if (
            not isinstance(out, Gradients)
            or not out.has(shapes)
            or out.flat.dtype != self.model.dtype
            or not out.flat.flags.writeable
        ):
            raise ArgumentError("out must be what an earlier backward of the same model returned")
        needed = (self.model.parameters().flat, self.x, *(() if dy is None else (dy,)))
        if any(np.may_share_memory(out.flat, array) for array in needed):
            raise ArgumentError(
                "out shares memory with the model's parameters, with x or with dy; give what an "
                "earlier backward of the same model returned"
            )
        return out


_CROSS_ENTROPY = CrossEntropy()


def _loss_function(loss: LossFunction | None, labels: ArrayLike | None) -> LossFunction | None:
    """The loss of ``labels``: cross-entropy where none is asked for; without labels there is none."""
    if loss is None:
        return None if labels is None else _CROSS_ENTROPY
    if not isinstance(loss, LossFunction):
        raise ArgumentError(
            f"loss must be one of tinycnn.losses, such as CrossEntropy(label_smoothing=0.1), or a "
            f"LossFunction of yours, got {loss!r}"
        )
    if labels is None:
        raise ArgumentError(f"{loss!r} compares with labels: give backward labels, not dy")
    return loss


def record(
    model: Sequential,
    x: ArrayLike,
    training: bool,
    rng: int | np.random.Generator | None,
    first_sample: int,
    algorithm: str | None,
    recorded: Callable[[int, str | None], RecordedPass | None] = lambda batch, algorithm: None,
) -> Trace:
    """Run ``x`` through ``model`` layer by layer; the arguments are those of `Sequential.trace`.

    A training pass goes as a whole where ``recorded`` gives one for so many inputs and the algorithm.
    """
    batch = model.batch(x)
    key = mask_key(rng) if training else 0
    first_sample = check_int(first_sample, "first_sample", least=0)
    version, parameters = model.version, model.parameters()
    context = ForwardContext(training, key, 0, first_sample, algorithm)
    if training and not model.is_being_edited:
        whole = recorded(len(batch), algorithm)
        if whole is not None:
            lazy = _records_of(whole, model, version, batch, context)
            return Trace(model, version, batch, lazy)
    run = passes.forward(
        model.layers, model.shapes, parameters.of, batch, context, state=model.state().of
    )
    records = list(run)
    for each in records:
        each.params = PassParameters(model, version, each.params)
    return Trace(model, version, batch, records)


def _records_of(
    whole: RecordedPass, model: Sequential, version: int, x: Array, context: ForwardContext
) -> LazyRecords:
    """Run ``x`` forward by recorded calls; gives what makes the records."""
    parameters = model.parameters()
    kept = whole.forward(x, parameters.flat, context)

    def make(position: int) -> Record:
        layer = model.layers[position]
        stage, arrays = whole.stage(position), whole.kept(position, kept)
        given, y = (whole.output(each, x, kept) for each in (position - 1, position))
        params = PassParameters(model, version, parameters.of(str(layer.name)))
        return Record(
            str(layer.name), layer, params, given, y, stage.saved(given, arrays),
            replace(context, layer=position), stage.kept_z(given, arrays),
        )  # fmt: skip

    def go_back(upstream: Array, gradients: Array) -> None:
        whole.backward(upstream, gradients, x, kept, parameters.flat)

    return LazyRecords(len(model.layers), make, go_back)
