"""Compare the files of a version with the files on the Hub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.corpus.names import MANIFEST
from builder.hub.result import Addition, Copy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CARD = "README.md"

SEALED_CARD = ".builder/README.md"
"""The card as sealed in the version. The card on the Hub also contains what people wrote there."""

REPORT = "builder-report.html"
"""The public report of the version."""

HUB_AUDIT = "audit"
DATA = "data"
_OF_THE_HUB = ".gitattributes"
_OBEYED = (".huggingface.yaml", "dataset_infos.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """A file to publish; ``git_oid`` is git's hash of its bytes."""

    content: Path | bytes
    sha256: str
    git_oid: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A file on the Hub; ``sha256`` is None for small files, which git stores itself."""

    git_oid: str
    sha256: str | None
    bytes: int

    def holds(self, local: Local) -> bool:
        """Return whether it has the same bytes."""
        return self.sha256 == local.sha256 if self.sha256 else self.git_oid == local.git_oid


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeChanges:
    """Files to add, copy and delete on the Hub; ``left_alone`` lists files of other people."""

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
        ours: paths that belong to the version on the Hub. Files in the folder of shards always count as ours,
            because an old shard must not stay next to new ones.
        keep: paths that stay in any case.
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
    """List files that ``load_dataset`` uses instead of the card, or refuses to load."""
    script = f"{repo.partition('/')[2]}.py"
    return [path for path in (*_OBEYED, script) if path in paths]


def _is_our_place(path: str) -> bool:
    folder = path.partition("/")[0]
    return folder in (DATA, HUB_AUDIT, SEALED_CARD.partition("/")[0]) or path in (MANIFEST, REPORT)
