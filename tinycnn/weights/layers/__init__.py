"""A file a kind of layer: how other engines call its arrays, and in which order their axes stand."""
