"""Files of arrays: models, their weights, and checkpoints of a training run; no pickle."""
