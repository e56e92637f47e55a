"""Find the files that a source's path selects, each with the name that its records carry."""

from __future__ import annotations

import itertools
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from builder.io.streams.address import as_address, is_local, local_path
from builder.io.streams.globs import Glob, has_magic, split_glob
from builder.io.streams.remote import list_remote, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from builder.io.streams.remote import RemoteFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    r"""One input file: the address to open, the name below the glob's fixed part, and its size.

    ``name`` is valid UTF-8: bytes of a file name that are not UTF-8 are written ``\xNN``. ``size_bytes`` is 0
    if a remote does not report a size.

    Attributes:
        former_name: the name by the first rule of names (``domain.addresses``) if it is another one.
    """

    path: str
    name: str
    size_bytes: int
    former_name: str | None = None


def find_inputs(
    pattern: str, *, suffixes: Sequence[str] = (), redirect_hosts: Sequence[str] = ()
) -> list[Found]:
    """List the files that a path selects, sorted by the bytes of their names.

    A path is a file, a folder or a glob (``*``, ``?``, ``[a-z]`` within a name, ``**`` for any number of
    folders), on this machine or at any fsspec address. A folder selects all files below it whose names end in
    one of ``suffixes``, in upper or lower case. Hidden files and folders are skipped, unless a part of the
    glob begins with a dot. A file whose name looks like a glob is found by its name. Links are followed.
    Query strings and user information of an address are in no name.

    Args:
        redirect_hosts: other hosts to which HTTP redirects may lead; ``*`` for any.

    Raises:
        RecipeError: if the path does not exist, a folder or file cannot be read, or no file matches.
    """
    if is_local(pattern):
        found = _find_local(local_path(pattern), suffixes=suffixes)
    else:
        found = _find_remote(pattern, suffixes=suffixes, redirect_hosts=tuple(redirect_hosts))
    found.sort(key=lambda one: one.name.encode())
    _refuse_duplicate_names(found)
    return found


FileMark: TypeAlias = tuple[int, int, int, int]
"""Size, modification time and change time in nanoseconds, and inode of a file.

The change time tells of a rewrite of the same size even if the modification time was set back afterwards.
"""


def file_mark(address: str) -> FileMark | None:
    """Return what changes when a local file does; None if the address is remote or the file is gone."""
    if not is_local(address):
        return None
    try:
        facts = Path(local_path(address)).stat()
    except OSError:
        return None
    return facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino


# -- on this machine -------------------------------------------------------------------------------


def _find_local(pattern: str, *, suffixes: Sequence[str]) -> list[Found]:
    pattern = str(Path(pattern).expanduser())
    place = Path(pattern)
    if place.is_dir():
        hits = [hit for hit in _walk_local(pattern) if _ends_in(hit[1], suffixes)]
        return _all_below(pattern, [_local_file(path, name) for path, name in hits], suffixes)
    if place.exists():
        return [_local_file(pattern, place.name)]
    if not has_magic(pattern):
        raise refusal(pattern, "no such file or folder", f"the nearest existing folder is {_nearest(place)}")
    root, matches = split_glob(pattern)
    if not Path(root or ".").is_dir():
        advice = f"the nearest existing folder is {_nearest(Path(root))}"
        raise refusal(pattern, f"no such folder: {root}", advice)
    matching = (hit for hit in _walk_local(root, glob=matches) if matches.file(hit[1]))
    return _all_of(pattern, [_local_file(path, name) for path, name in matching])


def _walk_local(root: str, *, glob: Glob | None = None) -> Iterator[tuple[str, str]]:
    """List files depth first; a folder that is a link to one of its parents is not entered again."""
    inside: list[tuple[str, str, tuple[tuple[int, int], ...]]] = [(root, "", ())]
    while inside:
        folder, below, above = inside.pop()
        for entry in _entries(folder):
            name = below + entry.name
            if _is_folder(entry):
                here = (entry.stat().st_dev, entry.stat().st_ino)
                if here not in above and (glob.folder(name) if glob else entry.name[0] != "."):
                    inside.append((entry.path, name + "/", (*above, here)))
            elif glob or entry.name[0] != ".":
                yield entry.path, name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder; a link to itself is not one, and is later refused as a file."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder or ".") as entries:
            return list(entries)
    except OSError as error:
        advice = f"make it readable: chmod u+rx {folder}"
        raise refusal(folder, f"the folder cannot be read: {error.strerror}", advice) from error


def _local_file(path: str, name: str) -> Found:
    try:
        status = Path(path).stat()
    except OSError as error:
        advice = "if it is a broken link, remove it or restore its target"
        raise refusal(path, f"cannot be read: {error.strerror}", advice) from error
    if not stat.S_ISREG(status.st_mode):
        raise refusal(path, "is not a regular file", "save its content to a file: inputs are read twice")
    if not os.access(path, os.R_OK):
        advice = f"make it readable: chmod u+r {path}; or exclude it from `path`"
        raise refusal(path, "this user may not read the file", advice)
    readable = os.fsencode(name).decode("utf-8", "backslashreplace")
    return Found(path=path, name=readable, size_bytes=status.st_size)


def _nearest(place: Path) -> Path:
    """Return the nearest parent of a path that exists."""
    return next((above for above in place.absolute().parents if above.exists()), Path("/"))


# -- elsewhere -------------------------------------------------------------------------------------


def _find_remote(pattern: str, *, suffixes: Sequence[str], redirect_hosts: tuple[str, ...]) -> list[Found]:
    address = as_address(pattern, redirect_hosts=redirect_hosts)
    listing = list_remote(address)
    if not listing.folder:
        return _all_of(address, [_remote_file(one) for one in listing.files])
    shown = [one for one in listing.files if not _hidden(one.former_name)]
    found = [_remote_file(one) for one in shown if _ends_in(one.former_name, suffixes)]
    return _all_below(address, found, suffixes)


def _remote_file(one: RemoteFile) -> Found:
    former = None if one.former_name == one.name else one.former_name
    return Found(path=one.address, name=one.name, size_bytes=one.size_bytes, former_name=former)


# -- both ------------------------------------------------------------------------------------------


def _ends_in(name: str, suffixes: Sequence[str]) -> bool:
    return name.lower().endswith(tuple(suffix.lower() for suffix in suffixes) or "")


def _all_below(folder: str, found: list[Found], suffixes: Sequence[str]) -> list[Found]:
    if not found:
        ending = " or ".join(suffixes)
        what = f"no file below this folder ends in {ending}" if ending else "the folder has no visible file"
        raise refusal(folder, what, "check `path`; a glob, such as '**/*', selects files with any name")
    return found


def _all_of(pattern: str, found: list[Found]) -> list[Found]:
    if not found:
        advice = "'*' does not match '/' or hidden files; use '**/' to match any folders"
        raise refusal(pattern, "no file matches", advice)
    return found


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _refuse_duplicate_names(found: list[Found]) -> None:
    for one, other in itertools.pairwise(found):
        if one.name == other.name:
            what = f"has the same name as {one.path}: {one.name!r}"
            raise refusal(other.path, what, "rename one of the two files")
