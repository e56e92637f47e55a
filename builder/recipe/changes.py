"""Find what has changed between the recipe of a version and the recipe of a build."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from builder.recipe.faults import source_names
from builder.recipe.first_formula import first_chain, first_sources
from builder.recipe.stage_entries import stage_entries

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from builder.recipe.identity import Identity

_SHOWN_DETAILS = 5
_FACTS = ("rules", "where", "files", "identity")
"""What is compared apart from options; a list of libraries only names what ``versions`` compares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryChange:
    """A library that is installed in another version than the one that made the rows."""

    name: str
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.name} is {self.now}, and the rows were made with {self.was}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeChanges:
    """What has changed since a version.

    Attributes:
        reasons: changes of the recipe and of builder that affect rows, as texts.
        libraries: changes of the libraries that stages and sources run.
        rebuilds: whether ``libraries`` cause a full rebuild. They do not if the version is so old that its
            manifest is compared without them.
    """

    reasons: Sequence[str]
    libraries: Sequence[LibraryChange]
    rebuilds: bool


def find_recipe_changes(
    built: Mapping[str, Any],
    identity: Identity,
    *,
    document: Mapping[str, Any],
    tools: Mapping[str, str],
    columns: Collection[str],
) -> RecipeChanges:
    """Compare the recipe of a version with that of a build.

    Args:
        built: the entry ``recipe`` of the version's manifest.
        document: the recipe of the build as written.
        tools: the entry ``tools`` of that manifest.
        columns: the columns of the contract.
    """
    written = _written(built["document"]) | _written(document)
    if "effective" not in built:
        return _compare_first(built, identity, written=written, tools=tools, columns=columns)
    before, was = built["effective"], made_by(built, tools=tools)
    now = identity.as_known(before["stages"], before["sources"])
    details = list(_chain_details(before, now.public, written))
    if not details and now.digest(_versions(before["stages"], was)) != built["digest"]:
        details = ["a variable has another value"]
    reasons = _chain_reasons(details)
    digests = now.source_digests({name: _versions([one], was) for name, one in before["sources"].items()})
    for name in sorted(before["sources"].keys() & digests.keys()):
        old, new = before["sources"][name], now.public["sources"][name]
        found = list(_part_details(name, old, new, written))
        if found or digests[name] != built["sources"][name]:
            reasons.append(_source_reason(name, found))
    libraries = _library_changes(now, before["sources"], was)
    return RecipeChanges(reasons=reasons, libraries=libraries, rebuilds=True)


def made_by(built: Mapping[str, Any], *, tools: Mapping[str, str]) -> dict[str, str]:
    """Return the version of each library that made the newest rows of a version."""
    if "libraries" not in built:
        return dict(tools)
    return {name: versions[-1] for name, versions in built["libraries"].items()}


def joined_libraries(
    built: Mapping[str, Any], identity: Identity, *, tools: Mapping[str, str], reads: bool
) -> dict[str, list[str]]:
    """Return the versions of each library that made the rows of a version and of what is added to it.

    Args:
        reads: whether the build reads inputs; otherwise the installed libraries make no rows.
    """
    first = {name: [version] for name, version in tools.items()}
    before = built.get("libraries", first)
    joined: dict[str, list[str]] = {}
    for name, now in identity.libraries.items():
        versions = list(before.get(name, [now]))
        joined[name] = [*versions, now] if reads and versions[-1] != now else versions
    return joined


# -- versions whose manifest holds only the recipe as written --------------------------------------


def _compare_first(
    built: Mapping[str, Any],
    identity: Identity,
    *,
    written: Collection[str],
    tools: Mapping[str, str],
    columns: Collection[str],
) -> RecipeChanges:
    before, sources = first_chain(built, columns), first_sources(built)
    now = identity.as_known(before["stages"] if before else [], sources)
    details = (
        list(_chain_details(before, now.public, written)) if before else ["a variable has another value"]
    )
    reasons = _chain_reasons(details)
    for name in sorted(built.get("sources", {}).keys() & now.sources.keys()):
        is_known = name in sources
        found = (
            list(_part_details(name, sources[name], now.public["sources"][name], written)) if is_known else []
        )
        if found or not is_known:
            reasons.append(_source_reason(name, found))
    libraries = _library_changes(now, built.get("sources", {}), made_by(built, tools=tools))
    return RecipeChanges(reasons=reasons, libraries=libraries, rebuilds=False)


