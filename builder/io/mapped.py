"""Memory of mapped files, which counts as ours as long as their pages are in our table of pages."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAPS = Path("/proc/self/maps")
_DONT_NEED = 4


def let_go(folder: Path) -> None:
    """Let go of the pages of all mapped files below a folder; they are read again when they are touched.

    What reads a file through a map holds every page that it has ever touched. Only maps of files that
    nobody can write through are let go of, so no byte can be lost. Does nothing but on Linux.
    """
    if sys.platform != "linux":
        return
    for start, stop in _ranges(str(folder.resolve())):
        _libc().madvise(ctypes.c_void_p(start), ctypes.c_size_t(stop - start), _DONT_NEED)


def _ranges(folder: str) -> Iterator[tuple[int, int]]:
    """Give where files below a folder are mapped, to be read only."""
    for line in _MAPS.read_text(encoding="utf-8", errors="replace").splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and fields[1].startswith("r--") and fields[5].startswith(f"{folder}/"):
            start, stop = fields[0].split("-")
            yield int(start, 16), int(stop, 16)


@cache
def _libc() -> Any:
    return ctypes.CDLL(None)
