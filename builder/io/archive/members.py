"""Compressed archives as what they are: a row of members (gzip, bz2) or frames (zstd, lz4).

A damaged member costs itself. The reader says which bytes of the file it lost, and goes on at the next member
that opens to the beginning of a record.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from builder.io.streams.codecs import feed as pour
from builder.io.streams.codecs import find_codec
from builder.io.streams.streams import compression_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from builder.protocols import Guard

MAGICS: Final = {
    "gzip": (b"\x1f\x8b\x08",),
    "bz2": (b"BZh",),
    "lz4": (b"\x04\x22\x4d\x18",),
    "zstd": (b"\x28\xb5\x2f\xfd", *(bytes([n]) + b"\x2a\x4d\x18" for n in range(0x50, 0x60))),
}
"""What a member begins with. The sixteen of zstd that can be skipped belong to lz4 as well."""

READ_BYTES: Final = 256 << 10
FEED_BYTES: Final = 16 << 10
"""What a decoder gets at a time: small, because what stands behind a member's end is copied."""

CHUNK_BYTES: Final = 1 << 20
"""Decompressed bytes that are held at a time, however much a member swells."""

KEPT_BYTES: Final = 8 << 20
"""Compressed bytes of a member that are kept, to find its neighbour in if it is damaged and ran on over it.

Twice the largest block of lz4, which is what a damaged frame may wait for."""

MAX_DICTIONARY_BYTES: Final = 16 << 20
"""The dictionary of an archive; writers make them of 1 MiB at most."""

