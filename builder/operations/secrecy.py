"""Keep the values of a recipe's variables out of the errors of an operation."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar, cast

from builder.recipe import Recipe
from builder.recipe.secrets import hidden_variables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_P = ParamSpec("_P")
_T = TypeVar("_T")


def hides_variables(
    function: Callable[Concatenate[Recipe, _P], _T],
) -> Callable[Concatenate[Recipe | str | Path, _P], _T]:
    """Load the recipe of an operation, and replace the values of its variables in every error.

    If the recipe is a path, the argument ``allow_code`` of the operation is that of ``Recipe.load``.
    """

    @wraps(function)
    def hiding(recipe: Recipe | str | Path, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        allowed = bool(kwargs.get("allow_code"))
        loaded = recipe if isinstance(recipe, Recipe) else Recipe.load(recipe, allow_code=allowed)
        with hidden_variables(loaded.variables):
            return function(loaded, *args, **kwargs)

    return cast("Callable[Concatenate[Recipe | str | Path, _P], _T]", hiding)
