"""Write the signals of published rows: one file next to each shard, with the rows of the shard.

A side file depends on the texts of its shard only. So a shard that stays keeps its side file, and a shard
that is written again, by a build, a takedown or a re-cut, gets a new one.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.corpus.names import SIDE_FOLDER
from builder.corpus.objects import place, take
from builder.protocols import Columns
from builder.stages.binding.placed import inner_stage
from builder.stages.quality.histograms import add_histograms, count_values
from builder.stages.quality.signals import SIGNALS
from builder.stages.signals import Signals

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from builder.corpus import Corpus, Staging
    from builder.domain.manifest import Manifest
    from builder.pipeline.context import BuildContext
    from builder.release.layout import VersionShard
    from builder.stages.quality.histograms import Histograms

COUNTED = "signals"
"""The key of the histograms in the counts of a manifest. Only a version with side files has it."""

_METADATA = b"builder.signals"
_ROWS_AT_ONCE = 2_048

SIDE_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        *(pa.field(name, signal.type) for name, signal in SIGNALS.items()),
    ]
)
"""The columns of a side file: the id of the document, and all signals of its published text."""


def side_name(shard: str) -> str:
    """Return the path of the side file of a shard, below the audit of a version.

    >>> side_name("data/train-00000-of-00001.parquet")
    'signals/train-00000-of-00001.parquet'
    """
    return f"{SIDE_FOLDER}/{PurePosixPath(shard).name}"


class SideFile:
    """Write a side file while its shard is written, one row group after the other; use it with ``with``."""

    def __init__(self, path: Path, *, text: str) -> None:
        self._text = text
        self._histograms: Histograms = {}
        self._file = pq.ParquetWriter(path, SIDE_SCHEMA, compression="zstd", compression_level=3)

    def __enter__(self) -> SideFile:
        return self

    def __exit__(self, *error: object) -> None:
        facts = {"rules": Signals.rules, "histograms": self._histograms}
        self._file.add_key_value_metadata({_METADATA: json.dumps(facts, sort_keys=True).encode()})
        self._file.close()

    def take(self, group: pa.Table) -> pa.Table:
        """Measure the texts of a row group of the shard, and return it unchanged."""
        from builder.stages.quality.measuring import measure_signals  # it loads the compiler

        for batch in group.to_batches():
            self.add(
                batch.column(0).cast(pa.string()), measure_signals(batch.column(self._text), list(SIGNALS))
            )
        return group

    def add(self, ids: pa.Array, columns: Mapping[str, pa.Array]) -> None:
        """Write some rows."""
        self._histograms = add_histograms([self._histograms, count_values(columns)])
        self._file.write_table(pa.Table.from_arrays([ids, *columns.values()], schema=SIDE_SCHEMA))


def side_file_text(context: BuildContext) -> str | None:
    """Return the published column that side files measure; None if no stage ``signals`` asks for them."""
    stages = [inner_stage(stage) for stage in context.recipe.stages]
    text = context.recipe.columns.text
    is_asked = any(isinstance(stage, Signals) and stage.side_file for stage in stages)
    return text if is_asked and text in context.chain.published.names else None


def text_of_parent(manifest: Manifest) -> str | None:
    """Return the column with the texts if a version has side files, so that the next one has them too."""
    return Columns.of_manifest(manifest).text if COUNTED in manifest.counts else None


def histograms_of(path: Path) -> Histograms | None:
    """Return the histograms of a side file; None if other rules measured it."""
    facts = json.loads((pq.read_metadata(path).metadata or {}).get(_METADATA, b"{}"))
    return dict(facts["histograms"]) if facts.get("rules") == Signals.rules else None


def place_side_files(
    corpus: Corpus, staging: Staging, shards: Iterable[VersionShard], *, text: str, parent: Manifest | None
) -> Histograms:
    """Put the side file of each shard into the staged audit, and add up their histograms."""
    (staging.audit / SIDE_FOLDER).mkdir()
    before = {shard.sha256: shard.path for _, shard in parent.shards()} if parent else {}
    total: Histograms = {}
    for shard in shards:
        target = staging.audit / side_name(shard.name)
        if shard.written and shard.written.side_file:
            take(Path(shard.written.side_file), target)
        elif parent:
            _take_over(corpus, parent.version, before[shard.facts.sha256], target, text=text)
        total = add_histograms([total, histograms_of(target) or {}])
    return total


def _take_over(corpus: Corpus, version: str, shard: str, target: Path, *, text: str) -> None:
    """Link the side file of a shard that stays; measure the shard if a file is missing or has other rules."""
    known = corpus.audit_file(version, side_name(shard))
    if known.is_file() and histograms_of(known) is not None:
        place(known, target)
    else:
        with SideFile(target, text=text) as side, pq.ParquetFile(corpus.version_file(version, shard)) as file:
            names = file.schema_arrow.names
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=[names[0], text]):
                side.take(pa.Table.from_batches([batch]))


def rewrite_without(path: Path, fresh: Path, gone: pa.Array) -> bool:
    """Write a side file again without some documents; return False if it has none of them."""
    table = pq.read_table(path, partitioning=None)
    is_gone = pc.is_in(table["id"], value_set=gone)
    if not pc.any(is_gone).as_py():
        return False
    left = table.filter(pc.invert(is_gone)).combine_chunks()
    with SideFile(fresh, text="") as side:
        for batch in left.to_batches():
            side.add(batch.column(0), {name: batch.column(name) for name in batch.schema.names[1:]})
    return True
