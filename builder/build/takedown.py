"""``takedown``: a version without some documents, which never come back."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from builder.build.burying import bury, new_graves
from builder.build.describe import CardSource
from builder.build.draft import Draft, commit_draft, split_entries
from builder.build.edition import EditionShard, KeptShard, plan_edition
from builder.build.edits import Edits, Removal, count_edits
from builder.build.index import INDEX_JSON
from builder.build.inputs import read_inputs
from builder.build.lineage import Lineage
from builder.build.memory import Past
from builder.build.nearby import Nearby, find_nearby
from builder.build.output import Placement, ShardJob
from builder.build.remember import segment_of, write_empty, write_shards
from builder.build.restating import restate
from builder.build.rewrite import Rewrite, RewriteJob
from builder.build.targets import Asked, Targets, find_targets
from builder.build.tombstones import STAGE, Graves
from builder.build.version import machine_facts
from builder.build.work import Advance, say_nothing
from builder.corpus import Corpus
from builder.domain.ledger import CLUSTERS_SCHEMA, REJECTED_SCHEMA
from builder.domain.version import Changes
from builder.engines.local import LocalEngine
from builder.errors import CorpusError, Fault, NothingKeptError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.build.edition import Plan
    from builder.build.output import WrittenShard
    from builder.domain.manifest import Manifest

TAKEN_DOWN = "taken_down"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakedownResult:
    """What was taken down, and what is left to decide.

    Attributes:
        documents: id and URL of each document that went.
        merged: URL or record of each page that was asked for and had been merged, and the id of the document
            that went with it.
        nearby: documents that are alike and stay.
        unknown: what was asked for and was not published; it may not come from now on either.
        n_restated: records whose fate changed.
    """

    corpus: Path
    version: str
    reason: str
    digest: str
    documents: Sequence[tuple[str, str | None]]
    merged: Sequence[tuple[str, str]] = ()
    nearby: Sequence[Nearby] = ()
    unknown: Sequence[str] = ()
    n_restated: int = 0
    nothing_new: bool = False

    def document(self) -> dict[str, Any]:
        """Return the result as ``--json`` prints it."""
        return {
            "corpus": str(self.corpus),
            "version": self.version,
            "reason": self.reason,
            "digest": self.digest,
            "nothing_new": self.nothing_new,
            "documents": [{"id": one, "url": url} for one, url in self.documents],
            "merged": [{"page": page, "id": one} for page, one in self.merged],
            "nearby": [one.document() for one in self.nearby],
            "unknown": list(self.unknown),
            "restated": self.n_restated,
        }


@dataclass(frozen=True, kw_only=True)
class _Change:
    """All that follows from what was found."""

    past: Past
    edits: Edits
    plan: Plan
    shards: Sequence[EditionShard]
    written: Sequence[WrittenShard] = field(default=())


def takedown(
    folder: str | Path,
    *,
    urls: Sequence[str] = (),
    domains: Sequence[str] = (),
    ids: Sequence[str] = (),
    file: str | Path | None = None,
    because: str,
    and_near: bool = False,
    only_this: bool = False,
    workers: int | None = None,
    advance: Advance = say_nothing,
) -> TakedownResult:
    """Write a version without some documents, and see to it that they never come back.

    What was merged into a document goes with it. Only the shards that held the rows are written again; the
    older versions keep them until ``purge``.

    Args:
        domains: with their subdomains; nothing of them will come any more.
        because: the reason, which goes into the ledger and the tombstones.
        and_near: take the near-duplicates that stand under another name as well.
        only_this: refuse to take a document that was not asked for itself but stands for a page that was.

    Raises:
        CorpusError: if what was asked for cannot be read, or ``only_this`` forbids it.
        NothingKeptError: if no row would be left.
        LockedError: if another builder works on this corpus.
    """
    asked = Asked.parse(urls=urls, domains=domains, ids=ids, file=file)
    corpus = Corpus(folder)
    with corpus.lock(), tempfile.TemporaryDirectory(dir=corpus.spool("takedown")) as name:
        newest = corpus.newest()
        text_column = text_column_of(corpus.manifest(newest))
        past = Past(Lineage.of(corpus, newest), text_column)
        targets = find_targets(past.lineage, asked)
        if only_this and targets.merged:
            raise CorpusError(*map(_forbidden, targets.merged))
        documents = dict(targets.documents)
        nearby = find_nearby(past, documents)
        if and_near:
            documents |= {bytes.fromhex(one.id): one.url for one in nearby}
        graves = Graves.parse(corpus.tombstones()) or new_graves()
        buried = bury(graves, past, documents, asked=asked, because=because)
        if len(buried.tombstones) == len(graves.tombstones) and not documents:
            return _result(corpus, corpus.manifest(newest), targets, {}, nearby, nothing_new=True)
        change = _change(past, documents, because, Path(name), workers=workers, advance=advance)
        draft = _draft(change, buried, Path(name))
        manifest = commit_draft(corpus, draft)
        restated = draft.facts["counts"]["restated"]
        left = [] if and_near else nearby
        return _result(corpus, manifest, targets, documents, left, n_restated=restated)


def text_column_of(manifest: Manifest) -> str | None:
    """Return the published column of texts."""
    named = manifest.recipe["document"].get("columns", {})
    name = named.get("text", "text")
    return name if name in manifest.columns.names else None


def _forbidden(merged: tuple[dict[str, Any], bytes]) -> Fault:
    row, key = merged
    what = f"was merged into {key.hex()}, which would go with it"
    return Fault(where=row["url"] or row["record_id"], what=what, advice="leave --only-this out to agree")


def _change(
    past: Past,
    documents: dict[bytes, str | None],
    because: str,
    folder: Path,
    *,
    workers: int | None,
    advance: Advance,
) -> _Change:
    lineage = past.lineage
    removal = Removal(outcome="rejected", stage=STAGE, reason=TAKEN_DOWN, message=because)
    retired = tuple(past.standing_for(set(documents)).tolist())
    edits = Edits(removed=dict.fromkeys(documents, removal), retired=retired)
    plan = plan_edition(_no_rows(list(lineage.manifest.splits)), lineage=lineage, edits=edits)
    if not plan.shards:
        raise NothingKeptError(Fault(where=str(lineage.corpus.path), what="no row would be left"))
    changed = [shard for shard in plan.shards if isinstance(shard, Rewrite)]
    written: dict[str, WrittenShard] = {}
    with LocalEngine(workers=workers or 1) as engine:
        for shard in engine.map(RewriteJob(_writer(lineage, plan, folder)), changed):
            written[shard.name] = shard
            advance("write", done=len(written), total=len(changed), unit="shards")
    shards = [_edition_shard(lineage, shard, written) for shard in plan.shards]
    return _Change(past=past, edits=edits, plan=plan, shards=shards, written=list(written.values()))


def _no_rows(names: list[str]) -> Placement:
    """Return the placement of a build to which no row came."""
    numbers = np.empty(0, np.int64)
    return Placement(
        names=names,
        ids=np.empty((0, 2), np.uint64),
        split=np.empty(0, np.int16),
        sizes=numbers,
        rows=numbers,
    )


def _writer(lineage: Lineage, plan: Plan, folder: Path) -> ShardJob:
    columns = lineage.manifest.columns
    roles = lineage.manifest.recipe["document"].get("columns", {})
    url, fetched_at = roles.get("url", "url"), roles.get("fetched_at", "fetched_at")
    return ShardJob(
        parts=(),
        schema=columns,
        tags={},
        url_column=url if url in columns.names else None,
        language_column="language" if "language" in columns.names else None,
        fetched_at_column=fetched_at if fetched_at in columns.names else None,
        limits=plan.limits,
        arrays="",
        folder=str(folder),
    )


def _edition_shard(lineage: Lineage, shard: Any, written: dict[str, WrittenShard]) -> EditionShard:
    if isinstance(shard, KeptShard):
        facts, entry = lineage.shard_facts[shard.sha256], lineage.entries[shard.sha256]
        return EditionShard(split=shard.split, name=shard.name, bytes=entry.bytes, facts=facts)
    done = written[shard.name]
    return EditionShard(
        split=shard.split, name=shard.name, bytes=done.file_bytes, facts=done.facts, written=done
    )


def _draft(change: _Change, graves: Graves, folder: Path) -> Draft:
    lineage = change.past.lineage
    parent = lineage.manifest
    restated = restate(lineage, change.edits)
    inputs = read_inputs(lineage.corpus.version_folder(parent.version) / "inputs.parquet")
    same = ("name", "contract", "recipe", "inputs", "columns", "tools")
    facts = {name: getattr(parent, name) for name in same} | {
        "tombstones": graves.facts(),
        "counts": _counts(restated),
        "splits": split_entries(change.shards, limits=change.plan.limits, lineage=lineage),
    }
    return Draft(
        facts=facts,
        changes=Changes(splits=count_edits(lineage, change.edits, added={})),
        shards=change.shards,
        inputs=inputs,
        source=CardSource.read(lineage.folders[-1]),
        audit=_audit(folder, restated),
        run=machine_facts(),
        write_index=partial(_write_index, change=change),
        tombstones=graves.to_bytes(),
    )


def _counts(restated: pa.Table) -> dict[str, Any]:
    outcomes = dict.fromkeys(("kept", "rejected", "merged", "failed"), 0)
    reasons: dict[str, dict[str, dict[str, int]]] = {}
    for row in restated.select(["outcome", "stage", "reason"]).to_pylist():
        outcomes[row["outcome"]] += 1
        codes = reasons.setdefault(row["outcome"], {}).setdefault(row["stage"], {})
        codes[row["reason"]] = codes.get(row["reason"], 0) + 1
    return {"records": 0, **outcomes, "reasons": reasons, "restated": restated.num_rows}


def _audit(folder: Path, restated: pa.Table) -> dict[str, Path]:
    tables = {
        "ledger": restated,
        "rejected": REJECTED_SCHEMA.empty_table(),
        "clusters": CLUSTERS_SCHEMA.empty_table(),
    }
    paths = {f"{name}.parquet": folder / f"{name}.parquet" for name in tables}
    for table, path in zip(tables.values(), paths.values(), strict=True):
        pq.write_table(table, path, compression="zstd")
    return paths


def _write_index(folder: Path, version: str, *, change: _Change) -> None:
    write_empty(folder)
    write_shards(folder, change.written)
    segment = segment_of(version, change.past, written=change.written, edits=change.edits)
    (folder / INDEX_JSON).write_bytes(segment.to_bytes())


def _result(
    corpus: Corpus,
    manifest: Manifest,
    targets: Targets,
    documents: dict[bytes, str | None],
    nearby: Sequence[Nearby],
    *,
    n_restated: int = 0,
    nothing_new: bool = False,
) -> TakedownResult:
    return TakedownResult(
        corpus=corpus.path,
        version=manifest.version,
        reason=manifest.reason,
        digest=manifest.digest,
        documents=[(key.hex(), url) for key, url in documents.items()],
        merged=[(row["url"] or row["record_id"], key.hex()) for row, key in targets.merged],
        nearby=nearby,
        unknown=targets.unknown,
        n_restated=n_restated,
        nothing_new=nothing_new,
    )
