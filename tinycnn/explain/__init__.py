"""Every number of a recorded pass opened, as values that terminals, notebooks and figures draw.

What is known of each kind of layer is registered with `explainers`; yours may do so, too.
"""

from __future__ import annotations

from tinycnn.explain import layers
from tinycnn.explain.explainer import (
    ActivationExplainer,
    Explainer,
    explainers,
    register_activation,
)
from tinycnn.explain.learning.learn import learn
from tinycnn.explain.learning.values import Learning, LearningStep
from tinycnn.explain.lessons.lesson import Lesson, open_lesson
from tinycnn.explain.opening import explain
from tinycnn.explain.values.explanation import Explanation

__all__ = [
    "ActivationExplainer",
    "Explainer",
    "Explanation",
    "Learning",
    "LearningStep",
    "Lesson",
    "explain",
    "explainers",
    "layers",
    "learn",
    "open_lesson",
    "register_activation",
]
