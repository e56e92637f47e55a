"""``verify``: compare files with seals, rows with digests, and ledgers with the counts of manifests."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq

from builder.corpus import Corpus, split_address, verify_files
from builder.corpus.purged import add_nested_counts
from builder.domain.digests import ContentDigest, OrderDigest
from builder.domain.ledger import OUTCOMES
from builder.domain.progress import ignore_progress
from builder.errors import CorpusError, Fault
from builder.io.parquet_sink.rows import DIGEST_BYTES, encode_rows, row_digests
from builder.pipeline.disk import reports_disk_faults
from builder.progress.shown import shows_progress
from builder.release.audit.check_signals import signal_faults
from builder.summary import Summarised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from os import PathLike
    from pathlib import Path

    from builder.domain.manifest import Manifest, ShardEntry, SplitEntry
    from builder.domain.progress import Progress

_ROWS_AT_ONCE = 2_048
_DIGESTS_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Verification(Summarised):
    """The counts of what was verified, and every fault. ``where`` of a fault is a path in the corpus.

    Attributes:
        purged: number of rows that purges removed, by version; versions without one are left out.
    """

    corpus: Path
    versions: Sequence[str]
    faults: Sequence[Fault]
    n_files: int
    n_bytes: int
    n_rows: int
    digests: dict[str, str] = field(default_factory=dict)
    purged: dict[str, int] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether all files, rows and sums are as they were written."""
        return not self.faults

    def _summary(self) -> dict[str, object]:
        return {
            "corpus": str(self.corpus),
            "versions": list(self.versions),
            "clean": self.clean,
            "faults": len(self.faults),
            "files": self.n_files,
            "rows": self.n_rows,
        }


@shows_progress()
@reports_disk_faults
def verify(
    address: str | PathLike[str],
    *,
    on_file: Callable[[str, int], None] | None = None,
    progress: bool = True,  # noqa: ARG001 - the decorator reads it
    advance: Progress = ignore_progress,
) -> Verification:
    """Hash all files of a corpus, or those of one version (``FOLDER@VERSION``), and report every fault.

    If no file is damaged, the rows of the shards are digested too, the ledgers are added up, and the signals
    of rows are compared with the shards. A shard that several versions share is read once.

    Args:
        on_file: called with the name and the size in bytes of each file that was hashed.
        progress: show progress in a terminal and in a notebook.
        advance: receives the progress in place of the display.

    Raises:
        CorpusError: if the corpus or the version does not exist.

    >>> verify("my-corpus/corpus").clean
    True
    """
    folder, version = split_address(address)
    corpus = Corpus(folder)
    tally: Counter[str] = Counter()

    def count(name: str, n_bytes: int) -> None:
        tally.update(files=1, bytes=n_bytes)
        advance("hash", done=tally["bytes"], total=0, unit="bytes")
        if on_file:
            on_file(name, n_bytes)

    faults = verify_files(corpus, version, on_file=count)
    versions = [version] if version else _versions(corpus, faults)
    if not faults:
        with _ShardDigests() as shards:
            for one in versions:
                faults += _verify_rows(corpus, one, shards)
                faults += _verify_ledger(corpus, one)
                faults += signal_faults(corpus, one)
            tally["rows"] = shards.n_rows
    return Verification(
        corpus=corpus.path,
        versions=versions,
        faults=faults,
        n_files=tally["files"],
        n_bytes=tally["bytes"],
        n_rows=tally["rows"],
        digests={} if faults else {one: corpus.digest(one) for one in versions},
        purged={} if faults else {one: n_rows for one in versions if (n_rows := _purged_rows(corpus, one))},
    )


def _purged_rows(corpus: Corpus, version: str) -> int:
    purged = None if corpus.dropped(version) else corpus.purged(version)
    return purged.rows if purged else 0


def _versions(corpus: Corpus, faults: Sequence[Fault]) -> list[str]:
    try:
        return corpus.versions()
    except CorpusError:
        if not faults:
            raise
        return []


# -- rows ------------------------------------------------------------------------------------------


class _ShardDigests:
    """The digests of each shard, by its SHA-256. Row digests are in a file, so that memory does not grow."""

    def __init__(self) -> None:
        self.n_rows = 0
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._known: dict[str, tuple[int, int, int, ContentDigest]] = {}

    def __enter__(self) -> _ShardDigests:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def read(self, path: Path, shard: ShardEntry) -> tuple[int, int, ContentDigest]:
        """Return rows, raw bytes and content digest of a shard."""
        if shard.sha256 not in self._known:
            self._known[shard.sha256] = self._digest(path)
        _, n_rows, raw_bytes, content = self._known[shard.sha256]
        return n_rows, raw_bytes, content

    def row_digests(self, shard: ShardEntry) -> Iterator[np.ndarray[Any, np.dtype[np.uint8]]]:
        """Yield the row digests of a shard that was read before."""
        first, n_rows, _, _ = self._known[shard.sha256]
        self._file.seek(first * DIGEST_BYTES)
        while n_rows:
            some = min(n_rows, _DIGESTS_AT_ONCE)
            yield np.frombuffer(self._file.read(some * DIGEST_BYTES), np.uint8).reshape(some, DIGEST_BYTES)
            n_rows -= some

    def _digest(self, path: Path) -> tuple[int, int, int, ContentDigest]:
        first, raw_bytes, content = self.n_rows, 0, ContentDigest()
        self._file.seek(first * DIGEST_BYTES)
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
                data, offsets = encode_rows(batch)
                self._file.write(row_digests(data, offsets).tobytes())
                content = content.add(data, offsets)
                self.n_rows += batch.num_rows
                raw_bytes += len(data)
        return first, self.n_rows - first, raw_bytes, content


