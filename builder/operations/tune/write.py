"""Write chosen thresholds into a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from builder.errors import Fault, RecipeError
from builder.pipeline.chain import bind_chain
from builder.recipe import Recipe
from builder.recipe.edit import write_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.recipe.edit import Edit
    from builder.recipe.one_or_more import OneOrMore

_PLACE = "stages."


def write_thresholds(
    recipe: str | Path,
    *,
    settings: Sequence[str],
    schemas: OneOrMore[str | Path] = (),
    allow_code: bool = False,
) -> list[Edit]:
    """Write values of stages into the file of a recipe; the recipe must be valid with them.

    Raises:
        RecipeError: if a value is not one of a stage, the recipe is not valid with it, or the file cannot be
            edited at this place.
    """
    others = [one for one in settings if not one.startswith(_PLACE)]
    if others:
        what = "is not a value of a stage, and --write writes no others"
        advice = "write for example --set stages.dedup_near.threshold=0.75"
        raise RecipeError(*(Fault(where=f"--set {one}", what=what, advice=advice) for one in others))
    bind_chain(Recipe.load(recipe, settings=settings, schemas=schemas, allow_code=allow_code))
    return write_settings(Path(recipe), settings)
