"""Training: the loop with history, evaluation, early stopping, checkpoints and progress around it."""

from __future__ import annotations

from tinycnn.training.callbacks import Callback, EarlyStopping
from tinycnn.training.evaluation import Evaluation, evaluate
from tinycnn.training.history import Epoch, History
from tinycnn.training.trainer import Trainer

__all__ = ["Callback", "EarlyStopping", "Epoch", "Evaluation", "History", "Trainer", "evaluate"]
