"""List the members of a zip or tar archive, and open them where they are.

Names come from strangers: a member whose name is absolute, leaves the archive or has control characters is
refused. Nothing is written to disk, so such a name can do no harm; it is refused because no honest program
writes it. Links and devices are passed over.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, cast

from builder.io.containers.slices import Slice, opened_member
from builder.io.streams.streams import DamagedMemberError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    Examine: TypeAlias = "Callable[[str, Callable[[], bytes]], Examined]"

REASONS: Final = {
    "archive_corrupt": "The zip or tar archive cannot be read from this place on.",
    "archive_overlap": "Two members of the zip archive share bytes: it is a bomb, and is not read.",
    "member_name": "The name of the member is absolute, leaves the archive, or has control characters.",
    "member_encrypted": "The member is encrypted.",
    "member_corrupt": "The member is damaged, or its compression is not supported.",
    "member_nested": "The member is an archive itself; archives inside of archives are not read.",
    "too_many_members": "The archive has over 1,000,000 members; the rest is not read.",
    "no_member": "No member of the archive has a name that the source reads.",
}
"""Reasons with the text for ``docs/reasons.md``."""

MAX_MEMBERS: Final = 1_000_000
MAX_MEMBER_NAME_CHARS: Final = 4_096

_EXAMINED_BYTES: Final = 4 << 10
_LOCAL_HEADER_BYTES: Final = 30
_ENCRYPTED: Final = 0x1
_ZIP_UNIX: Final = 3
_KINDS: Final = {0o120000: "links", 0o060000: "devices", 0o020000: "devices", 0o010000: "devices"}
_ERRORS = (zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError, ValueError, OSError, KeyError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of an archive: a file, or a reason why it is refused.

    Attributes:
        name: its name; control characters and a second use of a name are made visible.
        stored_name: its name as it is in the archive, which decides whether it is read.
        size_bytes: declared bytes.
        opener: opens it for reading and seeking; None if it is refused.
        is_page: whether its first bytes are a page, whatever its name.
    """

    name: str
    stored_name: str
    size_bytes: int = 0
    reason: str | None = None
    message: str = ""
    opener: Callable[[], BinaryIO] | None = None
    is_page: bool = False


