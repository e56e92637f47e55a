"""Return the stages of a version as they were built, whatever the defaults are today."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.recipe.known_options import FIRST_STAGES, later_values
from builder.recipe.stage_entries import StageEntry, stage_entries
from builder.recipe.text import fill_variables
from builder.stages.binding.where import Where

if TYPE_CHECKING:
    from collections.abc import Mapping


def _first(entry: StageEntry) -> dict[str, Any]:
    return {**later_values(entry.kind), **FIRST_STAGES.get(entry.kind, {}), **entry.options}


def built_stages(built: Mapping[str, Any]) -> list[StageEntry]:
    """Return the stages of a version with all options that it was built with.

    Args:
        built: the entry ``recipe`` of its manifest.

    Raises:
        RecipeError: if an option contains a variable that is not set.
    """
    if "effective" not in built:
        return [
            StageEntry(kind=one.kind, name=one.name, options=_first(one))
            for one in stage_entries(built["document"].get("stages"))
        ]
    return [
        StageEntry(
            kind=stage["stage"],
            name=stage["name"],
            where=Where.of(stage.get("where")),
            options=later_values(stage["stage"]) | fill_variables(stage["options"]),
        )
        for stage in built["effective"]["stages"]
        if stage["stage"] != "publishable"
    ]
