"""Convolution by Winograd's minimal filtering: matrices, tiles, generated code, one convolution."""
