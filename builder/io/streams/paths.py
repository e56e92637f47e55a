"""Find the files that a source's path selects, each with the name that its records carry."""

from __future__ import annotations

import itertools
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from builder.domain.passed_over import PassedOverTally
from builder.io.streams.address import as_address, is_local, local_path
from builder.io.streams.globs import HIDDEN, Glob, has_magic, split_glob
from builder.io.streams.remote import list_remote, refusal
from builder.io.streams.walk import walk_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from builder.io.streams.address import Address
    from builder.io.streams.remote import RemoteFile

_EVERYTHING = Glob(["**"])


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


Accepts: TypeAlias = "Callable[[str], bool]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The files that a path selects, sorted by the bytes of their names, and what it passes over."""

    found: list[Found]
    passed_over: PassedOverTally


def find_inputs(
    pattern: str, *, suffixes: Sequence[str] = (), redirect_hosts: Sequence[str] = ()
) -> list[Found]:
    """List the files that a path selects, sorted by the bytes of their names; see ``select_files``."""
    return select_files(pattern, suffixes=suffixes, redirect_hosts=redirect_hosts).found


def select_files(
    pattern: str,
    *,
    suffixes: Sequence[str] = (),
    redirect_hosts: Sequence[str] = (),
    elsewhere: AbstractSet[str] = frozenset(),
    accepts: Accepts | None = None,
) -> Selection:
    """Select the files of a path.

    A path is a file, a folder or a glob (``*``, ``?``, ``[a-z]`` within a name, ``**`` for any number of
    folders, ``{a,b}`` for one of several texts), on this machine or at any fsspec address. A folder selects
    all files below it whose names end in one of ``suffixes``, in upper or lower case. Files and folders whose
    names begin with a dot or an underscore are skipped, unless a part of the glob begins with the same
    character. A file or folder that exists is found by its name, even if the name looks like a glob or like
    an address of fsspec. Links are followed. Query strings and user information of an address are in no name.

    Args:
        redirect_hosts: other hosts to which HTTP redirects may lead; ``*`` for any.
        elsewhere: files and folders that another source reads; they do not count as passed over.
        accepts: whether a local file in a folder is selected although its name has none of the suffixes.

    Raises:
        RecipeError: if the path does not exist, a folder or file cannot be read, or no file matches.
    """
    passed_over = PassedOverTally(elsewhere)
    if is_local(pattern):
        found = _find_local(local_path(pattern), suffixes=suffixes, passed_over=passed_over, accepts=accepts)
    else:
        address = as_address(pattern, redirect_hosts=tuple(redirect_hosts))
        found = _find_remote(address, suffixes=suffixes, passed_over=passed_over)
    found.sort(key=lambda one: one.name.encode())
    _refuse_duplicate_names(found)
    return Selection(found=found, passed_over=passed_over)


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


def _find_local(
    pattern: str, *, suffixes: Sequence[str], passed_over: PassedOverTally, accepts: Accepts | None = None
) -> list[Found]:
    pattern = os.path.expanduser(pattern)  # noqa: PTH111 - of an unknown user it leaves the path as it is
    place = Path(pattern)
    if place.is_dir():
        hits = walk_files(pattern, _EVERYTHING, passed_over)
        selected = [hit for hit in hits if _ends_in(hit[1], hit[0], suffixes, passed_over, accepts)]
        return _all_below(pattern, [_local_file(path, name) for path, name in selected], suffixes)
    if place.exists():
        return [_local_file(pattern, place.name)]
    if not has_magic(pattern):
        raise refusal(pattern, "no such file or folder", f"the nearest existing folder is {_nearest(place)}")
    root, glob = split_glob(pattern, exists=os.path.lexists)
    if not Path(root or ".").is_dir():
        advice = f"the nearest existing folder is {_nearest(Path(root))}"
        raise refusal(pattern, f"no such folder: {root}", advice)
    return _all_of(pattern, [_local_file(path, name) for path, name in walk_files(root, glob, passed_over)])


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


def _find_remote(address: Address, *, suffixes: Sequence[str], passed_over: PassedOverTally) -> list[Found]:
    listing = list_remote(address)
    glob = _EVERYTHING if listing.is_folder else listing.glob
    if glob is None:
        return [_remote_file(one) for one in listing.files]
    matching = [one for one in listing.files if _matches(glob, one, passed_over)]
    if not listing.is_folder:
        return _all_of(address, [_remote_file(one) for one in matching])
    ending = [one for one in matching if _ends_in(one.name, one.address, suffixes, passed_over)]
    found = [_remote_file(one) for one in ending]
    return _all_below(address, found, suffixes)


def _matches(glob: Glob, one: RemoteFile, passed_over: PassedOverTally) -> bool:
    """Return whether a remote file matches; a remote lists the files of hidden folders, too."""
    if glob.file(one.former_name):
        return True
    is_hidden = any(part.startswith(HIDDEN) for part in one.former_name.split("/"))
    passed_over.add("hidden" if is_hidden else "other_name", one.name, one.address)
    return False


def _remote_file(one: RemoteFile) -> Found:
    former = None if one.former_name == one.name else one.former_name
    return Found(path=one.address, name=one.name, size_bytes=one.size_bytes, former_name=former)


# -- both ------------------------------------------------------------------------------------------


def _ends_in(
    name: str,
    path: str,
    suffixes: Sequence[str],
    passed_over: PassedOverTally,
    accepts: Accepts | None = None,
) -> bool:
    if not suffixes or name.lower().endswith(tuple(suffix.lower() for suffix in suffixes)):
        return True
    if accepts is not None and accepts(path):
        return True
    passed_over.add("other_name", name, path)
    return False


def _all_below(folder: str, found: list[Found], suffixes: Sequence[str]) -> list[Found]:
    if not found:
        ending = " or ".join(suffixes)
        what = f"no file below this folder ends in {ending}" if ending else "the folder has no visible file"
        raise refusal(folder, what, "check `path`; a glob, such as '**/*', selects files with any name")
    return found


def _all_of(pattern: str, found: list[Found]) -> list[Found]:
    if not found:
        advice = "'*' does not match '/' or names that begin with '.' or '_'; use '**/' for any folders"
        raise refusal(pattern, "no file matches", advice)
    return found


def _refuse_duplicate_names(found: list[Found]) -> None:
    for one, other in itertools.pairwise(found):
        if one.name == other.name:
            what = f"has the same name as {one.path}: {one.name!r}"
            raise refusal(other.path, what, "rename one of the two files")
