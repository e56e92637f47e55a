r"""Read the head of a record: the header of WARC 0.x, 1.0 and 1.1, or the line of ARC 1 and 2.

Both give fields with the names of WARC, in lower case. Line ends may be CRLF or LF. A WARC version that does
not exist is read as 1.1, because the names of the fields do not depend on the version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["warc", "arc"]

MAX_HEAD_BYTES: Final = 256 << 10
"""A longer block of lines is not accepted as a WARC header."""

MAX_LINE_BYTES: Final = 4 << 10
"""A longer line is not accepted as the head of an ARC record."""

MAX_START_BYTES: Final = 8 << 10
"""The bytes needed to decide whether a record begins: an ARC line, or a WARC version and one field."""

_WARC_START = re.compile(
    rb"[Ww][Aa][Rr][Cc]/\d{1,3}\.\d{1,3}[ \t]*\r?\n(?=[A-Za-z][A-Za-z0-9_-]{0,60}[ \t]*:)"
)
_ARC_SCHEME = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]{1,30}:")
_ARC_MIDDLES = tuple(
    re.compile(rb" ([0-9A-Fa-f.:]{3,45}|-) (" + date + rb") ") for date in (rb"\d{14}", rb"\d{4,20}")
)
_ARC_LENGTH = re.compile(rb"-?\w{1,20}")
_WARC_CANDIDATE = re.compile(rb"\n[Ww][Aa][Rr][Cc]/")
_ARC_CANDIDATE = re.compile(rb"\n(?=[A-Za-z][A-Za-z0-9+.-]{1,30}:)")
_CANDIDATE_BYTES: Final = 64
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(r"\r?\n[ \t]+")
_LENGTH = re.compile(r"[0-9]{1,18}")

_WARC_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?"
    r"(?:[Zz]|([+-]\d\d):?(\d\d))?)?)?)?",
    re.ASCII,
)
_ARC_DATE = re.compile(r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(\d\d)(?:(\d\d)\d{0,6})?)?)?)?()()()", re.ASCII)
_LEAST: Final = (1, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head of one record.

    Attributes:
        fields: names in lower case, values without surrounding spaces; the first value of a repeated field.
        raw: its bytes; the body begins after them.
        body_bytes: the declared length of the body; None if it is missing or not a number.
    """

    kind: Kind
    fields: Mapping[str, str]
    raw: bytes
    body_bytes: int | None

    @property
    def n_bytes(self) -> int:
        """The length of the head in bytes."""
        return len(self.raw)

    @property
    def length_text(self) -> str:
        """The text of the length field, which need not be a number."""
        return self.fields.get("content-length", "")


def is_start(data: bytes | bytearray, at: int = 0, *, kind: Kind | None = None, strict: bool = False) -> bool:
    """Return whether a record begins at ``at``.

    Args:
        kind: the only kind to accept; None accepts both.
        strict: whether an ARC line must be well-formed; needed to find one among other lines.
    """
    if kind != "arc" and _WARC_START.match(data, at):
        return True
    if kind == "warc" or (line := _arc_line(data, at)) is None:
        return False
    return not strict or (len(line.date) >= 14 and line.ip != b"-" and line.length.lstrip(b"-").isdigit())


def is_cut_start(data: bytearray, at: int, *, kind: Kind | None) -> bool:
    """Return whether the data from ``at`` may be a record's start that the end of the data cuts off."""
    if kind == "arc":
        return data.find(b"\n", at) < 0
    blank_line = _BLANK_LINE.search(data, at, at + MAX_HEAD_BYTES)
    return blank_line is None and b"WARC/".startswith(bytes(data[at : at + 5]).upper())


def find_start(data: bytearray, begin: int, end: int, *, kind: Kind | None) -> int | None:
    """Return the first position in ``begin`` to before ``end`` of a line that looks like a record's start.

    ``begin`` is at least 1. Bytes after ``end`` may be read to decide.
    """
    patterns = {"warc": (_WARC_CANDIDATE,), "arc": (_ARC_CANDIDATE,)}
    found: int | None = None
    for pattern in patterns.get(kind or "", (_WARC_CANDIDATE, _ARC_CANDIDATE)):
        for match in pattern.finditer(data, begin - 1, (found or end) + _CANDIDATE_BYTES):
            place = match.start() + 1
            if place >= (end if found is None else found):
                break
            if is_start(data, place, kind=kind, strict=True):
                found = place
                break
    return found


