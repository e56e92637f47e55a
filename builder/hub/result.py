"""The results of publishing and fetching."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from builder.summary import Summarised

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from builder.errors import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A file that the Hub already has under another name, so nothing is uploaded."""

    path: str
    source: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """A file that the Hub does not have."""

    path: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """What was compared after publication: files by hash, rows by bytes."""

    files: int = 0
    row_groups: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PublishResult(Summarised):
    """What was published, or with ``dry_run`` what would be.

    Attributes:
        add: uploaded files. Their size is an upper bound of the transfer: a file that arrived earlier is not
            sent again, and Xet sends only chunks that the Hub does not have.
        left_alone: files on the Hub that do not belong to any of our versions.
        main: whether ``main`` points to this version; an older version has only its tag.
        card: the README.md to publish; only with ``dry_run``.
    """

    repo: str
    version: str
    digest: str
    tag: str
    url: str
    main: bool
    dry_run: bool = False
    nothing_new: bool = False
    commit: str | None = None
    add: Sequence[Addition] = ()
    copy: Sequence[Copy] = ()
    delete: Sequence[str] = ()
    left_alone: Sequence[str] = ()
    read_back: ReadBack = field(default_factory=ReadBack)
    warnings: Sequence[Fault] = ()
    card: str | None = None

    @property
    def bytes_to_send(self) -> int:
        """Total size of the added files in bytes."""
        return sum(one.bytes for one in self.add)

    def _summary(self) -> dict[str, object]:
        return {
            "repo": self.repo,
            "version": self.version,
            "url": self.url,
            "dry_run": self.dry_run,
            "nothing_new": self.nothing_new,
            "add": len(self.add),
            "copy": len(self.copy),
            "delete": len(self.delete),
            "warnings": len(self.warnings),
        }


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FetchResult(Summarised):
    """A version that was fetched from the Hub.

    Attributes:
        ledger: whether the ledger was published with it.
        nothing_new: whether the corpus already had the version.
    """

    repo: str
    version: str
    digest: str
    corpus: Path
    commit: str
    rows: int
    bytes: int
    ledger: bool
    nothing_new: bool = False
