"""What an opened number is, as data: sums, checks, explanations."""
