"""What draws explanations and overviews: text on a terminal, HTML in a notebook, figures in files."""
