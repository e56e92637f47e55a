"""Count the files that a folder or a glob does not select, so that nobody takes them for inputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

MAX_EXAMPLES = 3

REASONS = {
    "other_name": "the name does not match",
    "hidden": "the name begins with '.' or '_'",
    "linked_folder": "a link to a folder that is read by another name",
}
"""The reasons why something is passed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """What a source passes over for one reason.

    Attributes:
        count: number of files and folders; what is in a folder that is passed over is not counted.
        examples: the first names, in order; the name of a folder ends with ``/``.
    """

    source: str
    reason: str
    count: int
    examples: tuple[str, ...]


@dataclass(slots=True)
class PassedOverTally:
    """Counts what one source passes over.

    Attributes:
        elsewhere: paths of files that another source reads, and of their folders; they are not counted.
    """

    elsewhere: AbstractSet[str] = frozenset()
    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, reason: str, name: str, path: str) -> None:
        """Count a file or a folder, unless another source reads it."""
        if path in self.elsewhere:
            return
        self.counts[reason] = self.counts.get(reason, 0) + 1
        readable = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        self.examples[reason] = sorted([*self.examples.get(reason, ()), readable])[:MAX_EXAMPLES]

    def of(self, source: str) -> list[PassedOver]:
        """Return the counts, in the order of ``REASONS``."""
        return [
            PassedOver(source=source, reason=one, count=self.counts[one], examples=tuple(self.examples[one]))
            for one in REASONS
            if one in self.counts
        ]
