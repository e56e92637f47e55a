"""The arguments of one call of ``publish``, and what it has tried so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from builder.errors import Fault, PublishError
from builder.hub.address import tag_of

if TYPE_CHECKING:
    from builder.corpus import Corpus
    from builder.domain.manifest import Manifest
    from builder.domain.progress import Progress
    from builder.hub.diff import TreeChanges
    from builder.hub.remote import Repository
    from builder.hub.retry_policy import RetryPolicy

_ASIDE = "publishing-"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishJob:
    """One call of ``publish``. ``tried`` grows: an upload may have arrived even if no answer came."""

    corpus: Corpus
    version: str
    manifest: Manifest
    repository: Repository
    private: bool
    with_ledger: bool
    with_signals: bool
    report: bytes | None
    every_row: bool
    dry_run: bool
    advance: Progress
    retry_policy: RetryPolicy
    tried: list[TreeChanges] = field(default_factory=list)

    @property
    def tag(self) -> str:
        """The tag's name."""
        return tag_of(self.version)

    @property
    def aside(self) -> str:
        """The branch on which an older version is assembled."""
        return _ASIDE + self.tag

    def refuse(self, what: str, advice: str = "") -> PublishError:
        """Return an error that names the repository."""
        return PublishError(Fault(where=self.repository.name, what=what, advice=advice))
