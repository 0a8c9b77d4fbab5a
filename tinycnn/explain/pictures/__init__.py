"""The picture of a lesson: the bundled one or the user's own, and brought to shades."""
