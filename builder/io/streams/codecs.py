"""Decompress streams in chunks of bounded size."""

from __future__ import annotations

import bz2
import lzma
import zlib
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from zstandard import ZstdDecompressor

ZSTD_LONG = 27
"""Base-2 logarithm of the bytes of the largest window that a zstd frame may require: that of ``--long``."""

MAX_ZSTD_LONG = 31
"""The largest value that the format and the library know; a decoder then needs 2 GiB."""

NEEDS_WINDOW = "too much memory"
"""What the error of the library says of a frame with a window over the limit."""

XZ_MAX_MEMORY = 256 << 20
"""Bytes of memory that an xz stream may require; the strongest preset of ``xz`` requires 65 MiB."""

_ZSTD_SLICE = 1 << 10
"""Compressed bytes given to zstd at a time. Four bytes can encode a block of 128 KiB, so one call returns at
most 32 MiB."""


class Decoder(Protocol):
    """A decoder of one member or frame."""

    @property
    def eof(self) -> bool:
        """Whether the end of the member is reached."""

    @property
    def unused_data(self) -> bytes:
        """The input bytes after the end of the member."""

    def decompress(self, data: bytes, size: int) -> Iterator[bytes]:
        """Decompress ``data``; yield pieces of at most about ``size`` bytes, some of them empty."""


class Codec(NamedTuple):
    """A compression format.

    Attributes:
        decoder: creates a decoder of one member.
        errors: the exceptions that a decoder raises on damaged bytes.
        padded: whether NUL bytes may pad the space between members.
    """

    decoder: Callable[[], Decoder]
    errors: tuple[type[Exception], ...]
    padded: bool


def feed(decoder: Decoder, data: bytes, size: int) -> Iterator[bytes]:
    """Give a decoder more input; yield its output in non-empty chunks of at most ``size`` bytes."""
    for piece in decoder.decompress(data, size):
        for at in range(0, len(piece), size):
            yield piece[at : at + size]


class _Zlib:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, size: int) -> Iterator[bytes]:
        while not self._stream.eof:
            piece = self._stream.decompress(data, size)
            data = self._stream.unconsumed_tail
            yield piece
            if not data and len(piece) < size:
                return


class _Limited:
    """Wraps decoders with the interface of ``bz2.BZ2Decompressor``: those of bz2, xz and lz4."""

    def __init__(self, stream: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._stream = stream

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data or b""

    def decompress(self, data: bytes, size: int) -> Iterator[bytes]:
        while not self._stream.eof:
            yield self._stream.decompress(data, max_length=size)
            data = b""
            if self._stream.needs_input:
                return


class _Zstd:
    def __init__(self, context: ZstdDecompressor) -> None:
        self._stream = context.decompressobj()
        self._unused = b""

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._unused

    def decompress(self, data: bytes, size: int) -> Iterator[bytes]:
        del size
        for at in range(0, len(data), _ZSTD_SLICE):
            yield self._stream.decompress(data[at : at + _ZSTD_SLICE])
            if self._stream.eof:
                self._unused = self._stream.unused_data + data[at + _ZSTD_SLICE :]
                return


def _xz() -> _Limited:
    return _Limited(lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=XZ_MAX_MEMORY))


def find_codec(name: str, *, dictionary: bytes = b"", zstd_long: int = ZSTD_LONG) -> Codec:
    """Return a codec: ``gzip``, ``bz2``, ``xz``, ``lz4`` or ``zstd``.

    The library of lz4 or zstd is imported on the first call.

    Args:
        dictionary: the dictionary of zstd frames; empty without one.
        zstd_long: as ``ZSTD_LONG``.
    """
    if name == "gzip":
        return Codec(_Zlib, (zlib.error,), padded=True)
    if name == "xz":
        return Codec(_xz, (lzma.LZMAError,), padded=True)
    if name == "bz2":
        return Codec(lambda: _Limited(bz2.BZ2Decompressor()), (OSError,), padded=False)
    if name == "lz4":
        from lz4.frame import LZ4FrameDecompressor

        return Codec(lambda: _Limited(LZ4FrameDecompressor()), (RuntimeError,), padded=False)
    from zstandard import ZstdError

    return Codec(partial(_Zstd, _zstd_context(dictionary, zstd_long)), (ZstdError,), padded=False)


def _zstd_context(dictionary: bytes, zstd_long: int) -> ZstdDecompressor:
    """Create the context of zstd decoders; an invalid dictionary is ignored."""
    from zstandard import DICT_TYPE_FULLDICT, ZstdCompressionDict, ZstdDecompressor, ZstdError

    if not dictionary:
        return ZstdDecompressor(max_window_size=1 << zstd_long)
    try:
        entries = ZstdCompressionDict(dictionary, dict_type=DICT_TYPE_FULLDICT)
        return ZstdDecompressor(dict_data=entries, max_window_size=1 << zstd_long)
    except ZstdError:
        return _zstd_context(b"", zstd_long)
