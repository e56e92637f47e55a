"""The changes that a build makes to published rows: it removes or replaces them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from builder.domain.document_ids import DocumentIds
from builder.domain.row_numbers import PastRows
from builder.domain.version import SplitChanges
from builder.pipeline.spool import row_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.domain.changelog import Reason
    from builder.history.lineage import Lineage
    from builder.history.past import Past
    from builder.pipeline.run import ChainResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """The reason why a published row is removed.

    Attributes:
        merged_into: the id of the document that it was compared with; None if it was not merged.
        kept_id: the id of the published document that now represents it; None without one.
    """

    outcome: str
    stage: str
    reason: str
    message: str | None = None
    merged_into: bytes | None = None
    kept_id: bytes | None = None
    similarity: float | None = None


SOURCE_GONE = Removal(outcome="rejected", stage="source", reason="source_gone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """The removed and replaced published rows, by the 16 bytes of their id.

    Attributes:
        replaced: the number of the new row in the last spool.
        retired: numbers of past rows that no longer represent a document.
        replaced_by: name of the stage that replaced rows.
    """

    removed: Mapping[bytes, Removal] = field(default_factory=dict)
    replaced: Mapping[bytes, int] = field(default_factory=dict)
    retired: tuple[int, ...] = ()
    replaced_by: str = "dedup_url"

    @property
    def ids(self) -> DocumentIds:
        """The ids of all rows that are removed or replaced."""
        return DocumentIds.from_bytes([*self.removed, *self.replaced])


def find_replaced(
    chain_result: ChainResult, lineage: Lineage, past: Past
) -> tuple[dict[bytes, int], dict[bytes, int]]:
    """Find the published rows whose page was fetched again with a different text.

    Returns:
        Two mappings by id. The first has the row of the last spool that replaces the published row. The
        second has the row of the first spool that would have replaced it, if a later stage had not merged or
        rejected that row.
    """
    rows = np.flatnonzero(chain_result.merges.replaces >= 0)
    pages = PastRows(chain_result.merges.replaces[rows])
    ids, was_published = past.ids(pages), past.published(pages)
    is_published = lineage.published(ids) & was_published
    last = {int(row): at for at, row in enumerate(_first_rows(chain_result))}
    replaced: dict[bytes, int] = {}
    lost: dict[bytes, int] = {}
    for row, one, published in zip(rows.tolist(), ids, is_published.tolist(), strict=True):
        if published and row in last:
            replaced[one] = last[row]
        elif published:
            lost[one] = row
    return replaced, lost


def count_edits(lineage: Lineage, edits: Edits, *, added: Mapping[str, int]) -> dict[str, SplitChanges]:
    """Count the removed, changed and added rows of each split. No row moves or changes its position."""
    places = lineage.locate(edits.ids)
    removed = Counter(places[key].split for key in edits.removed)
    changed = Counter(places[key].split for key in edits.replaced)
    names = dict.fromkeys([*lineage.manifest.splits, *added])
    return {
        name: SplitChanges(removed=removed[name], changed=changed[name], added=added.get(name, 0))
        for name in names
    }


def count_removed(edits: Edits) -> dict[Reason | None, int]:
    """Count the removed rows by outcome, stage and reason."""
    return dict(Counter((one.outcome, one.stage, one.reason) for one in edits.removed.values()))


def _first_rows(chain_result: ChainResult) -> list[int]:
    return [int(row) for row in row_numbers(chain_result.last)]
