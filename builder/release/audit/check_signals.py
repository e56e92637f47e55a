"""Compare the signals of published rows with the shards, and their histograms with the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from builder.errors import Fault
from builder.release.side_files import COUNTED, histograms_of, side_name
from builder.stages.quality.histograms import add_histograms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from builder.corpus import Corpus


def signal_faults(corpus: Corpus, version: str) -> Iterator[Fault]:
    """Yield a fault for each side file that does not have the rows of its shard, or other sums."""
    manifest = corpus.manifest(version)
    if COUNTED not in manifest.counts or corpus.dropped(version):
        return
    found = []
    for _, shard in corpus.as_is(version).shards():
        path, where = (
            corpus.audit_file(version, side_name(shard.path)),
            f".audit/{version}/{side_name(shard.path)}",
        )
        if not path.is_file():
            if not corpus.was_fetched(version):
                yield Fault(where=where, what="is missing")
            return
        if not _ids(path).equals(_ids(corpus.version_file(version, shard.path))):
            yield Fault(where=where, what=f"does not have the rows of {shard.path}")
        found.append(histograms_of(path))
    known = [one for one in found if one is not None]
    is_whole = corpus.purged(version) is None and len(known) == len(found)
    if is_whole and add_histograms(known) != manifest.counts[COUNTED]:
        what = "adds up to other histograms than the manifest has"
        yield Fault(where=f".audit/{version}/{COUNTED}", what=what)


def _ids(path: Path) -> pa.ChunkedArray:
    return pq.ParquetFile(path).read(columns=[pq.read_schema(path).names[0]]).column(0).cast(pa.string())
