"""Read a compressed archive as a sequence of members (gzip, bz2) or frames (zstd, lz4).

A damaged member loses only its own content. The reader reports which bytes of the file are lost, and
continues at the next member that begins with a record.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from builder.io.streams.codecs import NEEDS_WINDOW, ZSTD_LONG, feed, find_codec
from builder.io.streams.limits import swelling_message, swells
from builder.io.streams.streams import DamagedMemberError, compression_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from builder.protocols import Guard

MAGICS: Final = {
    "gzip": (b"\x1f\x8b\x08",),
    "bz2": (b"BZh",),
    "xz": (b"\xfd7zXZ\x00",),
    "lz4": (b"\x04\x22\x4d\x18",),
    "zstd": (b"\x28\xb5\x2f\xfd", *(bytes([n]) + b"\x2a\x4d\x18" for n in range(0x50, 0x60))),
}
"""The first bytes of a member. The sixteen magic numbers of skippable zstd frames are valid in lz4 too."""

READ_BYTES: Final = 256 << 10
FEED_BYTES: Final = 16 << 10
"""Bytes given to a decoder at a time: few, because it copies the bytes after the end of a member."""

CHUNK_BYTES: Final = 1 << 20
"""Decompressed bytes held at a time, whatever the compression ratio of a member."""

KEPT_BYTES: Final = 8 << 20
"""Compressed bytes of a member that are kept. A damaged member may be read past its end; the next member is
then searched for in these bytes.

The value is twice the largest block of lz4, because a damaged frame may wait for a whole block."""

MAX_DICTIONARY_BYTES: Final = 16 << 20
"""The limit on the dictionary of an archive; writers make dictionaries of 1 MiB at most."""

_DICTIONARY_FRAME = b"\x5d\x2a\x4d\x18"
_FRAME_HEAD_BYTES = 8
_PLAIN = re.compile(rb"[\r\n]*(?:[Ww][Aa][Rr][Cc]/|[A-Za-z]{2,10}:)")
_TRIAL_BYTES: Final = 4 << 10
_TRIAL_STEP: Final = 16
_OPENING_BYTES: Final = 512
_LONGEST_MAGIC: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A range of the compressed file, ``offset`` to ``offset + length``, that cannot be decoded completely.

    ``reason`` is ``<codec>_truncated``, ``<codec>_corrupt``, or the reason that the guard gave.
    """

    reason: str
    offset: int
    length: int
    message: str


class Piece(NamedTuple):
    """A piece of decompressed data.

    Attributes:
        member: offset, in the file, of the member whose first bytes these are; None inside a member.
        damage: the damage after these bytes; the next piece does not continue them.
    """

    data: bytes
    member: int | None = None
    damage: Damage | None = None


