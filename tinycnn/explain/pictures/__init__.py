"""The picture of a lesson: read, resized, and brought to shades."""
