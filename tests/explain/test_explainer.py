"""Who is known as what: subclasses, layers and activations of a user's own, layers that couple a batch."""

import numpy as np
import pytest
from plain_network import slope
from redone import redo
from small_nets import Scale, images

import tinycnn as tc
from tinycnn.explain import ActivationExplainer, Explainer, explainers, register_activation
from tinycnn.explain.explainer import activation_explainer, explainer_of
from tinycnn.explain.values.explanation import Step
from tinycnn.layers import Activation, Conv2D, Dense, Layer, MaxPool2D


class Named(Conv2D):
    """A convolution as it is, under another name."""


class Doubled(Conv2D):
    """A convolution that computes something else."""

    def forward(self, params, x, context):
        y, saved = super().forward(params, x, context)
        return 2 * y, saved

    def backward(self, params, dz, saved, context):
        return super().backward(params, 2 * dz, saved, context)


class Centred(Layer):
    """y = x less the mean over the batch: each image's result depends on the others."""

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, params, x, context):
        return x - x.mean(axis=0), None

    def backward(self, params, dz, saved, context):
        return dz - dz.mean(axis=0), {}


def traced(layers, x, **options):
    trace = tc.Sequential(layers, x.shape[1:], rng=1).trace(x, **options)
    trace.backward(labels=[0, 1, 2][: len(x)], keep=True)
    return trace


def test_a_subclass_is_explained_as_its_kind_as_long_as_it_computes_as_it():
    assert type(explainer_of(Named(2, 3))) is type(explainer_of(Conv2D(2, 3)))
    assert type(explainer_of(Doubled(2, 3))) is Explainer
    layers = [Doubled(2, 3, name="a"), MaxPool2D(2, name="p"), Dense(3, name="z")]
    trace = traced(layers, images(2, (6, 6, 2)))
    opened = trace.explain("a.W[1,1,0,1]")
    assert opened.notes("HOW") and opened.ok and len(opened.checks) == 1
    opened = trace.explain("p.x", (1, 1, 0))  # its neighbours are opened as ever
    assert opened.trees and opened.ok


def test_a_layer_that_couples_a_batch_is_replayed_move_by_move():
    layers = [Dense(4, name="a"), Centred(name="c"), Dense(3, activation="softmax", name="z")]
    trace = traced(layers, images(3, (5,)))
    for what in ("a.W[2,1]", "a.x[3]", "c.x[2]", "z.b[1]"):
        opened = trace.explain(what, sample=1 if ".x" in what else 0)
        assert opened.ok and opened.checks[-1].against.startswith("(L(+h) - L(-h)) / 2h")
        redo(str(opened))


def test_an_explainer_of_ones_own_says_what_it_knows_and_no_more():
    class Mine(Scale):
        pass

    @explainers.register(Mine)
    class MineExplainer(Explainer):
        def cell(self, cell):
            return [Step("SCALE", "x * scale", 1.0)]

        def gradient_formula(self, record):
            return "dy * scale"

    trace = traced([Mine(name="m"), Dense(3, name="z")], images(1, (4,)))
    (step,) = (s for s in trace.explain("m", (2,)).sections if s.kind == "step")
    assert (step.name, step.value) == ("SCALE", 1.0)
    assert explainer_of(trace["m"].layer).gradient_formula(trace["m"]) == "dy * scale"
    opened = trace.explain("m.scale[1]")
    assert opened.notes("HOW") and opened.ok
    assert opened.value == pytest.approx(slope(trace, "m.scale", (1,)), rel=1e-4)


def test_an_explainer_of_an_activation_of_ones_own():
    class Cube(Activation):
        name = "cube"

        def forward(self, z):
            return z**3

        def backward(self, dy, y):
            return dy * 3 * np.cbrt(y) ** 2

    @register_activation(Cube())
    class CubeExplainer(ActivationExplainer):
        def step(self, z):
            return [Step("CUBE", f"{z:g}^3", z**3)]

        def row(self, z, y, place):
            return []

    trace = traced([Dense(3, name="a", activation=Cube()), Dense(3, name="z")], images(1, (4,)))
    opened = trace.explain("a", (1,))
    (cube,) = (s for s in opened.sections if s.kind == "step" and s.name == "CUBE")
    assert cube.value == pytest.approx(float(trace["a"].y[0, 1]), rel=1e-5)
    assert not opened.notes("HOW") and opened.ok and trace.explain("a.W[1,1]").ok
    assert type(activation_explainer(trace["z"].layer.activation)) is not CubeExplainer
