"""Memory of a process as Linux reports it; 0 on other systems."""

from __future__ import annotations

import mmap
from contextlib import suppress
from pathlib import Path


def private_bytes(pid: int) -> int:
    """Return the resident memory of a process without mapped files in bytes; 0 if unknown."""
    with suppress(OSError, IndexError, ValueError):
        resident, shared = Path(f"/proc/{pid}/statm").read_text().split()[1:3]
        return (int(resident) - int(shared)) * mmap.PAGESIZE
    return 0


def data_bytes(pid: int) -> int:
    """Return the bytes that count against RLIMIT_DATA; 0 if unknown."""
    with suppress(OSError, IndexError, ValueError):
        pages = Path(f"/proc/{pid}/statm").read_text().split()[5]
        return int(pages) * mmap.PAGESIZE
    return 0
