"""Exercises for a class: files with the loops left out."""

from __future__ import annotations

from tinycnn.classroom.exercises.catalogue import EXERCISES, skeleton

__all__ = ["EXERCISES", "skeleton"]
