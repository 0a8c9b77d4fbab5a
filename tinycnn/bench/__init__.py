"""Measurements of the engine, beside others where they are installed: what ``tinycnn bench`` runs.

Each candidate works in a process of its own, and only one of them is awake at a time. They take
turns, results are compared with a reference before anything is timed, and what is said is a ratio
of times from the same round. docs/benchmarks.md tells users how to read it.
"""