class BrokenArchiveError(Exception):
    """An archive cannot be read: the reason code, and a message."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


class Examined(NamedTuple):
    """What the first bytes of a member show: a page, or an archive."""

    is_page: bool = False
    is_archive: bool = False


class MemberListing:
    """The members of an archive in their order, and the number of those passed over, by kind.

    Args:
        examine: takes the name of a member and a function that returns its first bytes.
    """

    def __init__(self, examine: Examine) -> None:
        self._examine = examine
        self.members: list[Member] = []
        self.passed_over: Counter[str] = Counter()
        self.broken: BrokenArchiveError | None = None
        self._names: Counter[str] = Counter()

    def add(
        self,
        name: str,
        *,
        size_bytes: int,
        opener: Callable[[], BinaryIO],
        opening: Callable[[], bytes],
        encrypted: bool,
    ) -> None:
        """Add a file, or its refusal."""
        if len(self.members) >= MAX_MEMBERS:
            message = f"the archive has over {MAX_MEMBERS} members"
            raise BrokenArchiveError("too_many_members", message)
        shown = _shown(name)
        self._names[shown] += 1
        if self._names[shown] > 1:
            shown = f"{shown}#{self._names[shown]}"
        if not is_safe(name):
            message = "the name is absolute, leaves the archive, or has control characters"
            self.members.append(Member(name=shown, stored_name=name, reason="member_name", message=message))
        elif encrypted:
            self.members.append(
                Member(name=shown, stored_name=name, reason="member_encrypted", message="it is encrypted")
            )
        else:
            found = self._examine(name, opening)
            member = Member(
                name=shown, stored_name=name, size_bytes=size_bytes, opener=opener, is_page=found.is_page
            )
            self.members.append(nested(member) if found.is_archive else member)


def nested(member: Member) -> Member:
    """Return the refusal of a member that is an archive itself."""
    return replace(member, reason="member_nested", message="it is an archive itself: unpack it first")


def is_safe(name: str) -> bool:
    r"""Return whether a name stays inside of the archive and can be printed.

    >>> is_safe("a/b.html"), is_safe("../b"), is_safe("/b"), is_safe("a\x00.html"), is_safe("C:\\b")
    (True, False, False, False, False)
    """
    parts = name.replace("\\", "/").split("/")
    return bool(
        name
        and len(name) <= MAX_MEMBER_NAME_CHARS
        and ".." not in parts
        and parts[0]
        and not (len(parts[0]) > 1 and parts[0][1] == ":" and parts[0][0].isalpha())
        and not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in name)
        and name.isprintable()
    )


def list_zip(file: BinaryIO, examine: Examine) -> MemberListing:
    """List a zip archive by its central directory."""
    listing = MemberListing(examine)
    try:
        archive = zipfile.ZipFile(_open_slice(file, 0, file.seek(0, io.SEEK_END)))
        infos = archive.infolist()
        _refuse_overlaps(infos)
        for info in infos:
            mode = (info.external_attr >> 16) & 0o170000 if info.create_system == _ZIP_UNIX else 0
            if info.is_dir():
                continue
            if mode in _KINDS:
                listing.passed_over[_KINDS[mode]] += 1
                continue
            opener = partial(opened_member, partial(archive.open, info))
            listing.add(
                info.orig_filename,
                size_bytes=info.file_size,
                opener=opener,
                opening=partial(_opening, opener),
                encrypted=bool(info.flag_bits & _ENCRYPTED),
            )
    except BrokenArchiveError as error:
        listing.broken = error
    except _ERRORS as error:
        listing.broken = BrokenArchiveError("archive_corrupt", f"not a valid zip archive: {error}")
    return listing


def list_tar(file: BinaryIO, examine: Examine) -> MemberListing:
    """List a tar archive by reading all its headers; those of GNU and POSIX have long names."""
    listing = MemberListing(examine)
    try:
        for info in _tar_headers(file):
            if info.isdir():
                continue
            if info.issym() or info.islnk():
                listing.passed_over["links"] += 1
            elif not info.isreg() or info.issparse():
                listing.passed_over["devices"] += 1
            else:
                opener = partial(_open_slice, file, info.offset_data, info.size)
                opening = partial(_opening_in, file, info)
                listing.add(info.name, size_bytes=info.size, opener=opener, opening=opening, encrypted=False)
    except BrokenArchiveError as error:
        listing.broken = error
    except (*_ERRORS, DamagedMemberError) as error:
        listing.broken = BrokenArchiveError("archive_corrupt", f"not a valid tar archive: {error}")
    return listing


def _tar_headers(file: BinaryIO) -> Iterator[tarfile.TarInfo]:
    archive = tarfile.TarFile(fileobj=file, encoding="utf-8", errors="surrogateescape")
    while (info := archive.next()) is not None:
        archive.members = []  # type: ignore[attr-defined]
        yield info
    file.seek(archive.offset)
    block = file.read(tarfile.BLOCKSIZE)
    if not block:
        raise BrokenArchiveError("archive_corrupt", "the archive has no end: it may have been cut")
    if block.strip(b"\x00"):
        raise BrokenArchiveError("archive_corrupt", f"byte {archive.offset} does not begin a member")


def _opening(opener: Callable[[], BinaryIO]) -> bytes:
    """Return the first bytes of a member of a zip archive; of a damaged one, none."""
    try:
        with opener() as member:
            return member.read(_EXAMINED_BYTES)
    except DamagedMemberError:
        return b""


def _opening_in(file: BinaryIO, info: tarfile.TarInfo) -> bytes:
    """Return the first bytes of a member of a tar archive, but not its last byte.

    The reader of headers seeks to the byte before the next header, and a compressed file is read again from
    its start to go back.
    """
    file.seek(info.offset_data)
    return file.read(min(_EXAMINED_BYTES, max(info.size - 1, 0)))


def _open_slice(file: BinaryIO, offset: int, size: int) -> BinaryIO:
    return cast("BinaryIO", io.BufferedReader(Slice(file, offset, size), buffer_size=1 << 16))


def _refuse_overlaps(infos: list[zipfile.ZipInfo]) -> None:
    """Refuse an archive in which two members share bytes, which multiplies what it expands to."""
    end, before = 0, ""
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            message = f"the members {before!r:.80} and {info.filename!r:.80} share bytes"
            raise BrokenArchiveError("archive_overlap", message)
        end = info.header_offset + _LOCAL_HEADER_BYTES + len(info.orig_filename) + info.compress_size
        before = info.filename


def _shown(name: str) -> str:
    readable = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(
        char if char.isprintable() else f"\\x{ord(char):02x}" for char in readable[:MAX_MEMBER_NAME_CHARS]
    )
