"""Collect the facts of a dataset card from a manifest, a recipe and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.card.facts import CardFacts, ChangeFacts, Count, InputFacts, StageFacts
from builder.card.manifest_facts import split_facts
from builder.card.source import CardSource, named_options
from builder.domain.changelog import change_lines
from builder.history.index import add_counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from builder.domain.contract.contract import Contract
    from builder.domain.manifest import Manifest
    from builder.history import index
    from builder.recipe import Recipe


def card_source(recipe: Recipe) -> CardSource:
    """Collect the facts of the card that are in the recipe."""
    return CardSource(
        title=recipe.title,
        description=recipe.description,
        license=recipe.license,
        language=recipe.language,
        date=recipe.date,
        column_notes=_column_notes(recipe.contract),
        stages=tuple(_stages(recipe)),
        notes=recipe.card.read_text(encoding="utf-8") if recipe.card else "",
    )


def card_facts(
    manifest: Manifest,
    *,
    source: CardSource,
    shards: Sequence[index.ShardFacts],
    clusters: Mapping[int, int],
    history: Sequence[Manifest],
) -> CardFacts:
    """Collect the facts of the card of one version.

    Args:
        shards: facts about the rows of its shards.
        clusters: number of clusters, by the number of records in a cluster.
        history: manifests of the earlier versions, oldest first.
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
    """Collect the facts about one version for the card's list of versions."""
    changes = manifest.counts.get("changes")
    return ChangeFacts(
        version=manifest.version,
        text=manifest.reason,
        lines=tuple(change_lines(changes)) if changes else (),
    )


def _column_notes(contract: Contract) -> dict[str, str]:
    """Return the contract's description of each column, in one line."""
    schema = (contract.outgoing or contract).schema
    properties = schema.get("properties", {}) if isinstance(schema, dict) else {}
    described = {name: p.get("description") for name, p in properties.items() if isinstance(p, dict)}
    return {name: " ".join(text.split()) for name, text in described.items() if isinstance(text, str)}


def _stages(recipe: Recipe) -> Iterator[tuple[str, Mapping[str, Any]]]:
    written = [next(iter(entry.items())) for entry in recipe.document.get("stages", [])]
    options = dict(named_options(kind, given or {}) for kind, given in written)
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
