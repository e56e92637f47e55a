"""Read the entries of `stages`: the kind of each stage, its name, the rows that it works on, its options."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from builder.errors import Fault, RecipeError
from builder.registry import blame, nearest, source_kinds, stage_class, stage_names
from builder.stages.binding.placed import AnyStage, place_stage
from builder.stages.binding.where import Where
from builder.stages.functions.called import find_function

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from builder.stages.functions.called import CalledFunction

FIRST_KIND = "validate"
"""The kind of the first stage of every chain."""

CALLS = "filter"
"""The kind of stage that calls a function of the user."""

COMMON = ("name", "where")
"""Options that every stage has."""

_TAKEN = frozenset(
    {"publishable", "takedown", "source", "card", "index", "records", "rows", "shards", "texts"}
)
"""Names in the ledger and names of files in the index, which a stage cannot have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEntry:
    """One entry of `stages`, without defaults."""

    kind: str
    name: str
    where: Where = field(default_factory=Where)
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> StageEntry:
        """Read an entry such as ``{"dedup_near": {"name": "strict", "threshold": 0.9}}``."""
        ((kind, written),) = entry.items()
        written = written or {}
        return cls(
            kind=kind,
            name=written.get("name") or kind,
            where=Where.of(written.get("where")),
            options={key: value for key, value in written.items() if key not in COMMON},
        )

    @property
    def call(self) -> str | None:
        """The function that a `filter` calls; None without one."""
        return self.options.get("call") if self.kind == CALLS else None

    def make(self, called: CalledFunction | None = None) -> AnyStage:
        """Create the stage.

        Args:
            called: the function that ``call`` names.

        Raises:
            RecipeError: if a stage of another package refuses its options, whatever its code raises.
        """
        found = stage_class(self.kind)
        with blame(self.kind, kind="stage", code=found):
            stage = found(**collected(found, self.options))
        if called is not None:
            stage = stage.with_function(called)
        return place_stage(stage, name=self.name, where=self.where)


