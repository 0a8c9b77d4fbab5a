"""The usual mistakes: what each makes of right arrays, and the words for it.

`rearranged`, `sums`, `masks`, `jacobians` and `normalization` know of arrays only; they are what the
diagnosis compares a wrong gradient with, whatever the function is. The other files are of one operation
each, made of the same parts; their lists, with hints, are what an exercise's grading looks through.
"""
