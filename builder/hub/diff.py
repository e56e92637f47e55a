"""What has to be done so that a folder on the Hub holds what a version holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.corpus.staging import MANIFEST
from builder.hub.result import Addition, Copy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CARD = "README.md"

SEALED_CARD = ".builder/README.md"
"""The card as the version's manifest knows it; the one on the Hub is merged with what people wrote there."""

HUB_AUDIT = "audit"
DATA = "data"
_OF_THE_HUB = ".gitattributes"
_OBEYED = (".huggingface.yaml", "dataset_infos.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """A file as it is to be on the Hub; ``git_oid`` is git's name for its bytes."""

    content: Path | bytes
    sha256: str
    git_oid: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A file as it is on the Hub; ``sha256`` is null for small files, which git keeps itself."""

    git_oid: str
    sha256: str | None
    bytes: int

    def holds(self, local: Local) -> bool:
        """Tell whether it has the same bytes."""
        return self.sha256 == local.sha256 if self.sha256 else self.git_oid == local.git_oid


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeChanges:
    """Steps from what is there to what is wanted; ``left_alone`` are files of other people."""

    add: tuple[Addition, ...] = ()
    copy: tuple[Copy, ...] = ()
    delete: tuple[str, ...] = ()
    left_alone: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.add or self.copy or self.delete)


def compare_trees(
    wanted: Mapping[str, Local],
    there: Mapping[str, Remote],
    *,
    ours: frozenset[str] = frozenset(),
    keep: frozenset[str] = frozenset(),
) -> TreeChanges:
    """Find what to add, what to copy from another name, and what to delete.

    Args:
        ours: paths that the version there named as its own. What lies where shards lie is ours in any case:
            an old shard must not stay beside new ones.
        keep: paths that stay even so.
    """
    by_content = {file.sha256: path for path, file in sorted(there.items()) if file.sha256}
    add, copy = [], []
    for path, local in wanted.items():
        if (known := there.get(path)) and known.holds(local):
            continue
        if source := by_content.get(local.sha256):
            copy.append(Copy(path=path, source=source, bytes=local.bytes))
        else:
            add.append(Addition(path=path, bytes=local.bytes))
    others = [path for path in sorted(there) if path not in wanted and path not in (*keep, _OF_THE_HUB)]
    delete = [path for path in others if path in ours or _is_our_place(path)]
    alone = [path for path in others if path not in delete]
    return TreeChanges(add=tuple(add), copy=tuple(copy), delete=tuple(delete), left_alone=tuple(alone))


def find_obeyed(paths: Mapping[str, Remote], repo: str) -> list[str]:
    """Name files that ``load_dataset`` obeys instead of the card, or that it refuses to load."""
    script = f"{repo.partition('/')[2]}.py"
    return [path for path in (*_OBEYED, script) if path in paths]


def _is_our_place(path: str) -> bool:
    folder = path.partition("/")[0]
    return folder in (DATA, HUB_AUDIT, SEALED_CARD.partition("/")[0]) or path == MANIFEST
