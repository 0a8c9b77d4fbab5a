"""Write the trained network that the package brings, from the run that trained it.

    tinycnn train fashion-mnist --full --model fashion --out RUN
    python -m tools.bundled_network RUN/latest.npz

What is written is a checkpoint with the weights and the preparation of pictures: what training alone goes on
from, such as velocities, is left out.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tinycnn import checkpoints
from tinycnn.networks import VARIANTS, alexnet

TARGET = Path(__file__).parents[1] / "tinycnn/trained"


def main(source: Path, variant: str = "fashion") -> Path:
    """Write the weights that ``source`` has; raises CheckpointError where they are another network's."""
    model = alexnet(variant=variant, trained=False)
    parts = checkpoints.load(source, model).parts
    target = TARGET / str(VARIANTS[variant].weights)
    checkpoints.save(target, model, preparation=parts["preparation"])
    return target


if __name__ == "__main__":
    main(Path(sys.argv[1]))
