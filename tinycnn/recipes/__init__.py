"""How networks are trained: the AlexNet paper's recipe, and what is usual where nobody says."""

from tinycnn.recipes.paper import PAPER, Recipe
from tinycnn.recipes.usual import usual_epochs

__all__ = ["PAPER", "Recipe", "usual_epochs"]
