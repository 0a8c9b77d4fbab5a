"""Runs: a network trained on a data set, in a folder with all that belongs to it."""
