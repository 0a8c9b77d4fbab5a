"""Numerical derivatives with an estimate of their own error: what moves, how far, and what it tells."""
