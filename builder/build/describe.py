"""From a manifest and what was counted to the facts that the card tells."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from builder.build.index import add_counts
from builder.card.facts import CardFacts, ChangeFacts, Count, InputFacts, StageFacts
from builder.card.manifest_facts import split_facts
from builder.domain.canonical_json import canonical_json
from builder.domain.changelog import change_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from builder.build import index
    from builder.domain.contract import Contract
    from builder.domain.manifest import Manifest
    from builder.recipe import Recipe

CARD_JSON = "card.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSource:
    """What the card tells that a recipe knows and no manifest does.

    It is kept in the index, so that a takedown can write a card though it has no recipe.

    Attributes:
        stages: name and options of sources and stages, in the order in which records meet them.
        notes: the sections that a person wrote, in Markdown.
    """

    title: str
    description: str = ""
    license: str | None = None
    language: tuple[str, ...] = ()
    date: str | None = None
    column_notes: Mapping[str, str] = field(default_factory=dict)
    stages: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    notes: str = ""

    @classmethod
    def of(cls, recipe: Recipe) -> CardSource:
        """Gather it from a recipe."""
        return cls(
            title=recipe.title,
            description=recipe.description,
            license=recipe.license,
            language=recipe.language,
            date=recipe.date,
            column_notes=_column_notes(recipe.contract),
            stages=tuple(_stages(recipe)),
            notes=recipe.card.read_text(encoding="utf-8") if recipe.card else "",
        )

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> CardSource:
        """Gather what a manifest's recipe tells of it."""
        kinds = dict.fromkeys(next(iter(entry)) for entry in document.get("sources", []))
        stages = [next(iter(entry.items())) for entry in document.get("stages", [])]
        return cls(
            title=document.get("title", document["name"]),
            description=document.get("description", ""),
            license=document.get("license"),
            language=tuple(document.get("language", ())),
            date=document.get("date"),
            stages=(*((kind, {}) for kind in kinds), *((name, given or {}) for name, given in stages)),
        )

    def write(self, folder: Path) -> None:
        """Keep it in a version's index."""
        (folder / CARD_JSON).write_bytes(canonical_json(dataclasses.asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> CardSource:
        """Read what ``write`` kept."""
        facts = json.loads((folder / CARD_JSON).read_bytes())
        facts["language"] = tuple(facts["language"])
        facts["stages"] = tuple((name, options) for name, options in facts["stages"])
        return cls(**facts)


def card_facts(
    manifest: Manifest,
    *,
    source: CardSource,
    shards: Sequence[index.ShardFacts],
    clusters: Mapping[int, int],
    history: Sequence[Manifest],
) -> CardFacts:
    """Gather what the card of one version tells.

    Args:
        shards: what is known of the rows of its shards.
        clusters: how many clusters there are, by the number of records in them.
        history: manifests of the versions before, oldest first.
    """
    domains = add_counts(shard.domains for shard in shards)
    newest = max((shard.newest for shard in shards), default="")
    kept = manifest.counts["kept"]
    return CardFacts(
        name=manifest.name,
        version=manifest.version,
        columns=manifest.columns,
        splits=split_facts(manifest),
        title=source.title,
        description=source.description,
        license=source.license,
        language=source.language,
        parent=manifest.parent["version"] if manifest.parent else None,
        reason=manifest.reason,
        date=source.date or newest or None,
        column_notes=source.column_notes,
        stages=tuple(StageFacts(name=name, options=options) for name, options in source.stages),
        records=manifest.counts["records"],
        inherited_rows=max(0, manifest.rows - kept),
        counts=_counts(manifest),
        inputs=InputFacts(
            count=manifest.inputs["count"],
            size_bytes=manifest.inputs["bytes"],
            digest=manifest.inputs["digest"],
        ),
        recipe_digest=manifest.recipe["digest"],
        languages=add_counts(shard.languages for shard in shards),
        domains=domains,
        n_domains=len(domains),
        clusters=sum(clusters.values()),
        largest_cluster=max(clusters, default=0),
        changes=tuple(change_facts(one) for one in (manifest, *history[::-1])),
        notes=source.notes,
    )


def change_facts(manifest: Manifest) -> ChangeFacts:
    """Gather what the list of versions tells of one."""
    changes = manifest.counts.get("changes")
    return ChangeFacts(
        version=manifest.version,
        text=manifest.reason,
        lines=tuple(change_lines(changes)) if changes else (),
    )


def _column_notes(contract: Contract) -> dict[str, str]:
    """Return what the contract says of its columns, in one line each."""
    schema = (contract.outgoing or contract).schema
    properties = schema.get("properties", {}) if isinstance(schema, dict) else {}
    described = {name: p.get("description") for name, p in properties.items() if isinstance(p, dict)}
    return {name: " ".join(text.split()) for name, text in described.items() if isinstance(text, str)}


def _stages(recipe: Recipe) -> Iterator[tuple[str, Mapping[str, Any]]]:
    written = [next(iter(entry.items())) for entry in recipe.document.get("stages", [])]
    options = {name: given or {} for name, given in written}
    sources = dict.fromkeys(source.kind for source in recipe.sources)
    for name in [*sources, *(stage.name for stage in recipe.stages), "publishable"]:
        yield name, options.get(name, {})


def _counts(manifest: Manifest) -> tuple[Count, ...]:
    return tuple(
        Count(stage=stage, reason=reason, outcome=outcome, records=n)
        for outcome, stages in sorted(manifest.counts["reasons"].items())
        for stage, reasons in sorted(stages.items())
        for reason, n in sorted(reasons.items())
    )
