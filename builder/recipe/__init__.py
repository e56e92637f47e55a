"""File -> schema -> frozen Recipe; all faults at once."""

from builder.recipe.recipe import Recipe
from builder.recipe.schema import recipe_schema

__all__ = ["Recipe", "recipe_schema"]
