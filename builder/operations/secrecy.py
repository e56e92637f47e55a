"""Keep the values of a recipe's variables out of the errors of an operation."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from builder.errors import Fault, RecipeError
from builder.recipe import Recipe
from builder.recipe.secrets import hidden_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_OF_LOAD = ("settings", "schemas", "allow_code")

_P = ParamSpec("_P")
_T = TypeVar("_T")


def hides_variables(
    function: Callable[Concatenate[Recipe, _P], _T],
) -> Callable[Concatenate[Recipe | str | Path, _P], _T]:
    """Load the recipe of an operation, and replace the values of its variables in every error.

    If the recipe is a path, the arguments ``settings``, ``schemas`` and ``allow_code`` of the operation are
    those of ``Recipe.load``.
    """

    @wraps(function)
    def hiding(recipe: Recipe | str | Path, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        given: Any = {name: kwargs[name] for name in _OF_LOAD if kwargs.get(name)}
        if isinstance(recipe, Recipe):
            _refuse_ignored(given)
            loaded = recipe
        else:
            loaded = Recipe.load(recipe, **given)
        with hidden_variables(loaded.variables):
            return function(loaded, *args, **kwargs)

    return cast("Callable[Concatenate[Recipe | str | Path, _P], _T]", hiding)


def _refuse_ignored(given: Mapping[str, Any]) -> None:
    """Refuse what would have no effect, because the recipe was loaded without it.

    Raises:
        RecipeError: if there are settings or folders of schemas. ``allow_code`` needs no effect.
    """
    if ignored := [name for name in given if name != "allow_code"]:
        what = f"{ignored[0]} needs a recipe that is given as a path"
        advice = f"write Recipe.load(path, {ignored[0]}=...)"
        raise RecipeError(Fault(where=ignored[0], what=what, advice=advice))