def sniff_codec(opening: bytes, *, name: str) -> str | None:
    r"""Return the codec of a file: by its first bytes, else by its name; None if it is not compressed.

    The name is used because a file whose first byte is damaged may still have valid members.

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

    ``opens`` returns whether decompressed bytes are the start of a record. Before each step of a decoder, the
    guard gets the unit ``-2 - offset``, where ``offset`` is that of the compressed bytes it is given.
    """

    def __init__(self, stream: BinaryIO, *, codec: str, opens: Callable[[bytes], bool], guard: Guard) -> None:
        self._stream, self._name, self._opens, self._guard = stream, codec, opens, guard
        self._codec = find_codec(codec)
        self._magic = re.compile(b"|".join(map(re.escape, MAGICS[codec])))
        self._buffer = bytearray()
        self._at = 0  # offset of the buffer in the file
        self._ended = False
        self._n_out = 0

    def __iter__(self) -> Iterator[Piece]:
        if self._name == "zstd" and (dictionary := self._dictionary()):
            self._codec = find_codec("zstd", dictionary=dictionary)
        while self._buffer or self._read_more():
            if self._codec.padded and self._at and self._buffer[0] == 0:
                self._drop(len(self._buffer) - len(self._buffer.lstrip(b"\0")))
            else:
                yield from self._member()

    def _dictionary(self) -> bytes:
        """Read the dictionary that a zstd archive may have in its first frame, a skippable one.

        The dictionary may itself be compressed. If it cannot be read, the result is empty, and the frames
        that need it fail as damaged.
        """
        while len(self._buffer) < _FRAME_HEAD_BYTES and self._read_more():
            pass
        size = int.from_bytes(self._buffer[4:_FRAME_HEAD_BYTES], "little")
        if not self._buffer.startswith(_DICTIONARY_FRAME) or size > MAX_DICTIONARY_BYTES:
            return b""
        while len(self._buffer) < _FRAME_HEAD_BYTES + size and self._read_more():
            pass
        content = bytes(self._buffer[_FRAME_HEAD_BYTES : _FRAME_HEAD_BYTES + size])
        if not content.startswith(MAGICS["zstd"][0]) or self._guard.enter("warc", -2) is not None:
            return content
        try:
            return b"".join(
                islice(feed(self._codec.decoder(), content, CHUNK_BYTES), MAX_DICTIONARY_BYTES >> 20)
            )
        except self._codec.errors:
            return b""
        finally:
            self._guard.leave()

    def _read_more(self) -> bool:
        try:
            data = b"" if self._ended else self._stream.read(READ_BYTES)
        except DamagedMemberError:  # the compressed member ends too early, and is reported as truncated
            data = b""
        self._ended = not data
        self._buffer += data
        return bool(data)

    def _drop(self, n: int) -> None:
        del self._buffer[:n]
        self._at += n

    def _member(self) -> Iterator[Piece]:
        """Decode the member at the start of the buffer, and drop it."""
        start, fed = self._at, self._at
        decoder = self._codec.decoder()
        opening: int | None = start
        n_member = 0
        while not decoder.eof:
            if fed - self._at == len(self._buffer) and not self._read_more():
                yield self._truncated(start, opening)
                return
            data = bytes(self._buffer[fed - self._at : fed - self._at + FEED_BYTES])
            n_given = 0
            chunks = feed(decoder, data, CHUNK_BYTES)
            try:
                while (chunk := self._guarded(chunks, unit=-2 - fed)) is not None:
                    self._n_out += len(chunk)
                    n_member += len(chunk)
                    if n_member > CHUNK_BYTES and swells(self._n_out, fed + len(data)):
                        self._to_next_member(start)
                        yield self._lost(start, opening, "swelling", swelling_message(fed + len(data)))
                        return
                    yield Piece(chunk, member=opening)
                    n_given += len(chunk)
                    opening = None
            except _Refused as refused:
                self._to_next_member(start)
                yield self._lost(
                    start, opening, refused.reason, "decoding it crashed or hung a worker process"
                )
                return
            except self._codec.errors as error:
                rest = self._recover(start, fed, len(data), skip=n_given)
                self._to_next_member(start)
                if self._name == "zstd" and NEEDS_WINDOW in str(error):
                    why = f"it needs a window over {1 << ZSTD_LONG} bytes: compress the file without --long"
                    yield self._lost(start, opening, "zstd_window", why, rest)
                    return
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

    def _truncated(self, start: int, opening: int | None) -> Piece:
        """Report that the file ends inside a member, or that a damaged member was read past its end."""
        end = self._at + len(self._buffer)
        self._to_next_member(start)
        if self._buffer:
            return self._lost(
                start, opening, f"{self._name}_corrupt", "it does not end where the next member begins"
            )
        message = f"the file ends at byte {end}, inside the {self._name} member that begins at byte {start}"
        damage = Damage(reason=f"{self._name}_truncated", offset=start, length=end - start, message=message)
        return Piece(b"", member=opening, damage=damage)

    def _lost(self, start: int, opening: int | None, reason: str, why: str, rest: bytes = b"") -> Piece:
        message = (
            f"bytes {start} to {self._at} of the compressed file cannot be decoded:"
            f" the {self._name} member is damaged ({why})"
        )
        damage = Damage(reason=reason, offset=start, length=self._at - start, message=message)
        return Piece(rest, member=opening, damage=damage)

    def _recover(self, start: int, at: int, n_bytes: int, *, skip: int) -> bytes:
        """Return the output that the decoder discarded when it failed, at most one chunk.

        A decoder discards the output of the call in which it meets an error. So the member is decompressed
        again, and the part that failed is decompressed byte by byte. A member whose beginning is no longer in
        the buffer gives nothing.

        Args:
            skip: decompressed bytes of that part that were returned before the error.
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
        for _ in feed(decoder, bytes(self._buffer[:head]), CHUNK_BYTES):
            pass
        out = bytearray()
        try:
            for n in range(head, head + n_bytes):
                for chunk in feed(decoder, bytes(self._buffer[n : n + 1]), CHUNK_BYTES):
                    out += chunk
                if len(out) > enough:
                    break
        except self._codec.errors:
            pass
        return bytes(out)

    def _to_next_member(self, start: int) -> None:
        """Drop bytes until the buffer starts with a member that begins with a record."""
        self._drop(max(0, start + 1 - self._at))
        while self._buffer or self._read_more():
            while len(self._buffer) < _TRIAL_BYTES and self._read_more():
                pass
            found = self._magic.search(self._buffer)
            if found is None:
                self._drop(len(self._buffer) if self._ended else len(self._buffer) - _LONGEST_MAGIC + 1)
                continue
            self._drop(found.start())
            while len(self._buffer) < _TRIAL_BYTES and self._read_more():
                pass
            if self._opens_to_record():
                return
            self._drop(1)

    def _opens_to_record(self) -> bool:
        """Return whether the member at the start of the buffer begins with a record.

        It is decoded in small steps, because it may be damaged later. Codecs other than gzip give no output
        before a block is complete, which may take many bytes. For these, a beginning without an error is
        sufficient: four arbitrary bytes are unlikely to be a magic number.
        """
        if self._guard.enter("warc", -2 - self._at) is not None:
            return False
        decoder = self._codec.decoder()
        opening, waits = b"", True
        try:
            for at in range(0, _TRIAL_BYTES, _TRIAL_STEP):
                opening += b"".join(feed(decoder, bytes(self._buffer[at : at + _TRIAL_STEP]), CHUNK_BYTES))
                if decoder.eof or len(opening) >= _OPENING_BYTES:
                    break
            waits = not opening and not decoder.eof and self._name != "gzip"
        except self._codec.errors:
            waits = False
        finally:
            self._guard.leave()
        return waits or self._opens(opening)


class _Refused(Exception):  # noqa: N818 - it is caught in this file
    """The guard refuses these bytes: they stopped a worker before."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
