"""Look over one version: gather the facts of a report from its manifest, rows, ledger and audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.card.funnel import funnel
from builder.card.manifest_facts import recipe_date
from builder.card.source import CARD_JSON, CardSource
from builder.corpus import Corpus, split_address
from builder.corpus.names import STOPPED
from builder.corpus.opening import SMALL_JSON_BYTES, read_file
from builder.errors import CorpusError, Fault, TamperedError
from builder.history.index import add_counts
from builder.history.lineage import Lineage
from builder.operations.overview import dropped, evidence, outcomes
from builder.operations.overview.binning import binned
from builder.operations.overview.facts import (
    SHORT_TEXT_CHARS,
    Overview,
    PrivateFacts,
    SplitLine,
    ValueTally,
    VersionLine,
)
from builder.operations.overview.ledger_rows import Audit
from builder.operations.overview.measured import measured_limits
from builder.operations.overview.published import PublishedRows, top_values
from builder.operations.why import lineage_versions
from builder.pipeline.disk import reports_disk_faults
from builder.pipeline.dropped import PRIVATE_STAGES
from builder.registry import STAGES
from builder.release.card_facts import change_facts, record_facts
from builder.release.lineage_counts import counts_up_to

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from builder.card.facts import StageFacts
    from builder.domain.manifest import Manifest
    from builder.operations.overview.facts import Binned

MAX_NUMBERS = 24
"""Published columns with numbers that are drawn."""
_OUTCOMES = ("kept", "rejected", "merged", "failed")
KEPT_SAMPLES, DROPPED_SAMPLES, PAIRS, CLEANED = 8, 3, 6, 4


@reports_disk_faults
def look_over(address: str | Path, *, public: bool = False) -> Overview:
    """Gather the facts of a report.

    Args:
        address: ``FOLDER`` or ``FOLDER@VERSION``.
        public: read nothing that only the owner of the corpus may see.

    Raises:
        CorpusError: if the corpus or the version does not exist, or its rows were dropped.
    """
    folder, number = split_address(address)
    corpus = Corpus(folder)
    if number == STOPPED:
        what = "a report describes a version, and a stopped build wrote none"
        raise CorpusError(Fault(where=str(address), what=what, advice=f"run builder show {address}"))
    version = number or corpus.newest()
    if corpus.dropped(version):
        what = f"the rows of version {version} were dropped"
        raise CorpusError(Fault(where=str(folder), what=what, advice="name another version"))
    manifest = corpus.as_is(version)
    audit = Audit(corpus, lineage_versions(corpus, version))
    published = PublishedRows(corpus, manifest)
    facts = _always(corpus, manifest, audit, public=public) | _of_rows(published, manifest, corpus)
    facts |= _of_audit(audit, published, facts) if audit.is_there else {}
    private = None if public else _private(audit, published, facts)
    return Overview(**facts, private=private)


# -- manifest --------------------------------------------------------------------------------------


def _always(corpus: Corpus, manifest: Manifest, audit: Audit, *, public: bool) -> dict[str, Any]:
    """Return what the manifests have. A public report knows no newer version, so it never changes."""
    counts = counts_up_to(corpus.manifest(manifest.version))
    read = record_facts(counts or manifest.counts)
    source = _card_source(corpus, manifest)
    stages = _stage_facts(source)
    kinds = tuple(dict.fromkeys(next(iter(one)) for one in manifest.recipe["document"].get("sources", ())))
    versions = corpus.versions()
    if public:
        versions = versions[: versions.index(manifest.version) + 1]
    n_records = read.records + (0 if counts else read.restated)
    return {
        "corpus": corpus.name,
        "name": manifest.name,
        "version": manifest.version,
        "title": source.title,
        "description": source.description,
        "license": source.license,
        "languages_declared": source.language,
        "date": source.date,
        "reason": manifest.reason,
        "digest": corpus.digest(manifest.version),
        "data_digest": manifest.data_digest,
        "recipe_digest": manifest.recipe["digest"],
        "contract": manifest.contract["name"],
        "contract_digest": manifest.contract["digest"],
        "inputs": {name: manifest.inputs[name] for name in ("count", "bytes", "digest")},
        "tools": manifest.tools,
        "columns": tuple((one.name, str(one.type), _null(one.nullable)) for one in manifest.columns),
        "stages": stages,
        "source_kinds": kinds,
        "splits": tuple(
            SplitLine(name=name, rows=one.rows, bytes=one.bytes, shards=len(one.shards))
            for name, one in manifest.splits.items()
        ),
        "versions": tuple(_version_line(corpus, one) for one in versions),
        "read": read,
        "outcomes": {name: (counts or manifest.counts)[name] for name in _OUTCOMES},
        "steps": tuple(funnel(n_records, [one.name for one in stages], read.counts, sources=kinds)),
        "takedowns": int(manifest.tombstones.get("count", 0)),
        "has_audit": audit.is_there,
    }


def _null(nullable: bool) -> str:
    return "may be null" if nullable else "never null"


def _version_line(corpus: Corpus, version: str) -> VersionLine:
    manifest = corpus.manifest(version)
    facts = change_facts(manifest)
    purged = corpus.purged(version)
    return VersionLine(
        version=version,
        rows=manifest.rows,
        bytes=sum(split.bytes for split in manifest.splits.values()),
        date=recipe_date(manifest),
        reason=manifest.reason,
        lines=facts.lines,
        yanked=corpus.yanked(version),
        purged_rows=purged.rows if purged else 0,
        dropped=corpus.dropped(version),
    )


def _card_source(corpus: Corpus, manifest: Manifest) -> CardSource:
    """Return the facts of the recipe; a fetched corpus has only the recipe in the manifest."""
    folder = corpus.index_folder(manifest.version)
    if (folder / CARD_JSON).exists():
        return CardSource.parse(read_file(folder, CARD_JSON, limit=SMALL_JSON_BYTES))
    return CardSource.of_document(manifest.recipe["document"])


def _stage_facts(source: CardSource) -> tuple[StageFacts, ...]:
    from builder.card.facts import StageFacts

    return tuple(StageFacts(name=name, options=options) for name, options in source.stages)


# -- rows and audit --------------------------------------------------------------------------------


def _of_rows(published: PublishedRows, manifest: Manifest, corpus: Corpus) -> dict[str, Any]:
    lengths, sampled_from = published.lengths()
    short = float((lengths < SHORT_TEXT_CHARS).mean()) if len(lengths) else 0.0
    return {
        "lengths": binned({"kept": lengths}, sampled_from=sampled_from),
        "short_share": short,
        "tallies": published.tallies(),
        "domains": _domains(corpus, manifest),
        "numbers": tuple(_numbers(published)),
        "kept": tuple(published.sample(KEPT_SAMPLES)),
    }


def _numbers(published: PublishedRows) -> Iterator[tuple[str, Binned]]:
    for name in published.number_columns()[:MAX_NUMBERS]:
        found = binned({"kept": published.numbers(name)})
        if found is not None:
            yield name, found


def _domains(corpus: Corpus, manifest: Manifest) -> ValueTally | None:
    """Count the hosts of the published rows, from the index; None without an index or without URLs."""
    try:
        shards = Lineage.of(corpus, manifest.version).shard_facts
    except TamperedError:  # a corpus that was fetched has no index
        return None
    known = [shards[shard.sha256] for _, shard in manifest.shards() if shard.sha256 in shards]
    counts = add_counts(one.domains for one in known)
    without = counts.pop("", 0)
    return top_values("domain", counts, without=without) if counts else None


def _of_audit(audit: Audit, published: PublishedRows, facts: dict[str, Any]) -> dict[str, Any]:
    numbers = outcomes.read_numbers(audit)
    rows = sum(split.rows for split in facts["splits"])
    sources = {one.name for one in facts["read"].sources}
    kinds = set(facts["source_kinds"])
    own = {one.name for one in facts["stages"] if one.kind in STAGES and one.kind not in PRIVATE_STAGES}
    stages = own - sources - kinds
    removed, n_cleaned = dropped.removed_kinds(audit)
    return {
        "measured": measured_limits(numbers, published, rows=rows, stages=stages),
        "duplicates": outcomes.find_duplicates(audit, numbers, facts["stages"]),
        "removed": removed,
        "cleaned_records": n_cleaned,
        "opt_out_signals": evidence.opt_out_signals(audit),
    }


def _private(audit: Audit, published: PublishedRows, facts: dict[str, Any]) -> PrivateFacts:
    if not audit.is_there:
        return PrivateFacts()
    kinds = {stage.name: stage.kind for stage in facts["stages"]}
    near = [name for name, kind in kinds.items() if kind == outcomes.NEAR]
    faults, faults_of = evidence.contract_faults(audit)
    opt_outs = [name for name, kind in kinds.items() if kind == "opt_out"]
    return PrivateFacts(
        dropped=dropped.dropped_groups(audit, facts["read"].counts, kinds, n=DROPPED_SAMPLES),
        pairs=dropped.pairs(audit, published, near, n=PAIRS) if near else (),
        cleaned=dropped.cleaned_documents(audit, published, n=CLEANED) if facts["removed"] else (),
        faults=faults,
        faults_of=faults_of,
        opt_outs=dropped.named_records(audit, opt_outs, n=10) if opt_outs else (),
        domains_read=evidence.domains_read(audit),
        run=evidence.run_facts(audit),
    )
