"""Bytes from anywhere, decompressed on the way, with what is wrong with them as a value."""

from __future__ import annotations

import io
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

from builder.errors import Fault, SourceError
from builder.io.streams.codecs import Decoder, feed, find_codec
from builder.io.streams.paths import is_local, local_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")

RETRY_DELAYS_S: tuple[float, ...] = (0.5, 2.0, 8.0)
"""Waits between tries of a read that an I/O error ended."""

_RAW_BYTES = 64 << 10
"""Compressed bytes that are read at a time."""

_LASTING = (FileNotFoundError, PermissionError, IsADirectoryError)
"""Errors that another try does not mend."""

_SUFFIXES = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".lz4": "lz4"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFault:
    """Why a compressed stream ends before its time.

    ``offset`` is the number of decompressed bytes that could be read before.
    """

    reason: str
    offset: int
    message: str


REASONS = {
    f"{codec}_{what}": f"The {codec} stream {sentence}; what stood before was read."
    for codec in _SUFFIXES.values()
    for what, sentence in (("truncated", "ends in the middle"), ("corrupt", "is damaged"))
}
"""What a ``StreamFault`` may be called, in words."""


def compression_of(name: str) -> str | None:
    """Tell from a file's name how it is compressed; None if it is not.

    >>> compression_of("feed/2017.jsonl.GZ"), compression_of("feed.jsonl")
    ('gzip', None)
    """
    return _SUFFIXES.get(Path(name).suffix.lower())


def open_input(address: str) -> BinaryIO:
    """Open a file of this machine or of any fsspec address, to be read and sought in.

    Raises:
        SourceError: here or at any read, if it is out of reach after several tries.
    """
    return cast("BinaryIO", io.BufferedReader(_Steady(address), buffer_size=1 << 20))


def read_chunks(
    address: str, *, codec: str | None, start: int = 0, stop: int | None = None, chunk_bytes: int = 1 << 20
) -> Iterator[bytes | StreamFault]:
    """Read a file in chunks of decompressed bytes.

    Streams of several members (gzip, bz2) or frames (zstd, lz4) are one stream. A damaged stream gives all
    bytes that can be decompressed before the damage, then one ``StreamFault``, and ends. However much
    a stream swells, no more than ``chunk_bytes`` and what the format needs is held. Chunks are never
    empty; those of a damaged stream may be small.

    Args:
        codec: what ``compression_of`` gives.
        start: first byte of the file as it lies; in a compressed one, where a member begins.
        stop: end of what is read, in bytes of the file as it lies.

    Raises:
        SourceError: if the file is out of reach after several tries.
    """
    if codec is None:
        yield from _read_raw(address, start, stop, chunk_bytes)
        return
    n_out = 0
    try:
        for chunk in _decompress(address, codec, start, stop, chunk_bytes):
            n_out += len(chunk)
            yield chunk
    except _Damage as damage:
        yield StreamFault(reason=f"{codec}_{damage.what}", offset=n_out, message=damage.message)


class _Damage(Exception):  # noqa: N818 - it never leaves this file
    """How a stream is damaged (``truncated`` or ``corrupt``), in words."""

    def __init__(self, what: str, message: str) -> None:
        self.what, self.message = what, message


def _read_raw(address: str, start: int, stop: int | None, size: int) -> Iterator[bytes]:
    with open_input(address) as file:
        if start:
            file.seek(start)
        left = -1 if stop is None else stop - start
        while left and (data := file.read(size if left < 0 else min(size, left))):
            left -= len(data) if left > 0 else 0
            yield data