def _verify_rows(corpus: Corpus, version: str, shards: _ShardDigests) -> list[Fault]:
    if corpus.dropped(version):
        return []
    manifest, as_is = corpus.manifest(version), corpus.as_is(version)
    return [
        Fault(where=f"{version}/data", what=f"split {name}: {what}")
        for name, split in as_is.splits.items()
        for what in _split_faults(
            corpus, version, split, manifest, shards, whole=split == manifest.splits[name]
        )
    ]


def _split_faults(
    corpus: Corpus,
    version: str,
    split: SplitEntry,
    manifest: Manifest,
    shards: _ShardDigests,
    *,
    whole: bool,
) -> Iterator[str]:
    """Compare the rows of a split with its manifest; the digests only if it was not purged (``whole``)."""
    content, order = ContentDigest(), OrderDigest()
    raw_bytes = 0
    for shard in split.shards:
        path = corpus.version_file(version, shard.path)
        n_rows, n_bytes, one = shards.read(path, shard)
        if n_rows != shard.rows:
            yield f"{shard.path} has {n_rows:,} rows, but the manifest says {shard.rows:,}"
        if not pq.read_schema(path).equals(manifest.columns):
            yield f"{shard.path} has other columns than the manifest says"
        raw_bytes += n_bytes
        content = content.merge(one)
        for digests in shards.row_digests(shard):
            order.update(digests)
    for what, found, expected in (
        ("content digest", content.hexdigest(), split.content_digest),
        ("order digest", order.hexdigest(), split.order_digest),
        ("raw bytes", raw_bytes, split.raw_bytes),
    ):
        if found != expected and (whole or what == "raw bytes"):
            yield f"the {what} of the rows is {found}, but the manifest says {expected}"


# -- ledger ----------------------------------------------------------------------------------------


def _verify_ledger(corpus: Corpus, version: str) -> list[Fault]:
    """Compare the sums of the ledger with the counts in the manifest."""
    path = corpus.ledger_file(version)
    if corpus.was_fetched(version) and not path.exists():
        return []
    if not path.exists():
        return [Fault(where=f".audit/{version}/ledger.parquet", what="is missing")]
    outcomes, reasons, splits = _add_up(path)
    manifest = corpus.manifest(version)
    counts = manifest.counts
    purged = corpus.purged(version)
    purged_counts = purged.ledger if purged else {}
    found: dict[str, Any] = {name: outcomes[name] + purged_counts.get(name, 0) for name in OUTCOMES}
    found["records"] = sum(found.values()) - counts.get("restated", 0)
    found["reasons"] = add_nested_counts(reasons, purged_counts.get("reasons", {}))
    faults = [
        f"{name}: {n}, but the manifest says {counts[name]}" for name, n in found.items() if n != counts[name]
    ]
    if manifest.parent is None and not corpus.dropped(version):
        kept = {name: split.rows for name, split in corpus.as_is(version).splits.items() if split.rows}
        if kept != dict(splits):
            faults.append(f"kept by split: {dict(splits)}, but the manifest says {kept}")
    return [Fault(where=f".audit/{version}/ledger.parquet", what=f"adds up to {what}") for what in faults]


def _add_up(path: Path) -> tuple[Counter[str], dict[str, dict[str, dict[str, int]]], Counter[str]]:
    outcomes: Counter[str] = Counter()
    splits: Counter[str] = Counter()
    reasons: dict[str, dict[str, dict[str, int]]] = {}
    keys = ["outcome", "stage", "reason", "split"]
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            sums = file.read_row_group(group, columns=keys).group_by(keys).aggregate([([], "count_all")])
            for row in sums.to_pylist():
                outcome, n_rows = row["outcome"], row["count_all"]
                outcomes[outcome] += n_rows
                if outcome == "kept" and row["split"] is not None:
                    splits[row["split"]] += n_rows
                if row["reason"] is not None:
                    codes = reasons.setdefault(outcome, {}).setdefault(row["stage"], {})
                    codes[row["reason"]] = codes.get(row["reason"], 0) + n_rows
    return outcomes, reasons, splits
