"""Data sets of labelled images: read, split, augmented, and cut into batches. Nothing is downloaded."""

from __future__ import annotations

from tinycnn.data.augment import CenterCrop, Mirror, RandomCrop, Resize, TenCrop
from tinycnn.data.batches import Batches, EpochBatches, batches, readable
from tinycnn.data.colours import PCANoise, Standardize
from tinycnn.data.dataset import Dataset
from tinycnn.data.folder import folder
from tinycnn.data.idx import read_idx
from tinycnn.data.images import LazyImages
from tinycnn.data.known import digits, fashion_mnist, idx, mnist_folder
from tinycnn.data.npz import npz
from tinycnn.data.preparation import Preparation
from tinycnn.data.sources import Parts, read

__all__ = [
    "Batches",
    "CenterCrop",
    "Dataset",
    "EpochBatches",
    "LazyImages",
    "Mirror",
    "PCANoise",
    "Parts",
    "Preparation",
    "RandomCrop",
    "Resize",
    "Standardize",
    "TenCrop",
    "batches",
    "digits",
    "fashion_mnist",
    "folder",
    "idx",
    "mnist_folder",
    "npz",
    "read",
    "read_idx",
    "readable",
]
