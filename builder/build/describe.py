"""From a manifest and what was counted to the facts that the card tells."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from builder.card.facts import (
    CardFacts,
    ChangeFacts,
    Count,
    InputFacts,
    ShardFacts,
    SplitFacts,
    StageFacts,
    VersionFacts,
)
from builder.domain.changelog import change_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.build.closing import Closed
    from builder.build.work import Work
    from builder.domain.contract import Contract
    from builder.domain.manifest import Manifest


def card_facts(manifest: Manifest, *, work: Work, closed: Closed, history: Sequence[Manifest]) -> CardFacts:
    """Gather what the card of one version tells."""
    recipe = work.recipe
    domains = _add_up([shard.domains for shard in closed.shards])
    return CardFacts(
        name=manifest.name,
        version=manifest.version,
        columns=manifest.columns,
        splits=split_facts(manifest),
        title=recipe.title,
        description=recipe.description,
        license=recipe.license,
        language=recipe.language,
        parent=manifest.parent["version"] if manifest.parent else None,
        reason=manifest.reason,
        date=recipe.date or max((shard.newest for shard in closed.shards), default="") or None,
        column_notes=_column_notes(recipe.contract),
        stages=_stages(work),
        records=manifest.counts["records"],
        counts=_counts(closed),
        inputs=InputFacts(
            count=manifest.inputs["count"],
            size_bytes=manifest.inputs["bytes"],
            digest=manifest.inputs["digest"],
        ),
        languages=_add_up([shard.languages for shard in closed.shards]),
        domains=domains,
        n_domains=len(domains),
        clusters=sum(closed.clusters.values()),
        largest_cluster=max(closed.clusters, default=0),
        changes=tuple(change_facts(one) for one in (manifest, *history[::-1])),
        notes=recipe.card.read_text(encoding="utf-8") if recipe.card else "",
    )


def change_facts(manifest: Manifest) -> ChangeFacts:
    """Gather what the list of versions tells of one."""
    changes = manifest.counts.get("changes")
    return ChangeFacts(
        version=manifest.version,
        text=manifest.reason,
        lines=tuple(change_lines(changes)) if changes else (),
    )


def version_facts(manifest: Manifest, *, yanked: str | None = None) -> VersionFacts:
    """Gather what the corpus's own card tells of one version; ``yanked`` is why it was, if it was."""
    return VersionFacts(
        version=manifest.version,
        columns=manifest.columns,
        splits=split_facts(manifest),
        reason=manifest.reason,
        yanked=yanked,
    )


def split_facts(manifest: Manifest) -> dict[str, SplitFacts]:
    """Return the splits as cards tell them."""
    return {
        name: SplitFacts(
            rows=split.rows,
            raw_bytes=split.raw_bytes,
            shards=tuple(
                ShardFacts(path=s.path, size_bytes=s.bytes, rows=s.rows, sha256=s.sha256)
                for s in split.shards
            ),
        )
        for name, split in manifest.splits.items()
    }


def _column_notes(contract: Contract) -> dict[str, str]:
    """Return what the contract says of its columns, in one line each."""
    schema = (contract.outgoing or contract).schema
    properties = schema.get("properties", {}) if isinstance(schema, dict) else {}
    described = {name: p.get("description") for name, p in properties.items() if isinstance(p, dict)}
    return {name: " ".join(text.split()) for name, text in described.items() if isinstance(text, str)}


def _stages(work: Work) -> tuple[StageFacts, ...]:
    recipe = work.recipe
    written = [next(iter(entry.items())) for entry in recipe.document.get("stages", [])]
    options = {name: given or {} for name, given in written}
    sources = dict.fromkeys(source.kind for source in recipe.sources)
    names = [*sources, *(stage.name for stage in recipe.stages), "publishable"]
    return tuple(StageFacts(name=name, options=options.get(name, {})) for name in names)


def _counts(closed: Closed) -> tuple[Count, ...]:
    return tuple(
        Count(stage=stage, reason=reason, outcome=outcome, records=n)  # type: ignore[arg-type]
        for (outcome, stage, reason), n in sorted(closed.sums.reasons.items())
    )


def _add_up(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Add counters up; most first, names in order where they are equal."""
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))
