"""``check`` of a version: does ``load_dataset`` open it and return the rows that the manifest counts?

What makes ``load_dataset`` fail is a fault; what the Hub's viewer cannot show is a warning. ``publish`` runs
the same checks before it uploads anything.
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
from builder.pipeline.disk import reports_disk_faults
from builder.summary import Summarised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class VersionCheck(Summarised):
    """The result of checking a version.

    ``rows`` counts the rows of the shards that the card names for each split, from their footers. ``loaded``
    counts the rows that ``load_dataset`` returned; it is empty if faults were found before loading.
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
        """Whether the version can be published."""
        return not self.faults

    def _summary(self) -> dict[str, object]:
        return {
            "corpus": str(self.corpus),
            "version": self.version,
            "fit": self.fit,
            "faults": len(self.faults),
            "warnings": len(self.warnings),
            "rows": dict(self.rows),
        }


@reports_disk_faults
def check_version(address: str | PathLike[str], *, advance: Progress = ignore_progress) -> VersionCheck:
    """Open every shard of a version, compare it with manifest and card, and load it.

    The default is the newest version. Bytes are not hashed; ``verify`` does that.

    Raises:
        CorpusError: if the corpus or the version does not exist, its manifest was changed, or it was dropped.
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
        what = f"differs from its manifest since a purge (purged rows: {purged.rows:,})"
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
