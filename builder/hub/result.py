"""What publishing and fetching hand back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from builder.errors import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A file that the Hub has under another name already, so that nothing is sent."""

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
    """What was compared after the fact: files by their hashes, rows by their values."""

    files: int = 0
    row_groups: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishResult:
    """What was done, or with ``dry_run`` what would be.

    Attributes:
        add: files that were sent. Their bytes are the most that goes over the wire: of a file that arrived
            before nothing is sent again, and Xet sends only pieces that the Hub does not have.
        left_alone: files on the Hub that no version of ours put there.
        main: whether ``main`` is this version; an older one has its tag only.
        card: the README.md as it is on the Hub; with ``dry_run`` only.
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
        """Bytes of the files that were added."""
        return sum(one.bytes for one in self.add)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchResult:
    """A version that came from the Hub.

    Attributes:
        ledger: whether the ledger came with it.
        nothing_new: whether it was there already.
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
