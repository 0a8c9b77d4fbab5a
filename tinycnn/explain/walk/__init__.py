"""The walk with the keys: a network's layers, maps and opened numbers on a terminal's screen."""
