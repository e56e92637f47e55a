"""``check`` of a version: would ``load_dataset`` open it, and give the rows that the manifest tells?

What would make it fail is a fault; what the Hub's viewer cannot show is a warning. ``publish`` looks at the
same before it sends anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from builder.corpus import Corpus, split_address
from builder.domain.progress import Progress, ignore_progress
from builder.errors import Fault
from builder.hub.guard_card import card_faults, name_faults
from builder.hub.guard_load import load_faults
from builder.hub.guard_shards import Footers, column_faults, shard_faults
from builder.hub.guard_viewer import viewer_warnings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionCheck:
    """What a version offers to those who load it, and everything that was found.

    ``rows`` are those of the shards that the card names for each split, by their footers, and ``loaded``
    those that ``load_dataset`` gave; empty if the faults would have kept it from opening anything.
    """

    corpus: Path
    version: str
    faults: Sequence[Fault]
    warnings: Sequence[Fault] = ()
    n_shards: int
    rows: Mapping[str, int] = field(default_factory=dict)
    loaded: Mapping[str, int] = field(default_factory=dict)

    @property
    def fit(self) -> bool:
        """Whether it can be published as it is."""
        return not self.faults


def check_version(address: str | Path, *, advance: Progress = ignore_progress) -> VersionCheck:
    """Open every shard of a version, compare it with manifest and card, and load it.

    If no version is named it is the newest. Bytes are not hashed: ``verify`` does that.

    Raises:
        CorpusError: if there is no corpus or not this version, its manifest was changed, or its rows went.
    """
    folder, number = split_address(address)
    corpus = Corpus(folder)
    version = number or corpus.newest()
    corpus.shards(version)
    manifest, place = corpus.as_is(version), corpus.version_folder(version)
    footers = Footers(place)
    rows: dict[str, int] = {}
    loaded: dict[str, int] = {}
    faults = [*name_faults(manifest), *column_faults(manifest.columns)]
    if (why := corpus.yanked(version)) is not None:
        faults.append(Fault(where=version, what=f"was yanked: {why}", advice="publish another version"))
    if (purged := corpus.purged(version)) and purged.rows:
        what = f"is not what its manifest tells since a purge (rows that went: {purged.rows:,})"
        faults.append(Fault(where=version, what=what, advice="publish a later version"))
    faults += shard_faults(manifest, footers)
    faults += card_faults(manifest, place, footers, rows)
    if not faults:
        faults += load_faults(manifest, place, loaded, advance=advance)
    return VersionCheck(
        corpus=corpus.path,
        version=version,
        faults=faults,
        warnings=list(viewer_warnings(manifest, footers)),
        n_shards=len(list(manifest.shards())),
        rows=rows,
        loaded=loaded,
    )
