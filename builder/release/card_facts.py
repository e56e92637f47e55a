"""Collect the facts of a dataset card from a manifest, a recipe and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.card.facts import (
    CardFacts,
    ChangeFacts,
    Count,
    InputFacts,
    RecordFacts,
    SignalHistogram,
    SourceFacts,
    StageFacts,
)
from builder.card.manifest_facts import recipe_date, split_facts
from builder.card.source import CardSource, named_options
from builder.domain.changelog import change_lines
from builder.history.index import add_counts
from builder.release.column_notes import column_notes, notes_of_manifest
from builder.release.lineage_counts import OF_LINEAGE, counts_up_to
from builder.release.side_files import COUNTED
from builder.stages.quality.signals import SIGNALS
from builder.stages.signals import USUAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
        column_notes=column_notes(recipe),
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
    new_inputs: int | None = None,
) -> CardFacts:
    """Collect the facts of the card of one version.

    Args:
        shards: facts about the rows of its shards.
        clusters: number of clusters, by the number of records in a cluster.
        history: manifests of the earlier versions, oldest first.
        new_inputs: the number of inputs that the parent did not have; None if it is not known.
    """
    domains = add_counts(shard.domains for shard in shards)
    newest = max((shard.newest for shard in shards), default="")
    total = counts_up_to(manifest)
    own = record_facts(manifest.counts)
    builds_on = manifest.parent is not None and (total is None or OF_LINEAGE in manifest.counts)
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
        date=source.date,
        pages_until=None if source.date else newest or None,
        column_notes=source.column_notes or notes_of_manifest(manifest),
        stages=tuple(StageFacts(name=name, options=options) for name, options in source.stages),
        source_kinds=_source_kinds([*history, manifest]),
        read=record_facts(total) if total else own,
        added=own if builds_on and total else None,
        inherited_rows=max(0, manifest.rows - manifest.counts["kept"]) if builds_on and not total else 0,
        new_inputs=new_inputs,
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
        signals=tuple(_signals(manifest)),
        changes=tuple(change_facts(one) for one in (manifest, *history[::-1])),
        notes=source.notes,
    )


def _signals(manifest: Manifest) -> Iterator[SignalHistogram]:
    """Yield the histograms that the card shows."""
    histograms = manifest.counts.get(COUNTED, {})
    for name in USUAL:
        if name in histograms:
            bins = histograms[name]
            edges, counts = tuple(bins["edges"]), tuple(bins["counts"])
            note = SIGNALS[name].help
            yield SignalHistogram(name=name, note=note, edges=edges, counts=counts, null=bins["null"])


def change_facts(manifest: Manifest) -> ChangeFacts:
    """Collect the facts about one version for the card's list of versions."""
    changes = manifest.counts.get("changes")
    return ChangeFacts(
        version=manifest.version,
        text=manifest.reason,
        date=recipe_date(manifest),
        lines=tuple(change_lines(changes)) if changes else (),
    )


def _stages(recipe: Recipe) -> Iterator[tuple[str, Mapping[str, Any]]]:
    written = [next(iter(entry.items())) for entry in recipe.document.get("stages", [])]
    options = dict(named_options(kind, given or {}) for kind, given in written)
    sources = dict.fromkeys(source.kind for source in recipe.sources)
    for name in [*sources, *(stage.name for stage in recipe.stages), "publishable"]:
        yield name, options.get(name, {})


def record_facts(counts: Mapping[str, Any]) -> RecordFacts:
    """Return the counts of a manifest as the facts of a card."""
    return RecordFacts(
        records=counts["records"],
        counts=tuple(
            Count(stage=stage, reason=reason, outcome=outcome, records=n)
            for outcome, stages in sorted(counts["reasons"].items())
            for stage, reasons in sorted(stages.items())
            for reason, n in sorted(reasons.items())
        ),
        sources=tuple(SourceFacts(name=name, **n) for name, n in counts.get("sources", {}).items()),
        restated=counts.get("restated", 0),
    )


def _source_kinds(manifests: Sequence[Manifest]) -> tuple[str, ...]:
    """Return the kinds of the sources of all versions, those of the newest first."""
    documents = [manifest.recipe["document"] for manifest in reversed(manifests)]
    kinds = (next(iter(entry)) for document in documents for entry in document.get("sources", ()))
    return tuple(dict.fromkeys(kinds))
