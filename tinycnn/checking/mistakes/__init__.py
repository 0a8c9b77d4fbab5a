"""The usual mistakes: what each makes of right arrays, the words for it, and what it teaches.

Each is of a kind, and each kind has its hint in `hints`: one catalogue for an exercise's grading and for
the diagnosis of a gradient check.

`rearranged`, `sums`, `masks`, `jacobians` and `normalization` know of arrays only; they are what the
diagnosis compares a wrong gradient with, whatever the function is. The other files are of one operation
each, made of the same parts; their lists are what an exercise's grading looks through.
"""
