"""Read a recipe file, check it, and return a frozen Recipe; all faults are reported at once."""

from builder.recipe.recipe import Recipe
from builder.recipe.schema import recipe_schema

__all__ = ["Recipe", "recipe_schema"]