def head_end(data: bytearray, size: int) -> int | None:
    """Return where a WARC header ends, or None if it does not end within the first ``size`` bytes."""
    match = _BLANK_LINE.search(data, 0, size)
    return match.end() if match else None


def parse_warc(data: bytes) -> Head:
    """Parse the header of a WARC record; ``data`` includes the blank line that ends it."""
    fields: dict[str, str] = {}
    text = decode_head(data)
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    for line in text.split("\n")[1:]:
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip().lower(), value.strip())
    return Head(kind="warc", fields=fields, raw=data, body_bytes=_length(fields.get("content-length")))


def parse_arc(data: bytearray) -> Head | None:
    """Parse the line of an ARC record; of version 2, only the fields that version 1 has too."""
    line = _arc_line(data, 0)
    if line is None:
        return None
    url, ip, date, media, length = (decode_head(part) for part in line[:5])
    fields = {
        "warc-type": "filedesc" if url.lower().startswith("filedesc:") else "response",
        "warc-target-uri": url,
        "warc-ip-address": ip,
        "warc-date": date,
        "content-type": media.split(" ")[0] if media.count(" ") >= 4 else media,
        "content-length": length,
    }
    return Head(kind="arc", fields=fields, raw=bytes(data[: line.end]), body_bytes=_length(length))


class _ArcLine(NamedTuple):
    url: bytes
    ip: bytes
    date: bytes
    media: bytes
    length: bytes
    end: int


def _arc_line(data: bytes | bytearray, at: int) -> _ArcLine | None:
    """Split an ARC line into its fields; the URL and the media type may contain spaces."""
    end = data.find(b"\n", at, at + MAX_LINE_BYTES)
    if end < 0 or not _ARC_SCHEME.match(data, at, end):
        return None
    found = (pattern.search(data, at, end) for pattern in _ARC_MIDDLES)
    middle = next((match for match in found if match), None)
    if middle is None:
        return None
    media, _, length = bytes(data[middle.end() : end]).rstrip(b" \t\r").rpartition(b" ")
    if not _ARC_LENGTH.fullmatch(length):
        return None
    return _ArcLine(bytes(data[at : middle.start()]), middle[1], middle[2], media, length, end + 1)


def decode_head(data: bytes) -> str:
    """Decode the bytes of a header as UTF-8 if they are valid, else as Latin-1, which accepts any byte."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


@lru_cache(maxsize=256)
def to_rfc3339(text: str, *, kind: Kind) -> str | None:
    """Convert a date of WARC (any precision that 1.1 allows) or ARC (14 digits) to RFC 3339, in UTC.

    Returns None if the text is not a date. Digits beyond microseconds are dropped.

    >>> to_rfc3339("2016-01", kind="warc"), to_rfc3339("2016-01-11T23:24:25.41203050Z", kind="warc")
    ('2016-01-01T00:00:00Z', '2016-01-11T23:24:25.412030Z')
    >>> to_rfc3339("20140216050221", kind="arc")
    '2014-02-16T05:02:21Z'
    """
    match = (_WARC_DATE if kind == "warc" else _ARC_DATE).fullmatch(text.strip())
    if match is None:
        return None
    parts = (int(group or least) for group, least in zip(match.groups(), _LEAST, strict=False))
    year, month, day, hour, minute, second = parts
    try:
        moment = datetime(year, month, day, hour, minute, second) - _utc_offset(match[8], match[9])
    except (ValueError, OverflowError):
        return None
    fraction = (match[7] or "")[:6]
    return f"{moment.isoformat()}{'.' if fraction else ''}{fraction}Z"


def _utc_offset(hours: str | None, minutes: str | None) -> timedelta:
    offset = timedelta(hours=abs(int(hours or 0)), minutes=int(minutes or 0))
    return -offset if hours and hours[0] == "-" else offset


def _length(text: str | None) -> int | None:
    return int(text) if text and _LENGTH.fullmatch(text) else None
