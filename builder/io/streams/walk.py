"""Walk the folders of this machine, and yield the files that a glob selects."""

from __future__ import annotations

import heapq
import os
from typing import TYPE_CHECKING

from builder.io.streams.globs import HIDDEN
from builder.io.streams.remote import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builder.domain.passed_over import PassedOverTally
    from builder.io.streams.globs import Glob, GlobState


def walk_files(root: str, glob: Glob, passed_over: PassedOverTally) -> Iterator[tuple[str, str]]:
    """Yield the path of each selected file, and its name below the root.

    Links are followed, but each real folder is read once for each part of the glob that it can match:
    folders that link to each other would otherwise be read once for each way through them. Folders come
    before links, and links in the order of their names, so the name of a file does not depend on the order
    in which the disk lists a folder.

    Args:
        passed_over: counts everything in these folders that the glob does not select.

    Raises:
        RecipeError: if a folder cannot be read.
    """
    folders: list[tuple[str, str, GlobState]] = [(root, "", glob.start)]
    links: list[tuple[bytes, str, str, GlobState]] = []
    seen = {(*_identity(root or "."), glob.start)}
    while folders or links:
        if folders:
            folder, below, state = folders.pop()
        else:
            _, folder, below, state = heapq.heappop(links)
            place = (*_identity(folder), state)
            if place in seen:
                passed_over.add("linked_folder", below, folder)
                continue
            seen.add(place)
        for entry in _entries(folder):
            name = below + entry.name
            after = glob.step(state, entry.name)
            is_folder = _is_folder(entry)
            if is_folder and glob.is_folder(after):
                if entry.is_symlink():
                    heapq.heappush(links, (os.fsencode(name), entry.path, name + "/", after))
                else:
                    seen.add((*_identity(entry.path), after))
                    folders.append((entry.path, name + "/", after))
            elif not is_folder and glob.is_file(after):
                yield entry.path, name
            else:
                hidden = entry.name.startswith(HIDDEN)
                passed_over.add("hidden" if hidden else "other_name", name + "/" * is_folder, entry.path)


def _identity(folder: str) -> tuple[int, int]:
    try:
        facts = os.stat(folder)  # noqa: PTH116 - a path object for each folder takes longer than the call
    except OSError as error:
        raise _unreadable(folder, error) from error
    return facts.st_dev, facts.st_ino


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
        raise _unreadable(folder, error) from error


def _unreadable(folder: str, error: OSError) -> Exception:
    advice = f"make it readable: chmod u+rx {folder}"
    return refusal(folder, f"the folder cannot be read: {error.strerror}", advice)
