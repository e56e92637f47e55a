"""How much memory a process has, as Linux reports it; elsewhere nothing is known."""

from __future__ import annotations

import mmap
from contextlib import suppress
from pathlib import Path


def private_bytes(pid: int) -> int:
    """Return what a process holds in memory, mapped files left out; 0 where it cannot be known."""
    with suppress(OSError, IndexError, ValueError):
        resident, shared = Path(f"/proc/{pid}/statm").read_text().split()[1:3]
        return (int(resident) - int(shared)) * mmap.PAGESIZE
    return 0


def data_bytes(pid: int) -> int:
    """Return what counts against RLIMIT_DATA; 0 where it cannot be known."""
    with suppress(OSError, IndexError, ValueError):
        pages = Path(f"/proc/{pid}/statm").read_text().split()[5]
        return int(pages) * mmap.PAGESIZE
    return 0
