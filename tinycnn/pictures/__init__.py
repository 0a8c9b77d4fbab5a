"""Pictures read from files, resized, and fitted to a network's input."""
