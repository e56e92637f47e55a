"""Find what in a recipe has no effect, or loses data without a fault: the warnings of ``builder check``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.domain.contract.contract import EXTRA
from builder.domain.contract.idle_keywords import find_idle_keywords
from builder.errors import Fault
from builder.operations.init_from import ROLE_NAMES
from builder.pipeline.observer import MATCH, MEMBER, ONLY_HTML, RENAME, SEEN
from builder.registry import STAGES
from builder.stages.binding.placed import stage_kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from builder.recipe import Recipe

    Seen = Mapping[tuple[str, str, str], int]

EXTRACTS = "extract_text"

READ_TEXT = frozenset(
    (
        "repair_text",
        "clean_text",
        "language",
        "signals",
        "filter",
        "pii",
        "dedup_exact",
        "dedup_near",
        "dedup_lines",
        "dedup_spans",
        "decontaminate",
        "tokens",
    )
)
"""Stages that read the text of a page; before ``extract_text`` a page has only its HTML."""

LISTS = {"status": "status", "content_types": "content_type"}
"""Options that list values, and the column that has them."""

_PAGE_COLUMNS = frozenset(("warc", "html", "text"))
"""Sources whose records have the columns of builder, not those of a user."""

_SHOWN = 10


def listed_values(recipe: Recipe) -> dict[str, list[tuple[str, str]]]:
    """Return by source the column and value of each entry that the recipe itself lists."""
    listed: dict[str, list[tuple[str, str]]] = {}
    for entry, source in zip(recipe.filled.get("sources", ()), recipe.sources, strict=False):
        options = next(iter(entry.values())) or {}
        for option, column in LISTS.items():
            values = options.get(option) or ()
            listed.setdefault(source.label, []).extend((column, str(value).strip()) for value in values)
    return listed


def recipe_warnings(recipe: Recipe) -> list[Fault]:
    """Return the warnings that need no record: idle keywords of the contract, and the order of stages."""
    contract = recipe.contract
    idle = [
        Fault(where=f"contract {contract.label}{fault.where}", what=fault.what, advice=fault.advice)
        for fault in find_idle_keywords(contract.schema, contract.documents)
    ]
    return [*idle, *_order_warnings(recipe)]


def sample_warnings(recipe: Recipe, *, published: Collection[str], seen: Seen) -> list[Fault]:
    """Return the warnings about the records of a sample.

    Args:
        published: the published columns.
        seen: the counts of the observer.
    """
    return [
        *_html_warnings(recipe, seen),
        *_text_warnings(recipe, seen),
        *_rename_warnings(recipe, seen),
        *_role_warnings(recipe, seen),
        *_list_warnings(recipe, seen),
        *_unpublished_warnings(recipe, published, seen),
        *_absent_warnings(recipe, published, seen),
    ]


def _order_warnings(recipe: Recipe) -> Iterator[Fault]:
    stages, places = [stage_kind(stage) for stage in recipe.stages], recipe.stage_places()
    if EXTRACTS not in stages:
        return
    extracts = stages.index(EXTRACTS)
    for place, stage in zip(places, stages[:extracts], strict=False):
        if stage in READ_TEXT:
            what = f"{stage} comes before {EXTRACTS}, so pages with HTML have no text there"
            yield Fault(where=place, what=what, advice=f"move it after {EXTRACTS}")


def _html_warnings(recipe: Recipe, seen: Seen) -> Iterator[Fault]:
    """Warn of records with HTML and without text; a stage of another package may extract text."""
    stages = {stage_kind(stage) for stage in recipe.stages}
    if EXTRACTS in stages or stages - set(STAGES):
        return
    n_html, n_seen = _total(seen, ONLY_HTML), _total(seen, SEEN)
    if n_html:
        what = f"{n_html:,} of {n_seen:,} records have HTML and no text, and no stage extracts text"
        yield Fault(where="stages", what=what, advice=f"add the stage `- {EXTRACTS}: {{}}` after validate")


def _text_warnings(recipe: Recipe, seen: Seen) -> Iterator[Fault]:
    """Warn of a source whose records have neither text nor HTML; ``page-1`` refuses all of them."""
    if recipe.contract.outgoing is None:
        return
    named = {fault.where for fault in _role_warnings(recipe, seen)}
    for place, source in enumerate(recipe.sources):
        where = f"sources[{place}].{source.kind}"
        names = sorted(what for kind, name, what in seen if (kind, name) == (MEMBER, source.label))
        if names and not {"text", "html"} & set(names) and where not in named:
            what = "no record of the sample has `text` or `html`"
            advice = f"if another field has it, add rename: {{FIELD: text}}; the fields are {_listed(names)}"
            yield Fault(where=where, what=what, advice=advice)


def _rename_warnings(recipe: Recipe, seen: Seen) -> Iterator[Fault]:
    for place, source in enumerate(recipe.sources):
        for path in getattr(source, "rename", {}):
            if seen.get((SEEN, source.label, "")) and not seen.get((RENAME, source.label, path)):
                names = sorted(what for kind, name, what in seen if (kind, name) == (MEMBER, source.label))
                yield Fault(
                    where=f"sources[{place}].{source.kind}.rename.{path}",
                    what="matches nothing: no record of the sample has this field",
                    advice=f"the fields are {_listed(names)}" if names else "",
                )


def _role_warnings(recipe: Recipe, seen: Seen) -> Iterator[Fault]:
    """Warn of members that look like the text or URL of records without one, such as ``Text`` or ``link``."""
    for place, source in enumerate(recipe.sources):
        label, n_seen = source.label, seen.get((SEEN, source.label, ""), 0)
        counts = {name: n for (kind, one, name), n in seen.items() if (kind, one) == (MEMBER, label)}
        taken = {*recipe.contract.columns.names, *getattr(source, "rename", {})}
        found: dict[str, str] = {}
        for role in ("url", "text"):
            column = getattr(recipe.columns, role)
            if column is None or source.kind in _PAGE_COLUMNS or counts.get(column, 0) >= n_seen:
                continue
            alike = [name for name in counts if name.lower() in ROLE_NAMES[role] and name not in taken]
            found |= dict.fromkeys(alike[:1], column)
        if found:
            what = f"some records have {_listed(list(found))}, and no {' or '.join(found.values())}"
            renames = ", ".join(f"{name}: {column}" for name, column in found.items())
            where = f"sources[{place}].{source.kind}"
            yield Fault(where=where, what=what, advice=f"if this is meant, add rename: {{{renames}}}")


def _list_warnings(recipe: Recipe, seen: Seen) -> Iterator[Fault]:
    """Warn of a listed status or content type that no record of the sample has."""
    options = {column: option for option, column in LISTS.items()}
    for place, source in enumerate(recipe.sources):
        for column, value in listed_values(recipe).get(source.label, ()):
            if not seen.get((MATCH, source.label, f"{column}={value}")):
                yield Fault(
                    where=f"sources[{place}].{source.kind}.{options[column]}",
                    what=f"{value!r} matches nothing: no page of the sample has it",
                    advice="correct the value, or remove it",
                )


def _unpublished_warnings(recipe: Recipe, published: Collection[str], seen: Seen) -> Iterator[Fault]:
    """Name the properties of records that are not published; with ``extra`` every property is."""
    if EXTRA in published or recipe.publish == "all":
        return
    kinds = {source.label: source.kind for source in recipe.sources}
    known = {*published, recipe.columns.html, *(name.partition(".")[0] for name in recipe.publish)}
    counts: dict[str, int] = {}
    for (kind, source, name), n in seen.items():
        if kind == MEMBER and kinds.get(source) not in _PAGE_COLUMNS and name not in known:
            counts[name] = counts.get(name, 0) + n
    if counts:
        names = sorted(counts, key=lambda name: (-counts[name], name))
        what = f"not published, because {recipe.contract.outgoing or recipe.contract} does not have them: "
        advice = "name those that you want under publish, or declare them in a contract of your own"
        yield Fault(where="properties", what=what + _listed(names), advice=advice)


def _absent_warnings(recipe: Recipe, published: Collection[str], seen: Seen) -> Iterator[Fault]:
    """Warn of a name under ``publish`` that no record of the sample has and no stage makes."""
    if isinstance(recipe.publish, str) or not _total(seen, SEEN):
        return
    members = sorted({name for kind, _, name in seen if kind == MEMBER})
    renamed = {name for source in recipe.sources for name in getattr(source, "rename", {}).values()}
    for name in recipe.publish:
        if name.partition(".")[0] not in {*members, *renamed, *published}:
            advice = f"the fields are {_listed(members)}" if members else "correct the name, or remove it"
            what = f"{name!r} is not published: no record of the sample has it"
            yield Fault(where="publish", what=what, advice=advice)


def _total(seen: Seen, kind: str) -> int:
    return sum(n for (one, _, _), n in seen.items() if one == kind)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
