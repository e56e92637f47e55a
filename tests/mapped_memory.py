"""What this process holds of mapped files."""

from __future__ import annotations

from pathlib import Path


def resident_bytes(path: Path) -> int:
    """What this process holds of a mapped file."""
    total, ours = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split()[0] and not line.split()[0].endswith(":"):
            ours = line.endswith(str(path))
        elif ours and line.startswith("Rss:"):
            total += int(line.split()[1]) * 1024
    return total