def _library_changes(now: Identity, sources: Collection[str], was: Mapping[str, str]) -> list[LibraryChange]:
    """List the changed libraries of the stages, and of the sources that the version has too."""
    running = [
        *now.public["stages"],
        *(one for name, one in now.public["sources"].items() if name in sources),
    ]
    names = sorted({name for part in running for name in part.get("libraries", ())})
    return [
        LibraryChange(name=name, was=was[name], now=now.libraries[name])
        for name in names
        if name in was and was[name] != now.libraries[name]
    ]


def _versions(parts: Sequence[Mapping[str, Any]], was: Mapping[str, str]) -> dict[str, str]:
    """Return the versions of the libraries that some stages or sources ran."""
    return {name: was[name] for part in parts for name in part.get("libraries", ())}


def _written(document: Mapping[str, Any]) -> set[str]:
    """Return the options that a recipe writes out, as ``stage.option``."""
    found = {
        f"{one.name}.{option}" for one in stage_entries(document.get("stages")) for option in one.options
    }
    entries = document.get("sources", [])
    for name, entry in zip(source_names(entries), entries, strict=True):
        found |= {f"{name}.{option}" for option in next(iter(entry.values())) or {}}
    return found


# -- differences -----------------------------------------------------------------------------------


def _chain_reasons(details: Sequence[str]) -> list[str]:
    return [f"the stages, columns or splits have changed ({_shorten(details)})"] if details else []


def _source_reason(name: str, details: Sequence[str]) -> str:
    text = _shorten(details or ["a variable has another value"])
    return f"the options of the source {name} have changed ({text})"


def _shorten(details: Sequence[str]) -> str:
    more = len(details) - _SHOWN_DETAILS
    return ", ".join(details[:_SHOWN_DETAILS]) + (f" and {more} more" if more > 0 else "")


def _chain_details(
    before: Mapping[str, Any], now: Mapping[str, Any], written: Collection[str]
) -> Iterator[str]:
    keys = sorted((before.keys() | now.keys()) - {"stages", "sources", "name"})
    yield from (key for key in keys if before.get(key) != now.get(key))
    old = {stage["name"]: stage for stage in before["stages"]}
    new = {stage["name"]: stage for stage in now["stages"]}
    yield from (f"{name} was added" for name in new if name not in old)
    yield from (f"{name} was removed" for name in old if name not in new)
    shared = [name for name in old if name in new]
    if shared != [name for name in new if name in old]:
        yield "the order of the stages"
    for name in shared:
        if old[name]["stage"] != new[name]["stage"]:
            yield f"{name} is {new[name]['stage']}, and was {old[name]['stage']}"
            continue
        yield from _part_details(name, old[name], new[name], written)


def _part_details(
    name: str, old: Mapping[str, Any], new: Mapping[str, Any], written: Collection[str]
) -> Iterator[str]:
    """Yield the differences of one stage or source; ``written`` are the options that a recipe names."""
    if old.get("source") != new.get("source"):
        yield f"{name} is {new.get('source')}, and was {old.get('source')}"
        return
    for fact in _FACTS:
        if fact == "identity" and fact not in old:  # a version of an older release does not know the code
            continue
        if old.get(fact) != new.get(fact):
            yield _fact_text(name, fact, old.get(fact), new.get(fact))
    for option in sorted(old["options"].keys() | new["options"].keys()):
        was, now = (one["options"].get(option) for one in (old, new))
        if was != now:
            default = "" if f"{name}.{option}" in written else "the default of "
            yield f"{default}{name}.{option} is {_value(now)}, and was {_value(was)}"


def _fact_text(name: str, fact: str, was: Any, now: Any) -> str:
    if fact == "rules":
        return f"{name} works by rules number {now}, and worked by number {was}"
    if fact == "files":
        was, now = was or {}, now or {}
        paths = sorted(path for path in was.keys() | now.keys() if was.get(path) != now.get(path))
        return f"{name} reads other files: {', '.join(paths)}"
    if fact == "identity":
        return f"the code of {name}{_packages(was, now)}"
    return f"{name}.{fact} is {_value(now)}, and was {_value(was)}"


def _packages(was: Any, now: Any) -> str:
    """Say which versions of a package differ, if that is what has changed."""
    texts = [
        f"{one.get('package') or one.get('function')} {one['version']}"
        if isinstance(one, dict) and one.get("version")
        else ""
        for one in (was, now)
    ]
    return f", which is {texts[1]}, and was {texts[0]}" if all(texts) and texts[0] != texts[1] else ""


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}…"
