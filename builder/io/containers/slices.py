"""Files inside of files: a part of a file, a decompressed file, and a member of a zip archive."""

from __future__ import annotations

import errno
import io
import lzma
import zipfile
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from builder.io.streams.streams import DamagedMemberError, StreamFault, read_chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError)


class Slice(io.RawIOBase):
    """A part of a seekable file; closing it leaves the file open."""

    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        self._file, self._offset, self._size = file, offset, size
        self._at = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the offset of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to another offset."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, "the offset is before the start")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read up to the size of the buffer; return the bytes read, 0 at the end.

        Raises:
            DamagedMemberError: if the file ends before the part does.
        """
        n_bytes = min(len(buffer), self._size - self._at)
        if n_bytes <= 0:
            return 0
        self._file.seek(self._offset + self._at)
        data = self._file.read(n_bytes)
        if not data:
            raise DamagedMemberError(f"the archive ends {self._size - self._at} bytes before the member does")
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class Inflated(io.RawIOBase):
    """The decompressed content of a file; seeking back decompresses it again from the start."""

    def __init__(self, address: str, *, codec: str) -> None:
        self._address, self._codec = address, codec
        self._restart()

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True; the end is not known before it is reached."""
        return True

    def tell(self) -> int:
        """Return the offset of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to another offset; at most to the end."""
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("the end of a compressed file is not known")
        target = self._at + offset if whence == io.SEEK_CUR else offset
        if target < self._at:
            self._restart()
        while self._at < target and self._fill():
            step = min(len(self._chunk) - self._used, target - self._at)
            self._used += step
            self._at += step
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read up to the size of the buffer; return the bytes read, 0 at the end.

        Raises:
            DamagedMemberError: if the file is damaged.
        """
        if not self._fill():
            return 0
        data = self._chunk[self._used : self._used + len(buffer)]
        buffer[: len(data)] = data
        self._used += len(data)
        self._at += len(data)
        return len(data)

    def _restart(self) -> None:
        self._chunks: Iterator[bytes | StreamFault] = read_chunks(self._address, codec=self._codec)
        self._chunk, self._used, self._at = b"", 0, 0

    def _fill(self) -> bool:
        """Make sure that a byte is at hand; return False at the end."""
        while self._used == len(self._chunk):
            chunk = next(self._chunks, None)
            if chunk is None:
                return False
            if isinstance(chunk, StreamFault):
                raise DamagedMemberError(f"{chunk.reason}: {chunk.message}")
            self._chunk, self._used = chunk, 0
        return True


class _ZipMember(io.RawIOBase):
    """A member of a zip archive, whose errors are all ``DamagedMemberError``."""

    def __init__(self, opener: Callable[[], Any]) -> None:
        self._file = self._try(opener)

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True; seeking back decompresses the member again."""
        return True

    def tell(self) -> int:
        """Return the offset of the next byte."""
        return int(self._file.tell())

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to another offset."""
        return int(self._try(lambda: self._file.seek(offset, whence)))

    def readinto(self, buffer: Any) -> int:
        """Read up to the size of the buffer; return the bytes read, 0 at the end."""
        data = self._try(lambda: self._file.read(len(buffer)))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the member."""
        if not self.closed:
            self._file.close()
        super().close()

    def _try(self, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except _ZIP_ERRORS as error:
            raise DamagedMemberError(str(error) or type(error).__name__) from error


def opened_member(opener: Callable[[], Any]) -> BinaryIO:
    """Open a member of a zip archive.

    Raises:
        DamagedMemberError: here or at any read, if it is damaged.
    """
    return cast("BinaryIO", io.BufferedReader(_ZipMember(opener), buffer_size=1 << 16))
