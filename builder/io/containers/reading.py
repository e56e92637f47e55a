"""Read a task whose files may be zip or tar archives: each member is read as a file of its own."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Protocol, cast

import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.record import RECORD, RECORD_FIELD, RECORD_TYPE, record_id
from builder.domain.rejection import Rejection, no_rejections, rejection_batch
from builder.io.containers.members import (
    BrokenArchiveError,
    Examined,
    Member,
    MemberListing,
    list_tar,
    list_zip,
    nested,
)
from builder.io.containers.slices import Inflated
from builder.io.streams.content import FileContent, container_of, content_of
from builder.io.streams.limits import swelling_message, swells
from builder.io.streams.streams import DamagedMemberError, members_at, open_input
from builder.protocols import Reading, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from builder.io.streams.globs import Glob
    from builder.protocols import Guard, RefusedUnit

    File = tuple[str, str, int]

INSIDE = "!/"
"""What separates the name of an archive from that of its member."""

_UNITS = 1 << 40
"""Units of a file; each file of a task has its own range, because readers count their units from 0."""

_NESTED = (
    *(".zip", ".wacz", ".tar", ".tgz", ".tbz2", ".txz", ".7z", ".rar"),
    *(".tar" + codec for codec in (".gz", ".zst", ".bz2", ".lz4", ".xz")),
)


class MemberSource(Protocol):
    """What a source of files tells about itself."""

    kind: ClassVar[str]
    suffixes: ClassVar[Sequence[str]]

    @property
    def label(self) -> str:
        """The name of the source in record ids."""

    @property
    def member_glob(self) -> Glob | None:
        """The members to read; None for those with a name that the source reads."""

    def accepts_opening(self, opening: bytes) -> bool:
        """Return whether a member with another name is read, by its first bytes."""

    def refusal(self, content: FileContent) -> str | None:
        """Return why no record can be read from a file, by its first bytes; None if it may have records."""

    def read_file(self, task: Task, *, guard: Guard, batch_rows: int) -> Iterator[Reading]:
        """Read a task whose files are not archives."""


def read_task(source: MemberSource, task: Task, *, guard: Guard, batch_rows: int) -> Iterator[Reading]:
    """Read a task; archives among its files give the records of their members, in their order."""
    parts = list(_parts(source, task))
    if len(parts) == 1 and parts[0][1].container is None and parts[0][1].refused is None:
        if parts[0][1].codec:  # the first part of a compressed file reads all of it
            task = replace(task, stop=None)
        if not (task.start and parts[0][1].codec):
            yield from source.read_file(task, guard=guard, batch_rows=batch_rows)
        return
    if task.start:
        return
    n_records = 0
    for number, (part, content) in enumerate(parts):
        units = _Units(guard, number * _UNITS)
        n_before = n_records
        archive = _Archive(source, part, content, units, batch_rows)
        if content.container is not None:
            readings = archive.read()
        elif content.refused is not None:
            readings = archive.refuse(content.refused)
        else:
            readings = source.read_file(part, guard=units, batch_rows=batch_rows)
        for reading in readings:
            yield shift_ordinals(reading, n_before)
            n_records += reading.n_records


def _content(source: MemberSource, path: str, name: str) -> FileContent:
    content = content_of(path, name=name)
    return content._replace(refused=None if content.container else source.refusal(content))


def _parts(source: MemberSource, task: Task) -> Iterator[tuple[Task, FileContent]]:
    """Divide a task of several files: an archive is a part, and so are the files between two archives.

    A file that is refused is a part, too.
    """
    if not task.files:
        yield task, _content(source, task.path, task.name)
        return
    plain: list[File] = []
    for file in task.files:
        content = _content(source, file[0], file[1])
        if content.container is None and content.refused is None:
            plain.append(file)
            continue
        if plain:
            yield _task_of(task, plain), FileContent(None, None)
        yield _task_of(task, [file]), content
        plain = []
    if plain:
        whole = len(plain) == len(task.files)
        yield (task if whole else _task_of(task, plain)), FileContent(None, None)


def _task_of(task: Task, files: Sequence[File]) -> Task:
    path, name, _ = files[0]
    return replace(task, path=path, name=name, size_bytes=sum(file[2] for file in files), files=tuple(files))


def shift_ordinals(reading: Reading, n: int) -> Reading:
    """Add a number to the ordinals of a reading."""
    if not n:
        return reading
    noted = {table: _shifted(batch, n) for table, batch in reading.noted.items()}
    return replace(
        reading, batch=_shifted(reading.batch, n), rejected=_shifted(reading.rejected, n), noted=noted
    )


def _shifted(batch: pa.RecordBatch, n: int) -> pa.RecordBatch:
    at = batch.schema.get_field_index(RECORD)
    column = batch.column(at)
    fields = [pc.struct_field(column, field.name) for field in RECORD_TYPE]
    place = RECORD_TYPE.get_field_index("ordinal")
    fields[place] = pc.add(fields[place], n)
    return batch.set_column(at, RECORD_FIELD, pa.StructArray.from_arrays(fields, fields=list(RECORD_TYPE)))


class _Archive:
    """Reads the members of one archive."""

    def __init__(
        self, source: MemberSource, task: Task, content: FileContent, guard: Guard, batch_rows: int
    ) -> None:
        self._source, self._task, self._content = source, task, content
        self._guard, self._batch_rows = guard, batch_rows
        self._n_records = 0
        self._n_out = 0

    def read(self) -> Iterator[Reading]:
        with open_input(self._task.path) as file:
            listing = self._list(file)
            wanted, counts = self._choose(listing)
            if counts:
                yield self._failed([], counts)
            for members in self._groups(wanted):
                yield from self._read_members(members)
            if listing.broken is not None:
                yield self._fail_archive(listing.broken)
            elif not wanted:
                message = "no member has a name that this source reads"
                yield self._fail_archive(BrokenArchiveError("no_member", message))

    def refuse(self, message: str) -> Iterator[Reading]:
        """Yield the one failed record of a file that no source of text reads."""
        yield self._fail(self._task.name, "not_text", message)

    def _list(self, file: BinaryIO) -> MemberListing:
        if self._content.container == "zip":
            return list_zip(file, self._examine)
        if self._content.codec is None:
            return list_tar(file, self._examine)
        return list_tar(cast("BinaryIO", Inflated(self._task.path, codec=self._content.codec)), self._examine)

    def _examine(self, name: str, opening: Callable[[], bytes]) -> Examined:
        """Find archives among the members to read and, for sources that read any name, pages."""
        if self._is_named(name):
            return Examined(is_archive=container_of(opening(), name="") is not None)
        if self._source.member_glob is None and not _is_hidden(name):
            return Examined(is_page=self._source.accepts_opening(opening()))
        return Examined()

    def _is_named(self, name: str) -> bool:
        """Return whether a member is read for its name."""
        if glob := self._source.member_glob:
            return glob.file(name)
        return name.lower().endswith(tuple(self._source.suffixes)) and not _is_hidden(name)

    def _choose(self, listing: MemberListing) -> tuple[list[Member], Counter[str]]:
        """Return the members to read, and the counts of those passed over."""
        counts = Counter({f"passed_over_{name}": n for name, n in listing.passed_over.items()})
        wanted = []
        for member in listing.members:
            name = member.stored_name
            refused = member.reason is not None and self._source.member_glob is None
            if self._is_named(name) or refused or member.is_page:
                wanted.append(member)
            elif name.lower().endswith(_NESTED) and not _is_hidden(name):
                wanted.append(nested(member))
            else:
                counts["passed_over_members"] += 1
        return wanted, counts

    def _groups(self, members: Iterable[Member]) -> Iterator[list[Member]]:
        """Group small members that one task reads, if the source reads several files in a task."""
        group: list[Member] = []
        n_bytes = 0
        for member in members:
            full = len(group) == GROUP_MEMBERS or n_bytes + member.size_bytes > GROUP_MEMBER_BYTES
            if group and (full or member.reason or not self._task.files):
                yield group
                group, n_bytes = [], 0
            if member.reason:
                yield [member]
            else:
                group.append(member)
                n_bytes += member.size_bytes
        if group:
            yield group

    def _read_members(self, members: Sequence[Member]) -> Iterator[Reading]:
        first = members[0]
        if first.reason is not None:
            yield self._fail_member(first, first.reason, first.message)
            return
        n_bytes = sum(member.size_bytes for member in members)
        self._n_out += n_bytes
        if swells(self._n_out, self._task.size_bytes):
            for member in members:
                yield self._fail_member(member, "swelling", swelling_message(self._task.size_bytes))
            return
        files = [
            (f"{self._task.path}{INSIDE}{m.name}", f"{self._task.name}{INSIDE}{m.name}", m.size_bytes)
            for m in members
        ]
        openers = {file[0]: m.opener for file, m in zip(files, members, strict=True) if m.opener}
        task = replace(_task_of(self._task, files), files=tuple(files) if self._task.files else ())
        guard = _Units(self._guard, self._n_records << 20)
        n_before = self._n_records
        try:
            with members_at(openers):
                for reading in self._source.read_file(task, guard=guard, batch_rows=self._batch_rows):
                    yield shift_ordinals(reading, n_before)
                    self._n_records += reading.n_records
        except DamagedMemberError as error:
            yield self._fail_member(members[-1], "member_corrupt", str(error), rest=True)

    def _fail_member(self, member: Member, reason: str, message: str, *, rest: bool = False) -> Reading:
        return self._fail(f"{self._task.name}{INSIDE}{member.name}", reason, message, rest=rest)

    def _fail_archive(self, broken: BrokenArchiveError) -> Reading:
        return self._fail(self._task.name, broken.reason, broken.message)

    def _fail(self, path: str, reason: str, message: str, *, rest: bool = False) -> Reading:
        identity = record_id(self._source.label, path, 0) + ("+" if rest else "")
        record = {
            "id": identity,
            "source": self._source.label,
            "path": path,
            "ordinal": self._n_records,
            "offset": 0,
        }
        failure = Rejection(
            record=record, stage=self._source.kind, reason=reason, outcome="failed", message=message
        )
        self._n_records += 1
        return self._failed([failure], Counter())

    def _failed(self, failures: list[Rejection], counts: Counter[str]) -> Reading:
        nothing = pa.RecordBatch.from_pylist([], schema=pa.schema([RECORD_FIELD]))
        rejected = rejection_batch(failures) if failures else no_rejections()
        return Reading(batch=nothing, rejected=rejected, n_records=len(failures), counts=counts)


def _is_hidden(name: str) -> bool:
    return any(part[:1] in "._" for part in name.split("/"))


GROUP_MEMBERS = 256
GROUP_MEMBER_BYTES = 32 << 20
"""Limits on the members that are read together."""


class _Units:
    """A guard whose units are in a range of their own."""

    def __init__(self, guard: Guard, base: int) -> None:
        self._guard, self._base = guard, base

    def enter(self, stage: str, unit: int, *, limit_s: float = 60.0) -> str | None:
        return self._guard.enter(
            stage, unit + self._base if unit >= 0 else unit - self._base, limit_s=limit_s
        )

    def leave(self) -> None:
        self._guard.leave()

    def take_refused(self) -> list[RefusedUnit]:
        return self._guard.take_refused()

    def tick(self, n_records: int, n_bytes: int) -> None:
        self._guard.tick(n_records, n_bytes)
