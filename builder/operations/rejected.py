"""``rejected``: export the rejected records of a version so that you can fix and re-feed them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import orjson
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.corpus import Corpus, split_address
from builder.corpus.stopped import audit_file, version_to_read
from builder.domain.rejection import MAX_RECORD_KEPT
from builder.errors import BuilderError, Fault
from builder.pipeline.disk import reports_disk_faults
from builder.summary import Summarised

if TYPE_CHECKING:
    from os import PathLike


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RejectedRecords(Summarised):
    """The counts of rejected records that were written, cut at 1 MiB, or kept without their bytes.

    Attributes:
        n_by_stages: records that were rejected or failed at a later stage.
    """

    version: str
    output: Path
    faults: Path
    n_written: int
    n_cut: int
    n_without_bytes: int
    n_by_stages: int = 0


@reports_disk_faults
def rejected(address: str | PathLike[str], output: str | Path) -> RejectedRecords:
    """Write each rejected record as one line, and its faults as one line of ``OUTPUT.faults.jsonl``.

    A record that was cut at 1 MiB, or whose bytes a reader could not keep, is only in the file of faults.

    ``FOLDER@stopped`` is the last build that wrote no version; so is ``FOLDER`` without a version.

    Raises:
        CorpusError: if the corpus or the version does not exist.
        BuilderError: if the files cannot be written.

    >>> rejected("my-corpus/corpus", "rejected.jsonl").n_written
    1
    """
    folder, version = split_address(address)
    corpus = Corpus(folder)
    version = version_to_read(corpus, version)
    records = audit_file(corpus, version, "rejected.parquet")
    output = Path(output)
    faults = output.with_name(output.name + ".faults.jsonl")
    n_written = n_cut = n_without = 0
    lost = pc.field("outcome").isin(["rejected", "failed"])
    ledger = audit_file(corpus, version, "ledger.parquet")
    n_lost = pq.read_table(ledger, columns=["outcome"], filters=lost, partitioning=None).num_rows
    with _create(output) as lines, _create(faults) as notes:
        for batch in pq.ParquetFile(records).iter_batches():
            for row in batch.to_pylist():
                record = row.pop("record")
                whole = record is not None and len(record) < MAX_RECORD_KEPT
                if whole:
                    lines.write(record.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n")
                n_written += whole
                n_cut += record is not None and not whole
                n_without += record is None
                notes.write(orjson.dumps({**row, "line": n_written if whole else None}) + b"\n")
    return RejectedRecords(
        version=version,
        output=output,
        faults=faults,
        n_written=n_written,
        n_cut=n_cut,
        n_without_bytes=n_without,
        n_by_stages=max(0, n_lost - n_written - n_cut - n_without),
    )


def _create(path: Path) -> BinaryIO:
    try:
        return path.open("wb")
    except OSError as error:
        raise BuilderError(Fault(where=str(path), what=f"cannot be written: {error.strerror}")) from None
