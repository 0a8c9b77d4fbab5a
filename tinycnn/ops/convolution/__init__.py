"""Convolution: the function, its geometry, and a ladder of algorithms to read upwards.

naive, im2col, direct, winograd: each does the same sum, with less time and more to explain.
"""
