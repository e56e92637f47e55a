"""Content codings of HTTP undone: gzip, deflate, br and zstd, with a bound on what comes out."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from builder.io.streams.codecs import feed, find_codec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ContentState = Literal["whole", "cut", "corrupt", "too_big", "unknown"]

MAX_CODINGS: Final = 5
"""Codings on top of one another; real pages have one."""

_FIRST_BYTES: Final = 1 << 10
_FEED_BYTES: Final = 256 << 10
_CHUNK_BYTES: Final = 1 << 20
_OPENING_BYTES: Final = 512
_BEYOND_US: Final = frozenset(
    ("compress", "x-compress", "sdch", "dcb", "dcz", "exi", "bzip2", "bz2", "lzma", "xz", "pack200-gzip")
)
"""Codings that exist; names that are none (``utf-8``, ``none``) are written by servers and mean nothing."""

_CONTROLS = bytes(n for n in range(32) if n not in b"\t\n\r\f\x1b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a body holds. ``notes`` are what was put up with on the way, to count by.

    ``state`` is ``cut`` where the coded bytes end too early and ``data`` is what they gave; in the states
    after it ``data`` is empty and ``message`` tells more.
    """

    data: bytes
    state: ContentState = "whole"
    message: str = ""
    notes: tuple[str, ...] = ()


def undo_codings(data: bytes, codings: Sequence[str], *, max_bytes: int) -> Content:
    """Undo codings in the order in which they must be undone: the reverse of the header's.

    A body that is not coded, though the header says so (crawlers decode bodies and keep headers), is taken as
    it is.
    """
    notes: list[str] = []
    state: ContentState = "whole"
    known = [coding for coding in codings if coding in _DECODERS]
    if len(known) > MAX_CODINGS:
        return Content(data=b"", state="unknown", message=f"{len(known)} codings, one on top of another")
    for coding in codings:
        if coding in _BEYOND_US:
            return Content(data=b"", state="unknown", message=f"no decoder for {coding!r}")
        if coding not in _DECODERS:
            notes.append("unknown_content_coding")
            continue
        decoded = _undo(data, coding, max_bytes)
        if decoded.state == "corrupt" and _is_plain(data, coding):
            notes.append("content_not_coded")
            continue
        if decoded.state not in ("whole", "cut"):
            return decoded
        state = "cut" if decoded.state == "cut" else state
        data = decoded.data
    if state == "cut":
        notes.append("content_cut")
    return Content(data=data, state=state, notes=tuple(notes))


def _undo(data: bytes, coding: str, max_bytes: int) -> Content:
    out = bytearray()
    try:
        for chunk in _DECODERS[coding](data):
            out += chunk
            if len(out) > max_bytes:
                message = f"{coding}: swells to more than {max_bytes} bytes"
                return Content(data=b"", state="too_big", message=message)
    except _CutError:
        if data and not out:
            return Content(data=b"", state="corrupt", message=f"{coding}: nothing comes out")
        return Content(data=bytes(out), state="cut")
    except _CorruptError as error:
        return Content(data=b"", state="corrupt", message=f"{coding}: {error}")
    return Content(data=bytes(out))


def _is_plain(data: bytes, coding: str) -> bool:
    """Say whether a body that cannot be decoded was never coded."""
    if coding in ("gzip", "x-gzip"):
        return not data.startswith(b"\x1f\x8b")
    opening = data[:_OPENING_BYTES]
    return opening.translate(None, _CONTROLS) == opening


class _CutError(Exception):
    """The coded bytes end too early."""


class _CorruptError(Exception):
    """The coded bytes are none of this coding."""


def _members(data: bytes, *, codec: str, magic: bytes) -> Iterator[bytes]:
    """Decode members until something stands behind them that is none."""
    new, errors, _ = find_codec(codec)
    at = 0
    while True:
        decoder, size = new(), _FIRST_BYTES
        while not decoder.eof and at < len(data):
            piece = data[at : at + size]
            at += len(piece)
            size = min(4 * size, _FEED_BYTES)
            try:
                yield from feed(decoder, piece, _CHUNK_BYTES)
            except errors as error:
                raise _CorruptError(error) from error
        if not decoder.eof:
            raise _CutError
        at -= len(decoder.unused_data)
        if not data.startswith(magic, at):
            return


def _deflate(data: bytes) -> Iterator[bytes]:
    """Decode what the standard calls deflate (with the header of zlib), or what servers call so (without)."""
    zlib_header = len(data) >= 2 and data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
    decoder = zlib.decompressobj(wbits=15 if zlib_header else -15)
    for at in range(0, len(data), _FEED_BYTES):
        piece = data[at : at + _FEED_BYTES]
        while not decoder.eof:
            try:
                chunk = decoder.decompress(piece, _CHUNK_BYTES)
            except zlib.error as error:
                raise _CorruptError(error) from error
            yield chunk
            piece = decoder.unconsumed_tail
            if not piece and len(chunk) < _CHUNK_BYTES:
                break
    if not decoder.eof:
        raise _CutError


def _brotli(data: bytes) -> Iterator[bytes]:
    import brotli

    decoder = brotli.Decompressor()
    while not decoder.is_finished():
        try:
            chunk = decoder.process(data, output_buffer_limit=_CHUNK_BYTES)
        except brotli.error as error:
            raise _CorruptError(error) from error
        yield chunk
        data = b""
        if decoder.can_accept_more_data() and not decoder.is_finished():
            raise _CutError


_gzip = partial(_members, codec="gzip", magic=b"\x1f\x8b")
_DECODERS: Final[Mapping[str, Callable[[bytes], Iterator[bytes]]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": partial(_members, codec="zstd", magic=b"\x28\xb5\x2f\xfd"),
}
