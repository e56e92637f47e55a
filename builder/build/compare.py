"""What changed between a published version and the shards of a build, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.domain.version import SplitChanges
from builder.io.rows import encode_rows, row_digests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class RowFacts:
    """The rows of a version, in order: 16 bytes of id, the split, and a digest of the row.

    Attributes:
        split: int16[n_rows], position in ``names``.
        digests: uint64[n_rows], the first 8 bytes of each row's SHA-256.
    """

    names: Sequence[str]
    ids: pa.ChunkedArray
    split: NDArray[np.int16]
    digests: NDArray[np.uint64]


def compare_rows(
    parent: Mapping[str, Sequence[Path]], files: Mapping[str, Sequence[str | Path]]
) -> dict[str, SplitChanges]:
    """Count, for each split, the rows that were removed, changed, moved and added.

    Holds 26 bytes a row of both versions in memory, and 32 more of the ids.
    """
    names = list(dict.fromkeys([*parent, *files]))
    old, new = _row_facts(names, parent), _row_facts(names, files)
    at = pc.index_in(old.ids, value_set=new.ids)
    found = at.is_valid().to_numpy(zero_copy_only=False)
    where = at.fill_null(0).to_numpy().astype(np.int64)
    known = pc.is_in(new.ids, value_set=old.ids).to_numpy(zero_copy_only=False)
    moved = found & (new.split[where] != old.split if len(new.split) else False)
    changed = found & ~moved & (new.digests[where] != old.digests if len(new.digests) else False)
    return {
        name: SplitChanges(
            removed=int((~found & (old.split == i)).sum()),
            changed=int((changed & (old.split == i)).sum()),
            moved=int((moved & (old.split == i)).sum()),
            added=int((~known & (new.split == i)).sum()),
            reordered=bool((np.diff(where[found & ~moved & (old.split == i)]) < 0).any()),
        )
        for i, name in enumerate(names)
    }


def _row_facts(names: Sequence[str], files: Mapping[str, Sequence[str | Path]]) -> RowFacts:
    ids: list[pa.Array] = []
    splits, digests = [np.empty(0, np.int16)], [np.empty(0, np.uint64)]
    for number, name in enumerate(names):
        for path in files.get(name, ()):
            for batch in pq.ParquetFile(path).iter_batches():
                ids.append(batch.column("id"))
                splits.append(np.full(batch.num_rows, number, np.int16))
                digests.append(row_digests(*encode_rows(batch))[:, :8].copy().view(np.uint64).ravel())
    return RowFacts(
        names=names,
        ids=pa.chunked_array(ids, pa.string()),
        split=np.concatenate(splits),
        digests=np.concatenate(digests),
    )
