"""Define version numbers, and compute the lowest number that a change allows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from builder.errors import Fault, VersionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pyarrow as pa

TRAIN = "train"
"""The only split that is not an evaluation split."""

_PART = r"(0|[1-9]\d{0,17})"
_NUMBER = re.compile(rf"{_PART}\.{_PART}\.{_PART}", re.ASCII)


_MAX_SHOWN = 100
"""Characters of a wrong number that a message repeats."""


class Level(IntEnum):
    """How much a new version can affect the users of its parent."""

    PATCH = 0
    MINOR = 1
    MAJOR = 2


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version number; compared as numbers, not as text.

    >>> Version.parse("1.10.0") > Version.parse("1.9.3")
    True
    >>> str(Version(1, 4, 2).bump(Level.MINOR))
    '1.5.0'
    """

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read ``MAJOR.MINOR.PATCH``.

        Raises:
            VersionError: if the text has another form (``v1.0.0``, ``1.0``, ``01.0.0``).
        """
        match = _NUMBER.fullmatch(text)
        if not match:
            shown = text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
            raise VersionError(
                Fault(where="", what=f"{shown!r} is not a version number", advice="write it like 1.4.0")
            )
        return cls(*(int(number) for number in match.groups()))

    def bump(self, level: Level) -> Version:
        """Return the next version number at a level."""
        if level is Level.MAJOR:
            return Version(self.major + 1, 0, 0)
        if level is Level.MINOR:
            return Version(self.major, self.minor + 1, 0)
        return Version(self.major, self.minor, self.patch + 1)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


FIRST = Version(1, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitChanges:
    """Counts of the changes to one split's rows.

    A row that went to another split counts in ``moved`` of the split that it left; the split that it
    joined does not count it. ``reordered`` counts the rows that stayed in the split and now come after a
    row that they came before.
    """

    removed: int = 0
    changed: int = 0
    moved: int = 0
    added: int = 0
    reordered: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The differences between a version and its parent that determine the version number.

    ``kept_out`` counts the URLs and domains without a published row that a takedown keeps out of later
    versions. ``added_columns`` are nullable. ``broken_columns`` holds all other changes of columns, one text
    each, as ``compare_columns`` writes them.
    """

    splits: Mapping[str, SplitChanges] = field(default_factory=dict)
    broken_columns: tuple[str, ...] = ()
    added_columns: tuple[str, ...] = ()
    licenses: tuple[str | None, str | None] = (None, None)
    kept_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A version number, and the reason for it."""

    version: Version
    level: Level
    reason: str


def decide_version(
    parent: Version | None, changes: Changes, *, asked: Version | None = None, used: Iterable[Version] = ()
) -> Decision:
    """Compute the lowest number that the changes allow; ``asked`` may be higher.

    A number that was ever used stays bound to its version, so the numbers in ``used`` are skipped.

    The reason names each evaluation split that grew, because scores on it cannot be compared with older
    scores.

    >>> grown = Changes(splits={"train": SplitChanges(added=120), "test": SplitChanges(added=2)})
    >>> decide_version(Version(1, 0, 0), grown).reason
    'MINOR: 122 rows were added; the evaluation split test grew by 2'

    Raises:
        VersionError: if ``asked`` is lower than the changes allow.
    """
    taken = frozenset(used)
    if parent is None:
        least = _unused(FIRST, Level.MAJOR, taken)
        return _raised(Decision(version=least, level=Level.MAJOR, reason="first version"), asked)
    broken, grown = list(_broken(changes)), list(_grown(changes))
    level = Level.MAJOR if broken else Level.MINOR if grown else Level.PATCH
    texts = [*broken, *grown] or ["the same rows in the same order, under the same columns"]
    texts += [kept_out_text(changes.kept_out)] if changes.kept_out else []
    reason = f"{level.name}: {'; '.join(texts)}"
    least = _unused(parent.bump(level), level, taken)
    return _raised(Decision(version=least, level=level, reason=reason), asked)


def kept_out_text(n: int) -> str:
    """Describe a takedown of pages that were not published.

    >>> kept_out_text(1)
    '1 URL or domain without a published row is kept out of later versions'
    """
    what = "1 URL or domain" if n == 1 else f"{n:,} URLs or domains"
    return f"{what} without a published row {'is' if n == 1 else 'are'} kept out of later versions"


def _unused(least: Version, level: Level, used: frozenset[Version]) -> Version:
    while least in used:
        least = least.bump(level)
    return least


def compare_columns(old: pa.Schema, new: pa.Schema) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the changes that break readers of the old columns, one text each, and the new nullable columns.

    A renamed column counts as one removed column and one added column.
    """
    broken = [f"column {name} was removed" for name in old.names if name not in new.names]
    stayed = [column for column in old if column.name in new.names]
    changed = [new.field(column.name) for column in stayed if not _same_type(column, new.field(column.name))]
    broken += [f"column {column.name} became {_type_text(column)}" for column in changed]
    if [column.name for column in stayed] != [name for name in new.names if name in old.names]:
        broken.append("columns were reordered")
    fresh = [column for column in new if column.name not in old.names]
    broken += [f"column {column.name}, never null, was added" for column in fresh if not column.nullable]
    return tuple(broken), tuple(column.name for column in fresh if column.nullable)


def _same_type(old: pa.Field, new: pa.Field) -> bool:
    same: bool = old.type == new.type and old.nullable == new.nullable
    return same


def _type_text(column: pa.Field) -> str:
    return str(column.type) + ("" if column.nullable else " not null")


def _broken(changes: Changes) -> Iterator[str]:
    for fact, text in _ROW_FACTS:
        counts = {name: n for name, split in changes.splits.items() if (n := getattr(split, fact))}
        if counts:
            yield f"{_rows(sum(counts.values()), 'published ')} {text} ({_by_split(counts)})"
    for name, split in changes.splits.items():
        if split.reordered:
            yield f"rows of {name} were reordered"
    yield from changes.broken_columns
    old, new = changes.licenses
    if old != new:
        yield f"the licence was {old or 'not given'} and is {new or 'not given'}"


_ROW_FACTS = (("removed", "removed"), ("changed", "changed"), ("moved", "moved to another split"))


def _grown(changes: Changes) -> Iterator[str]:
    added = {name: split.added for name, split in changes.splits.items() if split.added}
    if added:
        yield f"{_rows(sum(added.values()))} added"
    for name, n_rows in added.items():
        if name != TRAIN:
            yield f"the evaluation split {name} grew by {n_rows}"
    if changes.added_columns:
        names = ", ".join(changes.added_columns)
        yield f"columns {names} were added" if len(changes.added_columns) > 1 else f"column {names} was added"


def _rows(n_rows: int, what: str = "") -> str:
    return f"1 {what}row was" if n_rows == 1 else f"{n_rows:,} {what}rows were"


def _by_split(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n_rows:,}" for name, n_rows in counts.items())


def _raised(least: Decision, asked: Version | None) -> Decision:
    if asked is None or asked == least.version:
        return least
    if asked < least.version:
        what = f"{asked} is lower than {least.version}, the lowest number for these changes ({least.reason})"
        raise VersionError(Fault(where="--version", what=what, advice=f"use {least.version} or higher"))
    return Decision(version=asked, level=least.level, reason=f"{least.reason}; {asked} was asked for")