def collected(found: type, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a class; keys that are not options go to the option that it ``collects``."""
    into = getattr(found, "collects", None)
    if into is None:
        return dict(options)
    names = {one.name for one in dataclasses.fields(found) if "help" in one.metadata}
    known = {name: value for name, value in options.items() if name in names}
    others = {name: value for name, value in options.items() if name not in names}
    return known | {into: {**known.get(into, {}), **others}} if others else known


def stage_entries(written: Sequence[Mapping[str, Any]] | None) -> list[StageEntry]:
    """Return the entries of a recipe; ``validate`` is the first one, even if the recipe does not list it.

    >>> [one.name for one in stage_entries([{"dedup_near": {"name": "strict"}}])]
    ['validate', 'strict']
    """
    entries = [StageEntry.of(entry) for entry in written or []]
    has_first = bool(entries) and entries[0].kind == FIRST_KIND
    return entries if has_first else [StageEntry(kind=FIRST_KIND, name=FIRST_KIND), *entries]


def make_stages(
    written: Sequence[Mapping[str, Any]] | None,
    *,
    folder: Path,
    functions: Mapping[str, CalledFunction],
) -> tuple[AnyStage, ...]:
    """Create the stages of a recipe, with the functions that they call.

    Args:
        folder: the folder of the recipe, to which files of functions are relative.
        functions: the functions that were given in Python, by the name that the recipe has for them.

    Raises:
        RecipeError: if a stage refuses its options, or the file of a function cannot be read.
    """
    entries = stage_entries(written)
    first = len(written or ()) - len(entries)
    made = []
    for place, entry in enumerate(entries, first):
        called = functions.get(entry.call or "")
        if called is None and entry.call is not None:
            try:
                called = find_function(entry.call, folder=folder)
            except RecipeError as error:
                where = f"stages[{place}].{entry.kind}.call"
                raise RecipeError(*(replace(fault, where=where) for fault in error.faults)) from None
        made.append(entry.make(called))
    return tuple(made)


def common_options_schema() -> dict[str, Any]:
    """Return the JSON Schema of the options that every stage has."""
    names = {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}}
    return {
        "name": {
            "type": "string",
            "pattern": "^[a-z][a-z0-9_]{0,62}$",
            "description": "Name of the stage in the ledger. Default: its kind.",
        },
        "where": {
            "type": "object",
            "description": "Rows that the stage works on; other rows pass unchanged. Default: all rows.",
            "additionalProperties": False,
            "minProperties": 1,
            "properties": {
                "sources": {**names, "description": "Names of sources."},
                "language": {
                    **names,
                    "description": "Values of the column `language`; `en` also matches `en-GB`.",
                },
            },
        },
    }


def stage_faults(written: Sequence[Any]) -> Iterator[Fault]:
    """Find names of stages that are used twice or that have another meaning, and a stage at a wrong place."""
    entries = {i: StageEntry.of(entry) for i, entry in enumerate(written) if _is_readable(entry)}
    seen: Counter[str] = Counter()
    for i, entry in entries.items():
        place = f"stages[{i}]"
        if seen[entry.name]:
            what = f"the name {entry.name!r} is already used"
            yield Fault(where=place, what=what, advice="give the stage another `name`, or remove the entry")
        seen[entry.name] += 1
        if entry.name != entry.kind and entry.name in {*_TAKEN, *stage_names(), *source_kinds()}:
            what = f"the name {entry.name!r} has another meaning in the ledger or the index"
            yield Fault(where=f"{place}.{entry.kind}.name", what=what, advice="choose another name")
        if entry.kind == FIRST_KIND and i:
            what = f"{FIRST_KIND!r} must be the first stage"
            yield Fault(where=place, what=what, advice="move it to the top of `stages`")
        if entry.kind == FIRST_KIND and entry.where:
            what = f"{FIRST_KIND!r} checks every record, so it does not take `where`"
            yield Fault(where=f"{place}.{FIRST_KIND}.where", what=what, advice="remove `where`")


def is_free_name(name: str) -> bool:
    """Return whether a stage can have a name without another meaning."""
    pattern = common_options_schema()["name"]["pattern"]
    return bool(re.match(pattern, name)) and name not in {*_TAKEN, *stage_names(), *source_kinds()}


def code_faults(written: Any, *, given: Collection[str]) -> Iterator[Fault]:
    """Find the stages that run code of the recipe's author, which the user must allow.

    Args:
        given: the functions that were given in Python; the caller has imported them.
    """
    for i, entry in enumerate(written if isinstance(written, list) else ()):
        call = StageEntry.of(entry).call if _is_readable(entry) else None
        if call is not None and call not in given:
            what = f"the recipe runs code of its own: {call}"
            advice = "read that code, then add --allow-code (in Python: allow_code=True)"
            yield Fault(where=f"stages[{i}].{CALLS}.call", what=what, advice=advice)


def _is_readable(entry: Any) -> bool:
    """Return whether an entry has the form that ``StageEntry.of`` reads; the schema reports the others."""
    if not (isinstance(entry, dict) and len(entry) == 1):
        return False
    (written,) = entry.values()
    if written is None:
        return True
    if not isinstance(written, dict) or not isinstance(written.get("name", ""), str):
        return False
    where = written.get("where", {})
    return isinstance(where, dict) and all(
        isinstance(names, list) and all(isinstance(one, str) for one in names) for names in where.values()
    )


def unknown_sources(written: Sequence[Any], known: Sequence[str]) -> Iterator[Fault]:
    """Find sources that `where` names and the recipe does not have."""
    for i, entry in enumerate(written):
        if not _is_readable(entry):
            continue
        found = StageEntry.of(entry)
        for name in found.where.sources:
            if name not in known:
                place = f"stages[{i}].{found.kind}.where.sources"
                yield Fault(where=place, what=f"no source is called {name!r}", advice=nearest(name, known))
