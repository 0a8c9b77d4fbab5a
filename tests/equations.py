"""A pocket calculator for printed equations."""

import math
import re

_NAMES = {"ln": math.log, "exp": math.exp, "floor": math.floor, "ceil": math.ceil, "max": max}
_ARITHMETIC = re.compile(rf"(?:[\d\s+\-*/^().,e]|{'|'.join(_NAMES)})+")


def is_arithmetic(text):
    return _ARITHMETIC.fullmatch(text) is not None and any(c.isdigit() for c in text)


def evaluate(text):
    """What arithmetic gives: 2^3 is a power, 1,000 a thousand."""
    assert is_arithmetic(text), text
    source = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text).replace("^", "**")
    return eval(source, {"__builtins__": {}}, _NAMES)


def check_equation(equation):
    """All sides of ``name = 1/8 = 0.125`` give the same; returns the name, if any, and the value."""
    equation, rounded = re.subn(", rounded$", "", equation.strip())
    sides = equation.split(" = ")
    name = None if is_arithmetic(sides[0]) else sides.pop(0)
    assert sides, equation
    values = [evaluate(side) for side in sides]
    for place, value in enumerate(values):
        near = 6e-6 if rounded and place == len(values) - 1 else 1e-12
        assert math.isclose(value, values[0], rel_tol=near, abs_tol=1e-12), equation
    if rounded:
        assert values[-1] != values[0], f"{equation} is not rounded"
    return name, values[0]
