"""What a source's path stands for: the files that are there, each with the name that its records carry."""

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
"""Address, name below the root, size (-1: not asked yet)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    r"""One input file: the address to open, the name below the glob's fixed part, and its size.

    ``name`` is valid UTF-8 whatever the file is called: bytes that are none are written ``\xNN``.
    ``size_bytes`` is 0 where a remote does not tell it.
    """

    path: str
    name: str
    size_bytes: int


def find_inputs(pattern: str, *, suffixes: Sequence[str] = ()) -> list[Found]:
    """List the files that a path stands for, by name (bytewise).

    A path is a glob (``*``, ``?``, ``[a-z]`` within a name, ``**`` for any number of folders), one file,
    or a folder, which stands for all files below it that end in one of ``suffixes`` (any case). Hidden files
    and folders are passed over unless a part of the glob begins with a dot. A file whose name looks like a
    glob is found by its name. Any address that fsspec knows will do; links are followed.

    Raises:
        RecipeError: if there is no such path, a folder or file cannot be read, or nothing matches.
    """
    if is_local(pattern):
        found = _find_local(local_path(pattern), suffixes=suffixes)
    else:
        found = _find_remote(pattern, suffixes=suffixes)
    found.sort(key=lambda one: one.name.encode())
    _refuse_twins(found)
    return found


def is_local(address: str) -> bool:
    """Say whether an address is a path of this machine, with or without ``file://`` in front."""
    return "::" not in address and ("://" not in address or address.startswith("file://"))


def local_path(address: str) -> str:
    """Return the path of a local address."""
    return address.removeprefix("file://")


# -- on this machine -------------------------------------------------------------------------------


def _find_local(pattern: str, *, suffixes: Sequence[str]) -> list[Found]:
    pattern = str(Path(pattern).expanduser())
    place = Path(pattern)
    if place.is_dir():
        return _below(pattern, _walk_local(pattern), suffixes=suffixes)
    if place.exists():
        return [_local_file(pattern, place.name)]
    if not has_magic(pattern):
        raise _refusal(pattern, "there is no such file or folder", f"the nearest is {_nearest(place)}")
    root, matches = split_glob(pattern)
    if not Path(root or ".").is_dir():
        raise _refusal(pattern, f"there is no folder {root}", f"the nearest is {_nearest(Path(root))}")
    hits = (hit for hit in _walk_local(root, glob=matches) if matches.file(hit[1]))
    return _all_of(pattern, [_local_file(path, name) for path, name, _ in hits])


def _walk_local(root: str, *, glob: Glob | None = None) -> Iterator[Listed]:
    """Walk depth first; a folder that is a link to one of those it stands in is not walked again."""
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
    """Tell; a link that leads to itself is none, and is refused as a file where it is wanted."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder or ".") as entries:
            return list(entries)
    except OSError as error:
        raise _refusal(folder, f"the folder cannot be read: {error.strerror}", "mend its rights") from error


def _local_file(path: str, name: str) -> Found:
    try:
        status = Path(path).stat()
    except OSError as error:
        raise _refusal(path, f"cannot be read: {error.strerror}", "a link to nothing?") from error
    if not stat.S_ISREG(status.st_mode):
        raise _refusal(path, "is not a regular file", "an input is read more than once: save it to a file")
    if not os.access(path, os.R_OK):
        raise _refusal(path, "may not be read by this user", "mend its rights, or leave it out of the path")
    readable = os.fsencode(name).decode("utf-8", "backslashreplace")
    return Found(path=path, name=readable, size_bytes=status.st_size)


def _nearest(place: Path) -> Path:
    """Return the longest part of a path that is there."""
    return next((above for above in place.absolute().parents if above.exists()), Path("/"))


# -- elsewhere -------------------------------------------------------------------------------------


def _find_remote(pattern: str, *, suffixes: Sequence[str]) -> list[Found]:
    fs, path = _filesystem(pattern)
    address = partial(_address, fs, chain=pattern.partition("::")[2])
    ask = partial(_asked, pattern)
    if ask(lambda: fs.isfile(path)):
        size = ask(lambda: fs.info(path)).get("size") or 0
        return [Found(path=address(path), name=path.rstrip("/").rpartition("/")[2], size_bytes=int(size))]
    if ask(lambda: fs.isdir(path)):
        listed = ask(lambda: fs.find(path, detail=True))
        shown = (hit for hit in _listing(path, listed, address) if not _hidden(hit[1]))
        return _below(pattern, shown, suffixes=suffixes)
    if not has_magic(path):
        raise _refusal(pattern, "there is no such file or folder", "check the address and the credentials")
    root, glob = split_glob(path)
    listed = ask(lambda: fs.find(root, maxdepth=glob.depth, detail=True))
    return _all_of(pattern, [_found(hit) for hit in _listing(root, listed, address) if glob.file(hit[1])])


def _filesystem(pattern: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    try:
        fs, path = url_to_fs(pattern)
    except (ImportError, ValueError) as error:
        raise _refusal(pattern, f"no way to open this address: {error}", "install what it names") from error
    return fs, path


def _asked(pattern: str, question: Callable[[], Any]) -> Any:
    """Ask a remote; each library below fsspec has errors of its own, so all of them are taken here."""
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
        wanted = " or ".join(suffixes) or "a name"
        raise _refusal(folder, f"no file below this folder ends in {wanted}", "a glob takes any name")
    return [_local_file(hit[0], hit[1]) if hit[2] < 0 else _found(hit) for hit in hits]


def _all_of(pattern: str, found: list[Found]) -> list[Found]:
    if not found:
        advice = "'*' does not match a '/' or a hidden file; '**/' stands for any folders"
        raise _refusal(pattern, "no file matches", advice)
    return found


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _refuse_twins(found: list[Found]) -> None:
    for one, other in itertools.pairwise(found):
        if one.name == other.name:
            raise _refusal(other.path, f"is named like {one.path}: {one.name!r}", "rename one of the two")


def _refusal(where: str, what: str, advice: str) -> RecipeError:
    return RecipeError(Fault(where=where, what=what, advice=advice))
