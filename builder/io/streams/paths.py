"""Find the files that a source's path selects, each with the name that its records carry."""

from __future__ import annotations

import itertools
import os
import stat
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from builder.errors import BuilderError, Fault, RecipeError
from builder.io.streams.globs import Glob, has_magic, split_glob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Listed: TypeAlias = tuple[str, str, int]
"""Address, name below the root, size in bytes (-1: unknown, ask the file system)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    r"""One input file: the address to open, the name below the glob's fixed part, and its size.

    ``name`` is valid UTF-8: bytes of a file name that are not UTF-8 are written ``\xNN``. ``size_bytes`` is 0
    if a remote does not report a size.
    """

    path: str
    name: str
    size_bytes: int


def find_inputs(pattern: str, *, suffixes: Sequence[str] = ()) -> list[Found]:
    """List the files that a path selects, sorted by the bytes of their names.

    A path is a file, a folder or a glob (``*``, ``?``, ``[a-z]`` within a name, ``**`` for any number of
    folders), on this machine or at any fsspec address. A folder selects all files below it whose names end in
    one of ``suffixes``, in upper or lower case. Hidden files and folders are skipped, unless a part of the
    glob begins with a dot. A file whose name looks like a glob is found by its name. Links are followed.

    Raises:
        RecipeError: if the path does not exist, a folder or file cannot be read, or no file matches.
    """
    if is_local(pattern):
        found = _find_local(local_path(pattern), suffixes=suffixes)
    else:
        found = _find_remote(pattern, suffixes=suffixes)
    found.sort(key=lambda one: one.name.encode())
    _refuse_duplicate_names(found)
    return found


def is_local(address: str) -> bool:
    """Return whether an address is a path on this machine, with or without the prefix ``file://``."""
    return "::" not in address and ("://" not in address or address.startswith("file://"))


def local_path(address: str) -> str:
    """Return the path of a local address."""
    return address.removeprefix("file://")


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
        return _below(pattern, _walk_local(pattern), suffixes=suffixes)
    if place.exists():
        return [_local_file(pattern, place.name)]
    if not has_magic(pattern):
        raise _refusal(pattern, "no such file or folder", f"the nearest existing folder is {_nearest(place)}")
    root, matches = split_glob(pattern)
    if not Path(root or ".").is_dir():
        advice = f"the nearest existing folder is {_nearest(Path(root))}"
        raise _refusal(pattern, f"no such folder: {root}", advice)
    hits = (hit for hit in _walk_local(root, glob=matches) if matches.file(hit[1]))
    return _all_of(pattern, [_local_file(path, name) for path, name, _ in hits])


def _walk_local(root: str, *, glob: Glob | None = None) -> Iterator[Listed]:
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
                yield entry.path, name, -1


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
        raise _refusal(folder, f"the folder cannot be read: {error.strerror}", advice) from error


def _local_file(path: str, name: str) -> Found:
    try:
        status = Path(path).stat()
    except OSError as error:
        advice = "if it is a broken link, remove it or restore its target"
        raise _refusal(path, f"cannot be read: {error.strerror}", advice) from error
    if not stat.S_ISREG(status.st_mode):
        raise _refusal(path, "is not a regular file", "save its content to a file: inputs are read twice")
    if not os.access(path, os.R_OK):
        advice = f"make it readable: chmod u+r {path}; or exclude it from `path`"
        raise _refusal(path, "this user may not read the file", advice)
    readable = os.fsencode(name).decode("utf-8", "backslashreplace")
    return Found(path=path, name=readable, size_bytes=status.st_size)


def _nearest(place: Path) -> Path:
    """Return the nearest parent of a path that exists."""
    return next((above for above in place.absolute().parents if above.exists()), Path("/"))


# -- elsewhere -------------------------------------------------------------------------------------


def _find_remote(pattern: str, *, suffixes: Sequence[str]) -> list[Found]:
    fs, path = _filesystem(pattern)
    address = partial(_address, fs, chain=pattern.partition("::")[2])
    ask = partial(_ask_remote, pattern)
    if ask(lambda: fs.isfile(path)):
        size = ask(lambda: fs.info(path)).get("size") or 0
        return [Found(path=address(path), name=path.rstrip("/").rpartition("/")[2], size_bytes=int(size))]
    if ask(lambda: fs.isdir(path)):
        listed = ask(lambda: fs.find(path, detail=True))
        shown = (hit for hit in _listing(path, listed, address) if not _hidden(hit[1]))
        return _below(pattern, shown, suffixes=suffixes)
    if not has_magic(path):
        raise _refusal(pattern, "no such file or folder", "check the address and the credentials")
    root, glob = split_glob(path)
    listed = ask(lambda: fs.find(root, maxdepth=glob.depth, detail=True))
    return _all_of(pattern, [_found(hit) for hit in _listing(root, listed, address) if glob.file(hit[1])])


def _filesystem(pattern: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    try:
        fs, path = url_to_fs(pattern)
    except (ImportError, ValueError) as error:
        advice = "check the protocol of the address, or install the package that the message names"
        raise _refusal(pattern, f"the address cannot be opened: {error}", advice) from error
    return fs, path


def _ask_remote(pattern: str, question: Callable[[], Any]) -> Any:
    """Query a remote; every exception is caught, because each library below fsspec has its own errors."""
    try:
        return question()
    except BuilderError:
        raise
    except Exception as error:
        advice = "check the address, the network and the credentials"
        raise _refusal(pattern, f"cannot be listed: {error!r}", advice) from error


def _address(fs: Any, path: str, *, chain: str) -> str:
    address: str = fs.unstrip_protocol(path)
    return f"{address}::{chain}" if chain else address


def _listing(root: str, listed: dict[str, Any], address: Callable[[str], str]) -> Iterator[Listed]:
    prefix = root.rstrip("/") + "/" if root else ""
    for path, info in listed.items():
        if info.get("type", "file") == "file":
            yield address(path), path.removeprefix(prefix).lstrip("/"), int(info.get("size") or 0)


def _found(hit: Listed) -> Found:
    path, name, size = hit
    return Found(path=path, name=name, size_bytes=size)


# -- both ------------------------------------------------------------------------------------------


def _below(folder: str, listing: Iterable[Listed], *, suffixes: Sequence[str]) -> list[Found]:
    ends = tuple(suffix.lower() for suffix in suffixes) or ("",)
    hits = [hit for hit in listing if hit[1].lower().endswith(ends)]
    if not hits:
        ending = " or ".join(suffixes)
        what = f"no file below this folder ends in {ending}" if ending else "the folder has no visible file"
        raise _refusal(folder, what, "check `path`; a glob, such as '**/*', selects files with any name")
    return [_local_file(hit[0], hit[1]) if hit[2] < 0 else _found(hit) for hit in hits]


def _all_of(pattern: str, found: list[Found]) -> list[Found]:
    if not found:
        advice = "'*' does not match '/' or hidden files; use '**/' to match any folders"
        raise _refusal(pattern, "no file matches", advice)
    return found


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _refuse_duplicate_names(found: list[Found]) -> None:
    for one, other in itertools.pairwise(found):
        if one.name == other.name:
            what = f"has the same name as {one.path}: {one.name!r}"
            raise _refusal(other.path, what, "rename one of the two files")


def _refusal(where: str, what: str, advice: str) -> RecipeError:
    return RecipeError(Fault(where=where, what=what, advice=advice))
