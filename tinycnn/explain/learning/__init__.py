"""Learning seen: one weight, its gradient and the loss over many steps, each step's promise beside it."""
