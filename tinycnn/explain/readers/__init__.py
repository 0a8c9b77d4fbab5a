"""Who draws explanations: a terminal, a notebook, a figure in a file."""
