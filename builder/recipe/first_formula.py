"""Read the recipe of a manifest that holds it only as it was written, with the defaults of that time."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from builder.domain.json.canonical import canonical_json
from builder.errors import RecipeError
from builder.protocols import Columns
from builder.recipe.faults import source_names
from builder.recipe.known_options import FIRST_SOURCES, FIRST_STAGES
from builder.recipe.stage_entries import stage_entries
from builder.recipe.text import fill_variables

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_NOT_IN_DIGEST = frozenset(
    {"title", "description", "card", "date", "corpus", "sources", "contract", "license", "language"}
)
_SPLITS = {"train": 1.0}
_RULES = 1
"""The rules number of every stage and source at that time."""


def first_chain(built: Mapping[str, Any], columns: Collection[str]) -> dict[str, Any] | None:
    """Return columns, splits and stages of a version, with the defaults of that time.

    Variables in options are as written.

    Args:
        built: the entry ``recipe`` of its manifest.
        columns: the columns of its contract.

    Returns:
        None if the values of the variables in the recipe are not those of that time.
    """
    written = {key: value for key, value in built["document"].items() if key not in _NOT_IN_DIGEST}
    try:
        document = fill_variables(written)
    except RecipeError:
        return None
    if _digest(document) != built["digest"]:
        return None
    roles = Columns.among(columns, named=document.get("columns") or {})
    entries = [(one.kind, dict(one.options)) for one in stage_entries(written.get("stages"))]
    stages = [
        {"stage": kind, "name": kind, "rules": _RULES, "options": FIRST_STAGES.get(kind, {}) | options}
        for kind, options in (*entries, ("publishable", {}))
    ]
    named = {role: getattr(roles, role) for role in ("text", "html", "url", "fetched_at")}
    splits = document.get("splits") or _SPLITS
    return {"name": document["name"], "columns": named, "splits": splits, "stages": stages}


def first_sources(built: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return each source of a version with the defaults of that time, by its name.

    A source is missing if the values of its variables are not those of that time.
    """
    entries = built["document"].get("sources", [])
    found = {}
    for name, entry in zip(source_names(entries), entries, strict=True):
        ((kind, written),) = entry.items()
        options = {key: value for key, value in written.items() if key not in ("path", "name")}
        try:
            filled = fill_variables(options)
        except RecipeError:
            continue
        if _digest([kind, filled]) == built.get("sources", {}).get(name):
            defaults = FIRST_SOURCES.get(kind, {})
            found[name] = {"source": kind, "rules": _RULES, "options": defaults | options}
    return found


def _digest(facts: Any) -> str:
    return hashlib.sha256(canonical_json(facts)).hexdigest()