_DICTIONARY_FRAME = b"\x5d\x2a\x4d\x18"
_FRAME_HEAD_BYTES = 8
_PLAIN = re.compile(rb"[\r\n]*(?:WARC/|[A-Za-z]{2,10}:)")
_TRIAL_BYTES: Final = 4 << 10
_TRIAL_STEP: Final = 16
_OPENING_BYTES: Final = 512
_LONGEST_MAGIC: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Bytes of the file as it lies, ``offset`` to ``offset + length``, that gave nothing or not all.

    ``reason`` is ``<codec>_truncated``, ``<codec>_corrupt``, or what the guard said.
    """

    reason: str
    offset: int
    length: int
    message: str


class Piece(NamedTuple):
    """Decompressed bytes; what is known of the place where they begin, and of that where they end.

    ``member`` is the byte of the file at which the member begins whose first bytes these are. Behind
    ``damage`` nothing joins on to what was before.
    """

    data: bytes
    member: int | None = None
    damage: Damage | None = None


def sniff_codec(opening: bytes, *, name: str) -> str | None:
    r"""Tell how a file is compressed: by its first bytes, and if they say nothing by its name.

    The name counts because a file whose first byte is damaged has good members all the same.

    >>> sniff_codec(b"WARC/1.0", name="a.warc.gz"), sniff_codec(b"\x00\x8b", name="a.warc.gz")
    (None, 'gzip')
    """
    named = compression_of(name)
    if named is not None and opening.startswith(MAGICS[named]):
        return named
    for codec, magics in MAGICS.items():
        if opening.startswith(magics):
            return codec
    return None if not opening or _PLAIN.match(opening) else named


class Members:
    """Reads a compressed file member by member, in bounded memory.

    ``opens`` says whether decompressed bytes are the beginning of a record. Each step of a decoder is
    announced to the guard as unit ``-2 - offset`` of the compressed bytes that it is given.
    """

    def __init__(self, stream: BinaryIO, *, codec: str, opens: Callable[[bytes], bool], guard: Guard) -> None:
        self._stream, self._name, self._opens, self._guard = stream, codec, opens, guard
        self._codec = find_codec(codec)
        self._magic = re.compile(b"|".join(map(re.escape, MAGICS[codec])))
        self._buffer = bytearray()
        self._at = 0  # where in the file the buffer begins
        self._ended = False

    def __iter__(self) -> Iterator[Piece]:
        if self._name == "zstd" and (dictionary := self._dictionary()):
            self._codec = find_codec("zstd", dictionary=dictionary)
        while self._buffer or self._more():
            if self._codec.padded and self._at and self._buffer[0] == 0:
                self._drop(len(self._buffer) - len(self._buffer.lstrip(b"\0")))
            else:
                yield from self._member()

    def _dictionary(self) -> bytes:
        """Take the dictionary that archives of zstd have in a first frame, which is to be skipped.

        It may be compressed itself. What is no dictionary gives nothing: frames that need one are damaged.
        """
        while len(self._buffer) < _FRAME_HEAD_BYTES and self._more():
            pass
        size = int.from_bytes(self._buffer[4:_FRAME_HEAD_BYTES], "little")
        if not self._buffer.startswith(_DICTIONARY_FRAME) or size > MAX_DICTIONARY_BYTES:
            return b""
        while len(self._buffer) < _FRAME_HEAD_BYTES + size and self._more():
            pass
        content = bytes(self._buffer[_FRAME_HEAD_BYTES : _FRAME_HEAD_BYTES + size])
        if not content.startswith(MAGICS["zstd"][0]) or self._guard.enter("warc", -2) is not None:
            return content
        try:
            return b"".join(
                islice(pour(self._codec.decoder(), content, CHUNK_BYTES), MAX_DICTIONARY_BYTES >> 20)
            )
        except self._codec.errors:
            return b""
        finally:
            self._guard.leave()

    def _more(self) -> bool:
        data = b"" if self._ended else self._stream.read(READ_BYTES)
        self._ended = not data
        self._buffer += data
        return bool(data)

    def _drop(self, n: int) -> None:
        del self._buffer[:n]
        self._at += n

    def _member(self) -> Iterator[Piece]:
        """Read the member at the head of the buffer, and drop it."""
        start, fed = self._at, self._at
        decoder = self._codec.decoder()
        opening: int | None = start
        while not decoder.eof:
            if fed - self._at == len(self._buffer) and not self._more():
                yield self._cut_off(start, opening)
                return
            data = bytes(self._buffer[fed - self._at : fed - self._at + FEED_BYTES])
            n_given = 0
            chunks = pour(decoder, data, CHUNK_BYTES)
            try:
                while (chunk := self._guarded(chunks, unit=-2 - fed)) is not None:
                    yield Piece(chunk, member=opening)
                    n_given += len(chunk)
                    opening = None
            except _Refused as refused:
                self._to_next_member(start)
                yield self._lost(start, opening, refused.reason, "decoding it ended or hung a worker")
                return
            except self._codec.errors as error:
                rest = self._salvage(start, fed, len(data), skip=n_given)
                self._to_next_member(start)
                why = f"near byte {fed}: {error}"
                yield self._lost(start, opening, f"{self._name}_corrupt", why, rest)
                return
            fed += len(data)
            self._drop(max(0, fed - KEPT_BYTES - self._at))
        self._drop(fed - self._at - len(decoder.unused_data))

    def _guarded(self, chunks: Iterator[bytes], *, unit: int) -> bytes | None:
        if (reason := self._guard.enter("warc", unit)) is not None:
            raise _Refused(reason)
        try:
            return next(chunks, None)
        finally:
            self._guard.leave()

    def _cut_off(self, start: int, opening: int | None) -> Piece:
        """Say that the file ends inside a member; or that a damaged one ran on over its neighbours."""
        end = self._at + len(self._buffer)
        self._to_next_member(start)
        if self._buffer:
            return self._lost(
                start, opening, f"{self._name}_corrupt", "it does not end where the next begins"
            )
        message = f"the file ends at byte {end}, inside the {self._name} member that begins at byte {start}"
        damage = Damage(reason=f"{self._name}_truncated", offset=start, length=end - start, message=message)
        return Piece(b"", member=opening, damage=damage)

    def _lost(self, start: int, opening: int | None, reason: str, why: str, rest: bytes = b"") -> Piece:
        message = (
            f"bytes {start} to {self._at} of the compressed file are lost: the {self._name} member there is"
            f" damaged ({why})"
        )
        damage = Damage(reason=reason, offset=start, length=self._at - start, message=message)
        return Piece(rest, member=opening, damage=damage)

    def _salvage(self, start: int, at: int, n_bytes: int, *, skip: int) -> bytes:
        """Give what a decoder had ready when it failed, at most a chunk of it.

        Decoders throw away the output of the call in which they meet an error. So the member is
        decompressed again, the part that failed byte by byte; not if it is so large that its beginning is
        no longer held.

        Args:
            skip: decompressed bytes of that part that were given before the error.
        """
        if start < self._at:
            return b""
        if self._guard.enter("warc", -2 - at) is not None:
            return b""
        try:
            return self._decode_again(at - self._at, n_bytes, enough=skip + CHUNK_BYTES)[skip:]
        finally:
            self._guard.leave()

    def _decode_again(self, head: int, n_bytes: int, *, enough: int) -> bytes:
        decoder = self._codec.decoder()
        for _ in pour(decoder, bytes(self._buffer[:head]), CHUNK_BYTES):
            pass
        out = bytearray()
        try:
            for n in range(head, head + n_bytes):
                for chunk in pour(decoder, bytes(self._buffer[n : n + 1]), CHUNK_BYTES):
                    out += chunk
                if len(out) > enough:
                    break
        except self._codec.errors:
            pass
        return bytes(out)

    def _to_next_member(self, start: int) -> None:
        """Drop what is not the beginning of a member that opens to a record."""
        self._drop(max(0, start + 1 - self._at))
        while self._buffer or self._more():
            while len(self._buffer) < _TRIAL_BYTES and self._more():
                pass
            found = self._magic.search(self._buffer)
            if found is None:
                self._drop(len(self._buffer) if self._ended else len(self._buffer) - _LONGEST_MAGIC + 1)
                continue
            self._drop(found.start())
            while len(self._buffer) < _TRIAL_BYTES and self._more():
                pass
            if self._opens_to_record():
                return
            self._drop(1)

    def _opens_to_record(self) -> bool:
        """Try the member at the head of the buffer, in small steps: it may be damaged further on.

        All but gzip give nothing before a block is whole, which can be long. There a beginning in which
        nothing is wrong is enough: four bytes do not look like one by chance.
        """
        if self._guard.enter("warc", -2 - self._at) is not None:
            return False
        decoder = self._codec.decoder()
        opening, waits = b"", True
        try:
            for at in range(0, _TRIAL_BYTES, _TRIAL_STEP):
                opening += b"".join(pour(decoder, bytes(self._buffer[at : at + _TRIAL_STEP]), CHUNK_BYTES))
                if decoder.eof or len(opening) >= _OPENING_BYTES:
                    break
            waits = not opening and not decoder.eof and self._name != "gzip"
        except self._codec.errors:
            waits = False
        finally:
            self._guard.leave()
        return waits or self._opens(opening)


class _Refused(Exception):  # noqa: N818 - it never leaves this file
    """The guard knows these bytes."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
