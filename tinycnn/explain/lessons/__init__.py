"""A lesson: a network over a picture; its weights, its overview, its feature maps."""