def _decompress(address: str, codec: str, start: int, stop: int | None, size: int) -> Iterator[bytes]:
    """Read members one after the other; ``at`` is where in the file the next byte to feed stands."""
    new, errors, padded = find_codec(codec)
    decoder: Decoder | None = None
    at = member = start
    for block in _read_raw(address, start, stop, _RAW_BYTES):
        end, data = at + len(block), block
        while data:
            if decoder is None:
                data = data.lstrip(b"\x00") if padded and at > start else data
                at = member = end - len(data)
                if not data:
                    break
                decoder = new()
            n_member = 0
            try:
                for chunk in feed(decoder, data, size):
                    n_member += len(chunk)
                    yield chunk
            except errors as error:
                yield from _salvage(address, codec, (member, at, at + len(data)), n_member, size)
                message = f"in the member at byte {member} of the compressed file: {error}"
                raise _Damage("corrupt", message) from error
            data = decoder.unused_data if decoder.eof else b""
            at = end - len(data)
            decoder = None if decoder.eof else decoder
    if decoder is not None:
        raise _Damage("truncated", f"the file ends at byte {at} in the member that began at byte {member}")


def _salvage(
    address: str, codec: str, place: tuple[int, int, int], n_known: int, size: int
) -> Iterator[bytes]:
    """Give what a decoder had ready when it failed.

    Decoders throw away the output of the call in which they meet an error. So the member is decompressed
    again, its last block byte by byte: twice the time, and only for damaged files.

    Args:
        place: where the member begins, where the block that failed begins, and where it ends.
        n_known: decompressed bytes of that block that were given before the error.
    """
    member, block, end = place
    new, errors, _ = find_codec(codec)
    decoder = new()
    for data in _read_raw(address, member, block, _RAW_BYTES) if block > member else ():
        for _ in feed(decoder, data, size):
            pass
    last = b"".join(_read_raw(address, block, end, _RAW_BYTES))
    try:
        for at in range(len(last)):
            for chunk in feed(decoder, last[at : at + 1], size):
                skipped = min(n_known, len(chunk))
                n_known -= skipped
                if skipped < len(chunk):
                    yield chunk[skipped:]
    except errors:
        return


class _Steady(io.RawIOBase):
    """A file that is opened again, where it was left, when an I/O error ends a read."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._errors: type[Exception] = OSError if is_local(address) else Exception
        self._at = 0
        self._file: Any = None
        self._do(lambda _: None)

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes; a remote that cannot be sought in fails when it is."""
        return True

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to another place."""
        if whence == io.SEEK_CUR:
            offset, whence = self._at + offset, io.SEEK_SET
        self._at = self._do(lambda file: file.seek(offset, whence))
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read at most as much as the buffer holds; 0 at the end."""
        n_bytes = self._do(lambda file: _read_into(file, buffer))
        self._at += n_bytes
        return n_bytes

    def close(self) -> None:
        """Close what is open."""
        self._drop()
        super().close()

    def _do(self, action: Callable[[Any], _T]) -> _T:
        tries_left = len(RETRY_DELAYS_S)
        while True:
            try:
                if self._file is None:
                    self._file = _open(self._address, at=self._at)
                return action(self._file)
            except self._errors as error:
                self._drop()
                if not tries_left or isinstance(error, _LASTING):
                    raise _out_of_reach(self._address, error) from error
            time.sleep(RETRY_DELAYS_S[-tries_left])
            tries_left -= 1

    def _drop(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(self._errors):
                file.close()


def _open(address: str, *, at: int) -> Any:
    if is_local(address):
        file: Any = Path(local_path(address)).open("rb", buffering=0)  # noqa: SIM115 - the caller closes it
    else:
        from fsspec.core import url_to_fs

        fs, path = url_to_fs(address)
        file = fs.open(path, "rb")
    if at:
        file.seek(at)
    return file


def _read_into(file: Any, buffer: Any) -> int:
    if isinstance(file, io.FileIO):
        return file.readinto(buffer) or 0
    data = file.read(len(buffer))  # not every file of fsspec's can do more
    buffer[: len(data)] = data
    return len(data)


def _out_of_reach(address: str, error: Exception) -> SourceError:
    gone = isinstance(error, FileNotFoundError)
    what = "is not there any more" if gone else f"cannot be read: {error!r}"
    advice = "put it back, or mend disk or network, and build again: finished parts are kept"
    return SourceError(Fault(where=address, what=what, advice=advice))
