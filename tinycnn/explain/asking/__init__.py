"""Predict first: a number is hidden, its reader's answer judged, and said where it went wrong."""
