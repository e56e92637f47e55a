"""Read web archives: WARC, ARC, WET and WAT, plain or compressed, record by record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

from builder.domain.ledger import CRAWLERS, SITE_RECORDS
from builder.domain.rejection import MAX_RECORD_KEPT, Rejection
from builder.io.archive.framing import Failed, Padding, Record, opens_to_record, read_spans
from builder.io.archive.members import Members, sniff_codec
from builder.io.archive.own_records import OWN_RECORDS
from builder.io.archive.pages import (
    Candidate,
    PageCriteria,
    RecordRefusal,
    describe_fault,
    judge,
    open_page,
    url_of,
)
from builder.io.archive.parts import PART_BYTES, part_bounds, read_part
from builder.io.archive.payload import NOT_TEXT
from builder.io.archive.site_rules import crawler_facts
from builder.io.reading.file_source import (
    COMPRESSED,
    CONTAINERS,
    GUARD_REASONS,
    MAX_RECORD_BYTES,
    TOO_BIG,
    FileSource,
)
from builder.io.reading.page_rows import BATCH_BYTES, PageRows
from builder.io.streams.streams import REASONS, compression_of, open_input
from builder.registry import option

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from builder.io.archive.framing import Span
    from builder.io.archive.members import Piece
    from builder.protocols import Guard, Reading, Task

_SNIFF_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class WarcSource(FileSource):
    """Read web archives.

    The formats are WARC 0.x, 1.0 and 1.1, ARC 1 and 2, WET and WAT. Files may be plain or compressed with
    gzip, bz2, zstd or lz4, with one member for each record or one for all. Frames of zstd may share a
    dictionary in the first frame. Line ends may be LF. The first bytes of a file decide how it is compressed.

    Each record of the archive is a record. A `response`, `resource` or `conversion` becomes a page if
    `status` and `content_types` list its status and content type; without a content type, it becomes a page
    if it begins like HTML. Other records are rejected: `record_type`, `http_status`, `content_type` or
    `revisit`. The ledger merges a `revisit` into its original if both are in the same build. Chunks and
    content codings are decoded, and gzip that no header declares is undone once.

    Records that crawlers write for themselves (logs, arguments, screenshots, DNS) are rejected as
    `crawler_record`. The rules of sites (robots.txt, tdmrep.json, ai.txt) are rejected as `site_record`,
    whatever their status; up to 500 KiB of each are kept in `site_records.parquet` of the audit. What a
    `warcinfo` record says of the crawler is in `crawlers.parquet`. A payload that is not HTML or text by its
    bytes, or by the type that the crawler identified, is rejected as `not_text`. Records that the crawler cut
    or divided are counted (`warc_truncated`, `segmented`).

    A damaged record does not affect the rest of the file: each byte of an archive is in a record, in padding
    between records or in a failed span, and reading resumes at the next record. A record whose length is
    wrong ends where the next one begins. It becomes a page if its HTTP message is complete, and is counted
    (`wrong_length`, `truncated`).
    """

    kind: ClassVar[str] = "warc"
    rules: ClassVar[int] = 1
    suffixes: ClassVar[Sequence[str]] = (
        *(f".{stem}{codec}" for stem in ("warc", "arc", "wet", "wat") for codec in COMPRESSED),
        ".wacz",
    )
    reasons: ClassVar[Mapping[str, str]] = {
        "record_type": "The record is not a response, resource or conversion.",
        "http_status": "The status of the response is not listed in `status`.",
        "content_type": "The content type is not listed in `content_types`.",
        "revisit": "The record repeats one that is not in this build.",
        "bad_header": "The bytes do not begin a record, or the header of the record cannot be read.",
        "bad_http": "The record should be an HTTP response but does not begin with a status line.",
        "content_coding": "The content coding of the body is not supported, or the body is damaged.",
        "wrong_length": "The length in the record's header is wrong, and the content is incomplete.",
        "truncated": "The file ends inside the record.",
        **OWN_RECORDS,
        **NOT_TEXT,
        "warc_truncated": "The crawler cut the record (`WARC-Truncated`); only with `incomplete: false`.",
        "segmented": "The crawler divided the record (`WARC-Segment-Number`); only with `incomplete: false`.",
        **TOO_BIG,
        **CONTAINERS,
        **REASONS,
        **GUARD_REASONS,
    }
    unreadable: ClassVar[frozenset[str]] = frozenset(("bad_header", *REASONS))

    status: list[str] = option(["200"], help="HTTP statuses of responses that become pages.")  # noqa: RUF009
    content_types: list[str] = option(  # noqa: RUF009
        ["text/html", "application/xhtml+xml", "text/plain"],
        help="Media types, without parameters, that become pages.",
    )
    rename: dict[str, str] = option(  # noqa: RUF009
        {}, help="New names for fields: dotted path -> column."
    )
    crawler_records: bool = option(
        False, help="Whether records that crawlers write for themselves (`urn:`, `metadata:`) may be pages."
    )
    incomplete: bool = option(
        True, help="Whether records that the crawler truncated or segmented may be pages; they are counted."
    )
    max_record_bytes: int = option(
        MAX_RECORD_BYTES,
        help="Maximum bytes of a record and of its decoded content; a larger record fails.",
        minimum=1,
    )

    @property
    def untrusted(self) -> bool:
        """Always true: native code decompresses and decodes bytes from unknown servers."""
        return True

    def tasks(self) -> list[Task]:
        """Split large uncompressed files by their size; any other file is one task."""
        return [
            task
            for found in self.inputs()
            for task in self.cut_tasks(found, part_bytes=None if compression_of(found.name) else PART_BYTES)
        ]

    def read_file(self, task: Task, *, guard: Guard, batch_rows: int) -> Iterator[Reading]:
        """Yield pages and rejections in the order of the archive."""
        rows = PageRows(source=self.label, name=task.name, batch_rows=batch_rows)
        reader = _Reader(rows, self._criteria(), guard)
        with open_input(task.path) as stream:
            for span in self._spans(stream, task, guard):
                if isinstance(span, Padding):
                    continue
                reader.add(span)
                if reader.full:
                    yield reader.take_reading()
        yield reader.take_reading()

    def _criteria(self) -> PageCriteria:
        types = [name.strip().lower() for name in self.content_types]
        return PageCriteria(
            statuses=self.status,
            content_types=types,
            max_bytes=self.max_record_bytes,
            crawler_records=self.crawler_records,
            incomplete=self.incomplete,
        )

    def _spans(self, stream: BinaryIO, task: Task, guard: Guard) -> Iterator[Span]:
        codec = sniff_codec(stream.read(_SNIFF_BYTES), name=task.name)
        stream.seek(0)
        if codec is None:
            first, last = part_bounds(stream, start=task.start, stop=task.stop)
            pieces: Iterable[Piece] = read_part(stream, first=first, last=last)
            return read_spans(pieces, max_record_bytes=self.max_record_bytes, offset=first)
        if task.start:  # compressed, but not by its name: the first part reads the whole file
            return iter(())
        pieces = Members(stream, codec=codec, opens=opens_to_record, guard=guard)
        return read_spans(pieces, max_record_bytes=self.max_record_bytes)


class _Reader:
    """Turns each record of an archive into a row, and counts it."""

    def __init__(self, rows: PageRows, criteria: PageCriteria, guard: Guard) -> None:
        self._rows, self._criteria, self._guard = rows, criteria, guard
        self._raw_bytes = 0

    @property
    def full(self) -> bool:
        return self._rows.full or self._raw_bytes >= BATCH_BYTES

    def take_reading(self) -> Reading:
        self._raw_bytes = 0
        return self._rows.take()

    def add(self, span: Record | Failed) -> None:
        row = self._rows.count(offset=span.offset)
        if isinstance(span, Failed):
            place = f"bytes {span.offset} to {span.offset + span.length} of the archive"
            why = RecordRefusal(
                reason=span.reason, outcome="failed", message=f"{place}{_member(span)}: {span.message}"
            )
            self._refuse(row, span, why, raw=span.raw)
            return
        judged = judge(span, self._criteria)
        if isinstance(judged, Candidate):
            self._open(row, judged)
        else:
            if (crawler := crawler_facts(span)) is not None:
                self._rows.note(CRAWLERS, row, crawler)
            self._refuse(row, span, judged, raw=span.raw)

    def _open(self, row: dict[str, Any], candidate: Candidate) -> None:
        record = candidate.record
        if (reason := self._guard.enter("warc", row["ordinal"])) is not None:
            why = RecordRefusal(
                reason=reason, outcome="failed", message="decoding it crashed or hung a worker process"
            )
            self._refuse(row, record, why, raw=record.raw)
            return
        try:
            page = open_page(candidate, self._criteria)
        finally:
            self._guard.leave()
        if isinstance(page, RecordRefusal):
            self._refuse(row, record, page, raw=record.raw)
            return
        self._rows.add(
            row, aliases=page.aliases, note=describe_fault(record) if record.fault else None, **page.columns
        )
        for name, n in page.counts.items():
            self._rows.add_count(name, n)

    def _refuse(self, row: dict[str, Any], span: Record | Failed, why: RecordRefusal, *, raw: bytes) -> None:
        message = why.message
        if isinstance(span, Record) and span.fault and why.outcome == "rejected":
            message = "; ".join(filter(None, (message, describe_fault(span))))
        kept = raw[:MAX_RECORD_KEPT] if why.outcome == "failed" else None
        self._raw_bytes += len(kept or b"")
        if why.site is not None:
            self._raw_bytes += len(why.site["body"])
            self._rows.note(SITE_RECORDS, row, why.site)
        self._rows.reject(
            Rejection(
                record=row,
                stage="warc",
                reason=why.reason,
                outcome=why.outcome,
                url=url_of(span.head),
                value=why.value,
                limit=why.limit,
                message=message,
                raw=kept,
                refers_to=why.refers_to,
            )
        )


def _member(span: Record | Failed) -> str:
    return "" if span.member is None else f" (member at byte {span.member} of the compressed file)"
