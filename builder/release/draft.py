"""Commit a version: give it a number, write its card and manifest, and rename it into place."""

from __future__ import annotations

import dataclasses
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from builder.card.card import render_card
from builder.card.croissant import croissant_text
from builder.corpus.leftovers import note_version
from builder.domain.changelog import changes_document
from builder.domain.digests import OrderDigest
from builder.domain.manifest import Manifest, ShardEntry, SplitEntry
from builder.domain.version import Changes, Version, decide_version
from builder.history.index import sum_content
from builder.inputs.inputs import read_inputs, write_inputs
from builder.release.card_facts import card_facts
from builder.release.rights_facts import license_counts, reservation_facts
from builder.release.root_card import root_card
from builder.release.side_files import COUNTED, place_side_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from builder.card.source import CardSource
    from builder.corpus import Corpus, Staging
    from builder.domain.changelog import Reason
    from builder.domain.manifest import CutSizes
    from builder.history.lineage import Lineage
    from builder.inputs.inputs import Input
    from builder.release.layout import VersionShard


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Everything that a new version consists of, except its number.

    Attributes:
        facts: the fields of the manifest, except version, parent, reason and files.
        changes: the changes since the newest version. The version number follows from them.
        removed: number of removed rows, by their reason in the ledger.
        source: the facts of the card that are not in the manifest.
        clusters: number of clusters, by the number of records in a cluster.
        audit: files to move to the version's audit folder, by name.
        run: the content of ``run.json``.
        write_index: called with a folder and the version number; writes the index segment to the folder.
        tombstones: the new content of ``tombstones.jsonl``; None if it did not change.
        spent: spools that are not needed any more once the version exists.
        measured: the column whose texts side files measure; None without side files.
    """

    facts: Mapping[str, Any]
    changes: Changes
    shards: Sequence[VersionShard]
    inputs: Sequence[Input]
    source: CardSource
    audit: Mapping[str, Path]
    run: Mapping[str, Any]
    write_index: Callable[[Path, str], None]
    clusters: Mapping[int, int] = field(default_factory=dict)
    removed: Mapping[Reason | None, int] = field(default_factory=dict)
    tombstones: bytes | None = None
    spent: Sequence[Path] = ()
    measured: str | None = None


def split_entries(
    shards: Sequence[VersionShard], *, limits: Mapping[str, CutSizes], lineage: Lineage | None
) -> dict[str, SplitEntry]:
    """Return the manifest entry of each split that has rows."""
    entries: dict[str, SplitEntry] = {}
    for split in dict.fromkeys(shard.split for shard in shards):
        here = [shard for shard in shards if shard.split == split]
        order = OrderDigest()
        for shard in here:
            order.update(_row_digests(shard, lineage))
        entries[split] = SplitEntry(
            rows=sum(shard.facts.rows for shard in here),
            bytes=sum(shard.bytes for shard in here),
            raw_bytes=sum(shard.facts.raw_bytes for shard in here),
            content_digest=sum_content(shard.facts for shard in here).hexdigest(),
            order_digest=order.hexdigest(),
            cut=limits[split],
            shards=tuple(
                ShardEntry(path=s.name, sha256=s.facts.sha256, bytes=s.bytes, rows=s.facts.rows) for s in here
            ),
        )
    return entries


def _row_digests(shard: VersionShard, lineage: Lineage | None) -> NDArray[np.uint8]:
    if shard.written or lineage is None:
        digests: NDArray[np.uint8] = np.load(shard.written.digests if shard.written else "", mmap_mode="r")
        return digests
    return lineage.digests(shard.facts.sha256)


def commit_draft(corpus: Corpus, draft: Draft, *, asked: str | None = None) -> Manifest:
    """Compute the number of a version, write its card and manifest, and rename it into place.

    Raises:
        VersionError: if ``asked`` is lower than the number that the changes require.
    """
    newest = corpus.find_newest()
    parent = corpus.manifest(newest) if newest else None
    decision = decide_version(
        Version.parse(parent.version) if parent else None,
        draft.changes,
        asked=Version.parse(asked) if asked else None,
        used=map(Version.parse, corpus.versions()),
    )
    facts = dict(draft.facts)
    if parent:
        facts["counts"] = facts["counts"] | {"changes": changes_document(draft.changes, draft.removed)}
    staging = corpus.begin(str(decision.version))
    if draft.measured:
        found = place_side_files(corpus, staging, draft.shards, text=draft.measured, parent=parent)
        facts["counts"] = facts["counts"] | {COUNTED: found}
    manifest = Manifest(
        version=str(decision.version),
        parent={"version": parent.version, "digest": parent.digest} if parent else None,
        reason=decision.reason,
        files=(),
        **facts,
    )
    return _stage_and_commit(corpus, staging, manifest, draft)


def _count_new_inputs(corpus: Corpus, manifest: Manifest, draft: Draft) -> int | None:
    """Count the inputs that the parent did not have; None in a first version."""
    if manifest.parent is None:
        return None
    before = read_inputs(corpus.version_file(manifest.parent["version"], "inputs.parquet"))
    known = {(one.source, one.path, one.sha256) for one in before}
    return sum((one.source, one.path, one.sha256) not in known for one in draft.inputs)


def _stage_and_commit(corpus: Corpus, staging: Staging, manifest: Manifest, draft: Draft) -> Manifest:
    for shard in draft.shards:
        if shard.written:
            staging.add_shard(Path(shard.written.path), name=shard.name, sha256=shard.facts.sha256)
        else:
            staging.reuse_shard(shard.facts.sha256, name=shard.name)
    history = [corpus.manifest(version) for version in corpus.versions()]
    facts = card_facts(
        manifest,
        source=draft.source,
        shards=[shard.facts for shard in draft.shards],
        clusters=draft.clusters,
        history=history,
        new_inputs=_count_new_inputs(corpus, manifest, draft),
    )
    facts = dataclasses.replace(
        facts,
        reservations=reservation_facts(manifest, audit=draft.audit),
        licenses=license_counts(manifest, [staging.folder / shard.name for shard in draft.shards]),
    )
    texts = {
        "README.md": render_card(facts),
        "croissant.json": croissant_text(facts),
    }
    for name, text in texts.items():
        (staging.folder / name).write_text(text, encoding="utf-8")
    write_inputs(staging.folder / "inputs.parquet", draft.inputs)
    manifest = dataclasses.replace(manifest, files=staging.file_entries())
    for name, path in draft.audit.items():
        shutil.move(path, staging.audit / name)
    (staging.audit / "run.json").write_bytes(json.dumps(draft.run, indent=2).encode() + b"\n")
    draft.write_index(staging.index, manifest.version)
    draft.source.write(staging.index)
    root = root_card(corpus, fresh=manifest)
    for spool in draft.spent:
        if not corpus.is_in_spool(spool):
            note_version(spool, version=manifest.version, digest=manifest.digest)
    corpus.commit(staging, manifest, root, tombstones=draft.tombstones, spent=draft.spent)
    return manifest
