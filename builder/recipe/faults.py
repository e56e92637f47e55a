"""Find all faults of a recipe, each with its place and the nearest known name."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from builder.errors import Fault, RecipeError
from builder.recipe.near_misses import advice_for, license_faults, share_of
from builder.recipe.schema import options_schema, recipe_schema
from builder.recipe.stage_entries import code_faults, stage_faults, unknown_sources
from builder.registry import nearest, source_class, source_kinds, stage_class, stage_names

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


_KINDS = {"sources": "source", "stages": "stage"}
"""What the only key of an entry in a list of the recipe names."""

_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "a mapping of options, such as {}",
    "string": "text",
}


def find_faults(document: Any, *, allow_code: bool = False, functions: Collection[str] = ()) -> list[Fault]:
    """List every fault of a recipe; an empty list means that the recipe is valid.

    Args:
        allow_code: whether a stage may call a function of the recipe's author. Without it, nothing is
            imported.
        functions: the names of functions that were given in Python, which need no permission.
    """
    stages = document.get("stages") if isinstance(document, dict) else None
    if not allow_code and (faults := list(code_faults(stages, given=functions))):
        return faults
    if faults := [*_number_faults(document, ""), *_load_faults(document)]:
        return faults
    return [*_schema_faults(document), *_consistency_faults(document)]


def source_names(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the name of each source: its option ``name``, else its kind (``jsonl``, then ``jsonl-2``).

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
    """Find NaN and infinity, which YAML and TOML can write; no bound of a JSON Schema refuses NaN."""
    if isinstance(value, dict):
        inner = [(one, f"{place}.{key}" if place else str(key)) for key, one in value.items()]
    elif isinstance(value, list):
        inner = [(one, f"{place}[{i}]") for i, one in enumerate(value)]
    elif isinstance(value, float) and not math.isfinite(value):
        return [Fault(where=place, what=f"{value} is not allowed", advice="give a finite number")]
    else:
        return []
    return [fault for one, where in inner for fault in _number_faults(one, where)]


def _load_faults(document: Any) -> list[Fault]:
    """Load the stages and sources that a recipe names, and no others; find those that cannot be loaded."""
    faults: list[Fault] = []
    for key, known, load in (
        ("stages", stage_names(), stage_class),
        ("sources", source_kinds(), source_class),
    ):
        for i, kind in enumerate(_kinds(document, key)):
            try:
                if kind in known:
                    options_schema(load(kind))
            except RecipeError as error:
                place = f"{key}[{i}].{kind}"
                faults += [replace(fault, where=place) for fault in error.faults]
    return faults


def _kinds(document: Any, key: str) -> list[str]:
    """Return the kind of each entry of ``stages`` or ``sources``; empty where the entry is not readable."""
    entries = document.get(key) if isinstance(document, dict) else None
    return [_only_key(entry) for entry in entries] if isinstance(entries, list) else []


def _schema_faults(document: Any) -> list[Fault]:
    from jsonschema import Draft202012Validator

    schema = recipe_schema(stages=_kinds(document, "stages"), sources=_kinds(document, "sources"))
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    errors = sorted(
        validator.iter_errors(document), key=lambda e: ([str(p) for p in e.absolute_path], e.message)
    )
    return [fault for error in errors for fault in _explain(error)]


def _explain(error: Any) -> list[Fault]:
    place = _place(error.absolute_path)
    if error.validator == "additionalProperties":
        known = [*error.schema.get("properties", {})]
        if error.schema.get("patternProperties"):
            return [Fault(where=place, what=error.message, advice="use names such as train, test or en.test")]
        unknown = [key for key in error.instance if key not in known]
        return [
            Fault(
                where=f"{place}.{key}" if place else key,
                what=f"unknown {_kind_of_key(place)}",
                advice=nearest(key, known),
            )
            for key in unknown
        ]
    if error.validator == "required":
        return [Fault(where=place, what=error.message.replace(" is a required property", " is missing"))]
    if error.validator in ("minProperties", "maxProperties"):
        return [
            Fault(
                where=place,
                what="an entry must have exactly one key, its name",
                advice="write it like this: - dedup_near: {threshold: 0.8}",
            )
        ]
    if error.validator == "enum":
        what = f"{error.instance!r} is not a possible value"
        return [Fault(where=place, what=what, advice=nearest(str(error.instance), error.validator_value))]
    what = _wrong_type(error) if error.validator == "type" else error.message
    return [Fault(where=place, what=what, advice=advice_for(place, error.instance, error.validator))]


def _wrong_type(error: Any) -> str:
    """Say in words of YAML which type a value must have."""
    kinds = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    return f"must be {' or '.join(_TYPES[kind] for kind in kinds)}, but is {error.instance!r:.200}"


def _kind_of_key(place: str) -> str:
    """Return what a key names: the only key of an entry of ``stages`` is a stage."""
    return _KINDS.get(place.partition("[")[0], "key") if place.endswith("]") else "key"


def _place(path: Any) -> str:
    place = ""
    for part in path:
        place += f"[{part}]" if isinstance(part, int) else (f".{part}" if place else str(part))
    return place


def _consistency_faults(document: Any) -> list[Fault]:
    """Find faults that a schema cannot express: shares that do not add up to 1, or a duplicate name."""
    faults: list[Fault] = license_faults(document.get("license"))
    splits = document.get("splits")
    if isinstance(splits, dict) and all(isinstance(v, (int, float)) for v in splits.values()):
        total = sum(splits.values())
        if abs(total - 1) > 1e-9:
            what = f"the shares add up to {total:g}, not to 1"
            advice = "change the shares so that the sum is 1"
            if all(share_of(v) is not None for v in splits.values()) and abs(total - 100) < 1e-9:
                written = ", ".join(f"{name}: {share_of(v):g}" for name, v in splits.items())
                advice = f"write shares, not percentages: {{{written}}}"
            faults.append(Fault(where="splits", what=what, advice=advice))
    stages = document.get("stages")
    stages = stages if isinstance(stages, list) else []
    faults += stage_faults(stages)
    sources = document.get("sources")
    if isinstance(sources, list) and all(_only_key(e) and isinstance(e[_only_key(e)], dict) for e in sources):
        names = source_names(sources)
        faults += _duplicates(names)
        faults += unknown_sources(stages, names)
    return faults


def _only_key(entry: Any) -> str:
    return next(iter(entry)) if isinstance(entry, dict) and len(entry) == 1 else ""


def _duplicates(names: list[str]) -> list[Fault]:
    advice = "give the source another `name`"
    return [
        Fault(where=f"sources[{i}]", what=f"the name {name!r} is already used", advice=advice)
        for i, name in enumerate(names)
        if name in names[:i]
    ]
