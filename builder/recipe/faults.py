"""What is wrong with a recipe: everything at once, each fault with its place and the nearest name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from builder.errors import Fault
from builder.recipe.schema import recipe_schema
from builder.registry import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def find_faults(document: Any) -> list[Fault]:
    """List every fault of a recipe; an empty list means that it can be assembled."""
    return [*_number_faults(document, ""), *_schema_faults(document), *_meaning_faults(document)]


def source_names(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name each source: ``name:`` in the recipe, else its kind, then ``jsonl-2``.

    >>> source_names([{"jsonl": {}}, {"warc": {}}, {"jsonl": {}}, {"jsonl": {"name": "feed"}}])
    ['jsonl', 'warc', 'jsonl-2', 'feed']
    """
    names: list[str] = []
    seen: dict[str, int] = {}
    for entry in entries:
        ((kind, options),) = entry.items()
        seen[kind] = seen.get(kind, 0) + 1
        default = kind if seen[kind] == 1 else f"{kind}-{seen[kind]}"
        names.append((options or {}).get("name") or default)
    return names


def _number_faults(value: Any, place: str) -> list[Fault]:
    """Find NaN and infinity, which YAML and TOML can write: no bound of a schema refuses NaN."""
    if isinstance(value, dict):
        inner = [(one, f"{place}.{key}" if place else str(key)) for key, one in value.items()]
    elif isinstance(value, list):
        inner = [(one, f"{place}[{i}]") for i, one in enumerate(value)]
    elif isinstance(value, float) and not math.isfinite(value):
        return [Fault(where=place, what=f"{value} is no number that a recipe may hold")]
    else:
        return []
    return [fault for one, where in inner for fault in _number_faults(one, where)]


def _schema_faults(document: Any) -> list[Fault]:
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(recipe_schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)
    errors = sorted(
        validator.iter_errors(document), key=lambda e: ([str(p) for p in e.absolute_path], e.message)
    )
    return [fault for error in errors for fault in _explain(error)]


def _explain(error: Any) -> list[Fault]:
    place = _place(error.absolute_path)
    if error.validator == "additionalProperties":
        known = [*error.schema.get("properties", {})]
        if error.schema.get("patternProperties"):
            return [
                Fault(where=place, what=error.message, advice="a split is named like train, test or en.test")
            ]
        strange = [key for key in error.instance if key not in known]
        return [
            Fault(where=f"{place}.{key}" if place else key, what="unknown key", advice=nearest(key, known))
            for key in strange
        ]
    if error.validator == "required":
        return [Fault(where=place, what=error.message.replace(" is a required property", " is missing"))]
    if error.validator in ("minProperties", "maxProperties"):
        return [
            Fault(
                where=place,
                what="an entry has exactly one key, its name",
                advice="- dedup_near: {threshold: 0.8}",
            )
        ]
    advice = "one of " + ", ".join(map(str, error.validator_value)) if error.validator == "enum" else ""
    return [Fault(where=place, what=error.message, advice=advice)]


def _place(path: Any) -> str:
    place = ""
    for part in path:
        place += f"[{part}]" if isinstance(part, int) else (f".{part}" if place else str(part))
    return place


def _meaning_faults(document: Any) -> list[Fault]:
    """Find what a schema cannot say: shares that do not add up, a stage or a name given twice."""
    faults: list[Fault] = []
    splits = document.get("splits")
    if isinstance(splits, dict) and all(isinstance(v, (int, float)) for v in splits.values()):
        total = sum(splits.values())
        if abs(total - 1) > 1e-9:
            faults.append(Fault(where="splits", what=f"the shares add up to {total:g}, not to 1"))
    faults += _twice(document.get("stages"), "stages", [_only_key(e) for e in document.get("stages") or []])
    stages = [_only_key(entry) for entry in document.get("stages") or []]
    if "validate" in stages[1:]:
        place = f"stages[{stages.index('validate', 1)}]"
        faults.append(Fault(where=place, what="validate stands first in every chain", advice="move it up"))
    sources = document.get("sources")
    if isinstance(sources, list) and all(_only_key(e) and isinstance(e[_only_key(e)], dict) for e in sources):
        faults += _twice(sources, "sources", source_names(sources))
    return faults


def _only_key(entry: Any) -> str:
    return next(iter(entry)) if isinstance(entry, dict) and len(entry) == 1 else ""


def _twice(entries: Any, where: str, names: list[str]) -> list[Fault]:
    if not isinstance(entries, list):
        return []
    return [
        Fault(where=f"{where}[{i}]", what=f"{name!r} is there twice", advice="give it once, or another name")
        for i, name in enumerate(names)
        if name and name in names[:i]
    ]
