"""Layers with one planted mistake each, and the one check that is to notice it."""

import itertools
import threading

import numpy as np
from small_nets import Scale

from tinycnn import ops
from tinycnn.layers import RELU, Activation, Dense, Dropout, Layer, ReLU

THREADS = threading.local()
COUNTER = itertools.count(1)


class Plain(Scale):
    """The right one that the wrong ones are made of."""


class SqueezesPairs(Plain):
    """Returns another shape for a batch of two."""

    def forward(self, params, x, context):
        y, saved = super().forward(params, x, context)
        return (y[..., None] if len(x) == 2 else y), saved


class ForgetsToScaleUp(Dropout):
    """In training, backward leaves out the factor 1 / (1 - rate)."""

    def backward(self, params, dy, saved, context):
        dx, grads = super().backward(params, dy, saved, context)
        return (dx * (1 - self.rate) if context.training else dx), grads


class PaysEveryMaximum(Layer):
    """The maximum of all cells; where several are largest, each gets the whole gradient."""

    def output_shape(self, input_shape):
        return (1,)

    def forward(self, params, x, context):
        rows = x.reshape(len(x), int(np.prod(x.shape[1:])))
        return rows.max(axis=1, keepdims=True), (rows, x.shape)

    def backward(self, params, dy, saved, context):
        rows, shape = saved
        return (dy * (rows == rows.max(axis=1, keepdims=True))).reshape(shape), {}


class Sharper(Activation):
    """The softmax of twice z, which the loss takes for a softmax of z."""

    name = "sharper"
    fuses_with_cross_entropy = True

    def forward(self, z):
        return ops.softmax(2 * z)

    def backward(self, dy, y):
        return 2 * ops.softmax_backward(dy, y)


class TwiceRectified(ReLU):
    """With its activation, it gives twice what that makes of z."""

    def forward(self, params, x, context):
        y, saved = super().forward(params, x, context)
        return (2 * y if self.activation is RELU else y), saved

    def backward(self, params, dz, saved, context):
        dx, grads = super().backward(params, dz, saved, context)
        return (2 * dx if self.activation is RELU else dx), grads


class ScalesFloat32InPlace(Plain):
    """Saves memory where it may not: writes to x."""

    def forward(self, params, x, context):
        y, saved = super().forward(params, x, context)
        if x.dtype == np.float32:
            saved = x.copy()
            if x.flags.writeable:
                x *= 2
        return y, saved


class WritesWhatIsThere(Plain):
    """Writes to dy, if only the numbers that it holds: a read-only dy stops it."""

    def backward(self, params, dy, saved, context):
        if not dy.flags.writeable:
            dy[...] = dy
        return super().backward(params, dy, saved, context)


class ReadsMemoryInOrder(Plain):
    """Takes x's cells in the order of memory."""

    def forward(self, params, x, context):
        return super().forward(params, x.ravel(order="K").reshape(x.shape), context)


class LooksAtTheFirstSample(Plain):
    """Takes it for granted that there is one."""

    def forward(self, params, x, context):
        assert x[0].size
        return super().forward(params, x, context)


class SubtractsTheBatchMean(Plain):
    """The samples of a batch change each other's result."""

    def forward(self, params, x, context):
        return super().forward(params, x - x.sum(axis=0) / max(len(x), 1), context)

    def backward(self, params, dy, saved, context):
        dx, grads = super().backward(params, dy, saved, context)
        return dx - dx.sum(axis=0) / max(len(dx), 1), grads


class DrawsWhenMade(Plain):
    """Each layer of this class has another factor."""

    def __init__(self):
        super().__init__()
        self.factor = next(COUNTER)

    def forward(self, params, x, context):
        y, saved = super().forward(params, x, context)
        return y * self.factor, saved

    def backward(self, params, dy, saved, context):
        return super().backward(params, dy * self.factor, saved, context)


class KeepsTheLastInput(Plain):
    """Backward takes x from the thread's last forward."""

    def forward(self, params, x, context):
        THREADS.x = x
        return super().forward(params, x, context)

    def backward(self, params, dy, saved, context):
        return super().backward(params, dy, THREADS.x, context)


class SharesScratch(Plain):
    """Forward writes to one array of the layer, whoever calls it."""

    def forward(self, params, x, context):
        self.scratch = x * params["scale"]
        return self.scratch + 0, x


class HoldsAFunction(Plain):
    """A lambda does not pickle."""

    def __init__(self):
        super().__init__()
        self.twice = lambda x: 2 * x


class RoundsToHalf(Plain):
    """Goes through float16 where x is float32."""

    def forward(self, params, x, context):
        if x.dtype == np.float32:
            x = x.astype(np.float16).astype(np.float32)
        return super().forward(params, x, context)


class NeedsDx(Plain):
    """Without need_dx nothing is worked out, the parameters' gradients neither."""

    def backward(self, params, dy, saved, context):
        dx, grads = super().backward(params, dy, saved, context)
        return dx, (grads if context.need_dx else {name: 0 * g for name, g in grads.items()})


# For each check the planted layer, the shape of its input, and a few words of what is said.
PLANTED = {
    "shapes": (SqueezesPairs, (4, 3), "y must have shape (2, 4, 3) for a batch of 2"),
    "gradients": (ForgetsToScaleUp, (4, 3), "the gradient of x is wrong in training"),
    "gradients at ties": (PaysEveryMaximum, (6,), "the gradient of x is wrong where cells are"),
    "gradient of the loss": (
        lambda: Dense(4, activation=Sharper()),
        (5,),
        "but from what goes into the activation 'sharper' it is",
    ),
    "activation": (TwiceRectified, (4,), "y differs from relu of z"),
    "no mutation": (ScalesFloat32InPlace, (4, 3), "forward writes into x"),
    "read only inputs": (WritesWhatIsThere, (4, 3), "backward raises ValueError"),
    "memory order": (ReadsMemoryInOrder, (4, 3), "each in Fortran order"),
    "empty batch": (LooksAtTheFirstSample, (4, 3), "forward raises IndexError"),
    "batch independence": (SubtractsTheBatchMean, (4, 3), "one by one and in a batch"),
    "determinism": (DrawsWhenMade, (4, 3), "a layer made anew"),
    "no state": (KeepsTheLastInput, (4, 3), "between forward and backward"),
    "thread safety": (SharesScratch, (4, 3), "when other threads use the layer"),
    "pickling": (HoldsAFunction, (4, 3), "pickle raises"),
    "dtypes": (RoundsToHalf, (4, 3), "between float32 and float64"),
    "context options": (NeedsDx, (4, 3), "where context.need_dx is false"),
}
