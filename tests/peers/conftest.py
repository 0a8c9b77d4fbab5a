"""PyTorch, imported when a test asks for it: collecting these files does not need it, running does."""

import pytest


@pytest.fixture(scope="session")
def torch():
    import torch

    torch.set_num_threads(1)  # small tensors: its threads would only wait for each other
    return torch
