"""Hand-sized examples: worked out by the engine, and by hand."""
