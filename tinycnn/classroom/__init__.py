"""A class: exercises with grading, quizzes, and a handout."""
