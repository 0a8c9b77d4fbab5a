"""What users may name, the classes of what they are given, and the docstrings of all."""

import inspect
from functools import cache

import numpy as np

import tinycnn as tc
from tinycnn import explain

DOORS = (
    tc.data, tc.ops, tc.layers, tc.losses, tc.optimizers, tc.schedules, tc.recipes, tc.initializers,
    tc.testing, tc.errors, tc.checkpoints, tc.training, tc.weights, explain,
)  # fmt: skip


def public(module):
    """{name: object} of a door: what its ``__all__`` lists, else what is defined in it."""
    if hasattr(module, "__all__"):
        return {name: getattr(module, name) for name in module.__all__}
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    }


def given():
    """{name: class} of the objects that a user is handed by the doors."""
    model = tc.Sequential(
        [tc.layers.Conv2D(2, 2), tc.layers.MaxPool2D(2), tc.layers.Dense(2, activation="softmax")],
        (3, 3, 1),
    )
    trace = model.trace(np.arange(9).reshape(1, 3, 3, 1))
    gradients = trace.backward(labels=[1])
    cells = {"conv1": (0, 0, 1), "pool1": (0, 0, 0), "dense1": (1,), "conv1.W": (0, 0, 0, 0)}
    opened = [trace.explain(name, at=at) for name, at in cells.items()]
    report = tc.gradcheck(
        (lambda x: x, lambda dy, x: [2 * dy]), np.ones(3), samples=1, directions=1
    )
    checked = tc.testing.check_layer(tc.layers.ReLU, (2,))
    objects = [
        model.parameters(), model.summary(), model.summary().rows[0], trace, trace.records[0],
        gradients, *opened, *(section for one in opened for section in one.sections),
        *(tree for one in opened for tree in one.trees), report, report.tensors[0],
        report.tensors[0].entries[0], report.tensors[0].diagnosis[0], checked, checked.outcomes[0],
    ]  # fmt: skip
    return {type(one).__name__: type(one) for one in objects}


@cache
def everything():
    """{name: object} of all of it; a door itself is named by what it offers."""
    names = given()
    for door in (tc, *DOORS):
        names |= {
            name: value for name, value in public(door).items() if not inspect.ismodule(value)
        }
    return names


def documented():
    """{name: object with a docstring of its own}: all names, and the methods of the classes."""
    found = {}
    for name, value in everything().items():
        if inspect.isclass(value) or inspect.isroutine(value):
            found[name] = value
        for method, member in vars(value).items() if inspect.isclass(value) else ():
            if not method.startswith("_") and (
                inspect.isroutine(member) or isinstance(member, property)
            ):
                found[f"{name}.{method}"] = getattr(value, method)
    return found


def text_of(value):
    """The docstring, or the one inherited; none of those that dataclasses make up."""
    text = inspect.getdoc(value) or ""
    made_up = inspect.isclass(value) and text.startswith(f"{value.__name__}(")
    return "" if made_up else text
