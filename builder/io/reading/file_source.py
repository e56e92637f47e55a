"""Share options, input listing and task splitting among the sources that read files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, ClassVar

from builder.domain.record import record_id
from builder.domain.rejection import Rejection
from builder.domain.url_patterns import URL_REASONS
from builder.io.containers.chains import member_glob, outside
from builder.io.containers.members import REASONS as CONTAINER_REASONS
from builder.io.containers.reading import read_task
from builder.io.streams.content import content_of
from builder.io.streams.paths import Found, select_files
from builder.io.streams.streams import StreamFault, compression_of, read_chunks
from builder.protocols import Task
from builder.registry import option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from builder.domain.passed_over import PassedOver
    from builder.io.streams.content import FileContent
    from builder.io.streams.globs import Glob
    from builder.io.streams.paths import Selection
    from builder.protocols import Guard, Reading

COMPRESSED = ("", ".gz", ".zst", ".bz2", ".lz4", ".xz")
MAX_RECORD_BYTES = 64 << 20

GROUP_FILES = 256
GROUP_BYTES = 32 << 20
"""Limits on a task of several small files."""

PLAIN_CHUNK_BYTES = 8 << 20
"""Bytes read at a time from an uncompressed file. The chunk is larger than a decompressed one, because each
chunk becomes a batch and each batch is written to files."""

DECOMPRESS_LIMIT_S = 60.0
"""Seconds that the decompression of one chunk may take; a safety limit far above any real value."""

GUARD_REASONS = {
    "crash": "A native library crashed on the record.",
    "memory": "The record took more memory than a worker may use.",
    "timeout": "The record took longer than its time limit.",
}
"""Reasons that only the guard gives; `run.json` lists them as not reproducible."""

TRUSTED_BYTES = 4 << 20
"""Bytes of a file that may be read without a guard; its records take at most some hundred times as much."""

CONTAINERS = CONTAINER_REASONS
"""Reasons of files in archives."""

TOO_BIG = {"record_too_big": "The record is longer than `max_record_bytes`; it is not read completely."}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource(ABC):
    """A source whose path selects files."""

    kind: ClassVar[str]
    suffixes: ClassVar[Sequence[str]]
    reasons: ClassVar[Mapping[str, str]]
    unreadable: ClassVar[frozenset[str]] = frozenset()
    """Reasons of a failed record at offset 0 that represents the whole file, if the file has no other record.
    A source whose files are one record each has none: it knows how many records it lost."""

    path: str = option(
        help="A file, a folder or a glob (`**` matches any folders, `{a,b}` one of several texts); "
        "a local path or any fsspec address."
    )
    name: str | None = option(
        None, help="Name of this source in the records' ids and the ledger. Default: its kind."
    )

    redirect_hosts: list[str] = option(  # noqa: RUF009 - it makes a field
        [],
        help="Other hosts to which a web server may redirect requests, or `*` for any host. "
        "Default: redirects stay on the host of `path`.",
    )

    urls: list[str] = option(  # noqa: RUF009
        [],
        help="Patterns of URLs; records with other URLs are rejected. `*` is any text: `https://*.example.org/*`.",
    )
    skip_urls: list[str] = option(  # noqa: RUF009
        [], help="Patterns of URLs; records with such a URL are rejected."
    )
    schemes: list[str] = option(  # noqa: RUF009
        [], help="Schemes of URLs, such as `https`; records with other URLs are rejected."
    )

    def __init_subclass__(cls) -> None:
        """Add the reasons that every source of files gives."""
        if "reasons" in cls.__dict__:
            cls.reasons = {**cls.reasons, **URL_REASONS}

    @property
    def label(self) -> str:
        """The name of this source, else its kind."""
        return self.name or self.kind

    @property
    def untrusted(self) -> bool:
        """Whether native code reads the bytes, or the bytes can take much memory.

        Decompressors are native code. A small file is read in this process.
        """
        return any(compression_of(found.name) or found.size_bytes > TRUSTED_BYTES for found in self.inputs())

    @property
    def member_glob(self) -> Glob | None:
        """The members of archives that ``path`` selects; None for those with a name of this kind."""
        return member_glob(self.path)

    def accepts_opening(self, opening: bytes) -> bool:  # noqa: ARG002
        """Return whether a member of an archive with another name is read, by its first bytes."""
        return False

    def refusal(self, content: FileContent) -> str | None:  # noqa: ARG002
        """Return why no record can be read from a file, by its first bytes; None if it may have records."""
        return None

    def inputs(self) -> list[Found]:
        """List the input files, sorted by name; an archive is one file."""
        return self._select().found

    def passed_over(self, elsewhere: AbstractSet[str] = frozenset()) -> list[PassedOver]:
        """Count what the path passes over: other names, hidden names, folders that are read already.

        Args:
            elsewhere: files and folders that another source reads.
        """
        return self._select(elsewhere).passed_over.of(self.label)

    def accepts(self, address: str) -> bool:  # noqa: ARG002 - sources that examine files override it
        """Return whether a file in a folder is read although its name has none of the suffixes."""
        return False

    def read(self, task: Task, *, guard: Guard, batch_rows: int) -> Iterator[Reading]:
        """Yield the records of a task; zip and tar archives are read like folders."""
        return read_task(self, task, guard=guard, batch_rows=batch_rows)

    @abstractmethod
    def read_file(self, task: Task, *, guard: Guard, batch_rows: int) -> Iterator[Reading]:
        """Yield the records of a task whose files are not archives."""

    def grouped_tasks(self) -> list[Task]:
        """Group consecutive small files into tasks, up to ``GROUP_FILES`` files or ``GROUP_BYTES``."""
        tasks: list[Task] = []
        group: list[Found] = []
        for found in self.inputs():
            n_bytes = sum(one.size_bytes for one in group) + found.size_bytes
            if group and (len(group) == GROUP_FILES or n_bytes > GROUP_BYTES):
                tasks.append(self._task_of(group))
                group = []
            group.append(found)
        return [*tasks, self._task_of(group)]

    def cut_tasks(self, found: Found, *, part_bytes: int | None) -> list[Task]:
        """Make one task for each part of a file; one for the whole file if ``part_bytes`` is None."""
        points = [(0, None)] if part_bytes is None else cut_points(found.size_bytes, part_bytes=part_bytes)
        return [
            Task(
                source=self.label,
                path=found.path,
                name=found.name,
                size_bytes=(found.size_bytes if stop is None else stop) - start,
                start=start,
                stop=stop,
            )
            for start, stop in points
        ]

    def record(self, found: Found, *, ordinal: int, offset: int = 0) -> dict[str, object]:
        """Return the ``_record`` of one row."""
        return {
            "id": record_id(self.label, found.name, offset),
            "source": self.label,
            "path": found.name,
            "ordinal": ordinal,
            "offset": offset,
        }

    def failure(
        self, record: Mapping[str, object], reason: str, *, message: str, raw: bytes | None = None
    ) -> Rejection:
        """Return the ledger row of a record that cannot be read."""
        return Rejection(
            record=record, stage=self.kind, reason=reason, outcome="failed", message=message, raw=raw
        )

    def _select(self, elsewhere: AbstractSet[str] = frozenset()) -> Selection:
        return select_files(
            outside(self.path),
            suffixes=self.suffixes,
            redirect_hosts=self.redirect_hosts,
            elsewhere=elsewhere,
            accepts=self.accepts,
        )

    def _task_of(self, group: Sequence[Found]) -> Task:
        first = group[0]
        return Task(
            source=self.label,
            path=first.path,
            name=first.name,
            size_bytes=sum(one.size_bytes for one in group),
            files=tuple((one.path, one.name, one.size_bytes) for one in group),
        )


def cut_points(size_bytes: int, *, part_bytes: int) -> list[tuple[int, int | None]]:
    """Cut a file by its size alone; the last part has no end.

    >>> cut_points(25, part_bytes=10)
    [(0, 10), (10, 20), (20, None)]
    """
    starts = range(0, max(size_bytes, 1), part_bytes)
    return [(start, start + part_bytes if start + part_bytes < size_bytes else None) for start in starts]


def files_of(task: Task) -> list[Found]:
    """List the files of a task that ``grouped_tasks`` made."""
    return [Found(path=path, name=name, size_bytes=size) for path, name, size in task.files]


def guarded_chunks(
    found: Found,
    *,
    stage: str,
    guard: Guard,
    units: Iterator[int] | None = None,
    start: int = 0,
    zstd_long: int | None = None,
    plain_bytes: int = PLAIN_CHUNK_BYTES,
) -> Iterator[bytes | StreamFault]:
    """Read a file in chunks; a compressed file is decompressed under the guard.

    Args:
        plain_bytes: the size of a chunk of an uncompressed file.
        units: guard units for the chunks, unique within the stage and the task. Default: from 0.
        zstd_long: as for ``read_chunks``.
    """
    codec = content_of(found.path, name=found.name).codec
    if codec is None:
        yield from read_chunks(found.path, codec=None, start=start, chunk_bytes=plain_bytes)
        return
    chunks = read_chunks(found.path, codec=codec, start=start, zstd_long=zstd_long)
    n_bytes = 0
    for unit in count() if units is None else units:
        if reason := guard.enter(stage, unit, limit_s=DECOMPRESS_LIMIT_S):
            message = f"the {codec} decoder crashed or hung a worker process"
            yield StreamFault(reason=reason, offset=n_bytes, message=message)
            return
        chunk = next(chunks, None)
        guard.leave()
        if chunk is None:
            return
        n_bytes += len(chunk) if isinstance(chunk, bytes) else 0
        yield chunk


def read_whole(
    found: Found, *, stage: str, guard: Guard, units: Iterator[int], max_bytes: int
) -> tuple[bytes, StreamFault | None]:
    """Read a file into memory; reading stops with a fault at the limit.

    Args:
        units: as for ``guarded_chunks``.
    """
    fault = StreamFault(
        reason="record_too_big", offset=0, message=f"larger than max_record_bytes = {max_bytes}"
    )
    if found.size_bytes > max_bytes and content_of(found.path, name=found.name).codec is None:
        return b"", fault
    parts: list[bytes] = []
    n_bytes = 0
    for chunk in guarded_chunks(found, stage=stage, guard=guard, units=units):
        if isinstance(chunk, StreamFault):
            return b"".join(parts), chunk
        parts.append(chunk)
        n_bytes += len(chunk)
        if n_bytes > max_bytes:
            return b"".join(parts)[:max_bytes], fault
    return b"".join(parts), None
