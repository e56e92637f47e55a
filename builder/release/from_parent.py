"""Make a version from its parent only, without recipe and inputs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from builder.card.source import CARD_JSON, CardSource
from builder.corpus.opening import SMALL_JSON_BYTES, read_file
from builder.domain.document_ids import DocumentIds
from builder.domain.ledger import CLUSTERS_SCHEMA, OUTCOMES, REJECTED_SCHEMA
from builder.domain.row_numbers import FirstRows
from builder.domain.version import Changes
from builder.engines.local import LocalEngine
from builder.history.index import write_empty
from builder.history.ledger_counts import by_outcome, count_rows, nested_reasons
from builder.inputs.inputs import read_inputs
from builder.release.draft import Draft, split_entries
from builder.release.edits import Edits, count_edits, count_removed
from builder.release.from_build import machine_facts
from builder.release.layout import Recut, Rewrite
from builder.release.ledger_updates import LedgerUpdates, find_ledger_updates
from builder.release.lineage_counts import lineage_counts
from builder.release.plan import describe_shard
from builder.release.recut import CompactJob
from builder.release.rewrite import RewriteJob
from builder.release.side_files import text_of_parent
from builder.release.write import Placement, ShardJob
from builder.release.write_index import finish_index, segment_of, write_shards

if TYPE_CHECKING:
    from pathlib import Path

    from builder.domain.progress import Progress
    from builder.history.lineage import Lineage
    from builder.history.past import Past
    from builder.pipeline.tombstones import Tombstones
    from builder.release.layout import ShardPlan, WrittenShard


@dataclass(frozen=True, kw_only=True)
class VersionFromParent:
    """The edits to the rows of the parent, and the plan of the new shards.

    Attributes:
        folder: the folder for new files. It must be on the file system of the corpus.
    """

    past: Past
    edits: Edits
    plan: ShardPlan
    folder: Path

    def draft(
        self, *, tombstones: Tombstones | None, workers: int, advance: Progress, kept_out: int = 0
    ) -> Draft:
        """Write the changed shards, and return the draft of the version.

        Args:
            kept_out: the number of URLs and domains without a published row that it keeps out.
        """
        lineage = self.past.lineage
        parent = lineage.manifest
        written = self._write(workers=workers, advance=advance)
        shards = [describe_shard(lineage, shard, written) for shard in self.plan.shards]
        updates = find_ledger_updates(lineage, self.edits)
        same = ("name", "contract", "recipe", "inputs", "columns", "tools", "tombstones")
        facts = {name: getattr(parent, name) for name in same} | {
            "counts": _counts(updates, lineage),
            "splits": split_entries(shards, limits=self.plan.limits, lineage=lineage),
        }
        if tombstones:
            facts["tombstones"] = tombstones.facts()
        return Draft(
            facts=facts,
            changes=Changes(splits=count_edits(lineage, self.edits, added={}), kept_out=kept_out),
            removed=count_removed(self.edits),
            shards=shards,
            inputs=read_inputs(lineage.corpus.version_file(parent.version, "inputs.parquet")),
            source=CardSource.parse(read_file(lineage.folders[-1], CARD_JSON, limit=SMALL_JSON_BYTES)),
            audit=_write_audit(self.folder, updates.rows),
            run=machine_facts(),
            write_index=partial(self._write_index, written=list(written.values())),
            tombstones=tombstones.to_bytes() if tombstones else None,
            measured=text_of_parent(parent),
        )

    def _write(self, *, workers: int, advance: Progress) -> dict[str, WrittenShard]:
        manifest = self.past.lineage.manifest
        writer = ShardJob.of_published(
            manifest, limits=self.plan.limits, folder=self.folder, measured=text_of_parent(manifest)
        )
        jobs: list[tuple[Any, list[Any]]] = [
            (RewriteJob(writer), [one for one in self.plan.shards if isinstance(one, Rewrite)]),
            (CompactJob(writer), [one for one in self.plan.shards if isinstance(one, Recut)]),
        ]
        total = sum(len(shards) for _, shards in jobs)
        written: dict[str, WrittenShard] = {}
        with LocalEngine(workers=workers) as engine:
            for job, shards in jobs:
                for shard in engine.map(job, shards):
                    written[shard.name] = shard
                    advance("write", done=len(written), total=total, unit="shards")
        return written

    def _write_index(self, folder: Path, version: str, *, written: list[WrittenShard]) -> None:
        write_empty(folder)
        write_shards(folder, written)
        segment = segment_of(version, self.past, written=written, edits=self.edits)
        finish_index(folder, segment, self.past)


def no_rows(names: list[str]) -> Placement:
    """Return the placement of a build without new rows."""
    numbers = np.empty(0, np.int64)
    return Placement(
        names=names,
        ids=DocumentIds.none(),
        split=np.empty(0, np.int16),
        sizes=numbers,
        rows=FirstRows(numbers),
    )


def _counts(updates: LedgerUpdates, lineage: Lineage) -> dict[str, Any]:
    rows = count_rows(updates.rows)
    return {
        "records": 0,
        "restated": rows.total(),
        "reasons": nested_reasons(rows),
        "sources": {},
        **{name: by_outcome(rows)[name] for name in OUTCOMES},
        **lineage_counts(lineage, rows=rows, replaced=updates.replaced),
    }


def _write_audit(folder: Path, restated: pa.Table) -> dict[str, Path]:
    tables = {
        "ledger": restated,
        "rejected": REJECTED_SCHEMA.empty_table(),
        "clusters": CLUSTERS_SCHEMA.empty_table(),
    }
    paths = {f"{name}.parquet": folder / f"{name}.parquet" for name in tables}
    for table, path in zip(tables.values(), paths.values(), strict=True):
        pq.write_table(table, path, compression="zstd")
    return paths
