"""Decode HTTP content codings (gzip, deflate, br and zstd) with a limit on the size of the output."""

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
"""The largest number of codings applied to one body; real pages have one."""

_FIRST_BYTES: Final = 1 << 10
_FEED_BYTES: Final = 256 << 10
_CHUNK_BYTES: Final = 1 << 20
_OPENING_BYTES: Final = 512
_UNSUPPORTED: Final = frozenset(
    ("compress", "x-compress", "sdch", "dcb", "dcz", "exi", "bzip2", "bz2", "lzma", "xz", "pack200-gzip")
)
"""Codings that exist but have no decoder here. Other unknown names (``utf-8``, ``none``) are ignored, because
servers write them for bodies that are not coded."""

_CONTROLS = bytes(n for n in range(32) if n not in b"\t\n\r\f\x1b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A decoded body.

    ``state`` is ``cut`` if the coded bytes end too early; then ``data`` is the part that could be decoded. In
    the states ``corrupt``, ``too_big`` and ``unknown``, ``data`` is empty and ``message`` gives the cause.
    ``notes`` name the faults that were tolerated, so that they can be counted.
    """

    data: bytes
    state: ContentState = "whole"
    message: str = ""
    notes: tuple[str, ...] = ()


def undo_codings(data: bytes, codings: Sequence[str], *, max_bytes: int) -> Content:
    """Decode a body.

    A body that is not coded although the header names a coding is kept unchanged: crawlers decode bodies and
    keep the headers.

    Args:
        codings: names in the order of decoding, which is the reverse of the header's order.
        max_bytes: limit on the decoded size.
    """
    notes: list[str] = []
    state: ContentState = "whole"
    known = [coding for coding in codings if coding in _DECODERS]
    if len(known) > MAX_CODINGS:
        return Content(
            data=b"", state="unknown", message=f"{len(known)} codings; at most {MAX_CODINGS} are decoded"
        )
    for coding in codings:
        if coding in _UNSUPPORTED:
            return Content(data=b"", state="unknown", message=f"no decoder for {coding!r}")
        if coding not in _DECODERS:
            notes.append("unknown_content_coding")
            continue
        decoded = _decode_one(data, coding, max_bytes)
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


def _decode_one(data: bytes, coding: str, max_bytes: int) -> Content:
    out = bytearray()
    try:
        for chunk in _DECODERS[coding](data):
            out += chunk
            if len(out) > max_bytes:
                message = f"{coding}: the decoded body is larger than {max_bytes} bytes"
                return Content(data=b"", state="too_big", message=message)
    except _CutError:
        if data and not out:
            return Content(data=b"", state="corrupt", message=f"{coding}: no byte can be decoded")
        return Content(data=bytes(out), state="cut")
    except _CorruptError as error:
        return Content(data=b"", state="corrupt", message=f"{coding}: {error}")
    return Content(data=bytes(out))


def _is_plain(data: bytes, coding: str) -> bool:
    """Return whether a body that cannot be decoded was never coded."""
    if coding in ("gzip", "x-gzip"):
        return not data.startswith(b"\x1f\x8b")
    opening = data[:_OPENING_BYTES]
    return opening.translate(None, _CONTROLS) == opening


class _CutError(Exception):
    """The coded bytes end too early."""


class _CorruptError(Exception):
    """The bytes are not valid in this coding."""


def _members(data: bytes, *, codec: str, magic: bytes) -> Iterator[bytes]:
    """Decode members until the bytes after one do not begin a member."""
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
    """Decode deflate with the zlib header, as the standard asks, or without it, as some servers send it."""
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
