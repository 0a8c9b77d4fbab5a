"""What can be checked, each turned into a `Target`: layers, models, pairs of functions, code of users.

A target never touches the caller's own arrays, layers or models: arrays are float64 copies, layers
are deep copies.
"""
