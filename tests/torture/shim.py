"""Compile shim.c, and say to it which system call of a command is hit, and how."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = ("shim.c", "record.inc")

OPEN_READ, OPEN_WRITE, READ, WRITE, SYNC, NAMES, MAP = (1 << i for i in range(7))
CHANGES = OPEN_WRITE | WRITE | SYNC | NAMES
ALL = CHANGES | OPEN_READ | READ | MAP

SHORT, KILL, KILL_MAIN = -1, -2, -3
PAGE_BYTES = 64

FAULTS = {
    "ENOSPC": (CHANGES, errno.ENOSPC),
    "EIO": (ALL, errno.EIO),
    "EMFILE": (OPEN_READ | OPEN_WRITE, errno.EMFILE),
    "EACCES": (OPEN_READ | OPEN_WRITE | NAMES, errno.EACCES),
    "short write": (WRITE, SHORT),
}
"""Which calls a fault hits, and the error that they return."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What happens to the file calls of a command below some folders.

    Attributes:
        at: number of the call to hit, from 1; 0 only counts.
        lasting: whether all later calls are hit as well.
    """

    kinds: int = 0
    at: int = 0
    error: int = 0
    lasting: bool = False
    record: Path | None = None

    def environment(self, page: Path, scope: Iterable[Path]) -> dict[str, str]:
        return {
            "TORTURE_SCOPE": ":".join(map(str, scope)),
            "TORTURE_PAGE": str(page),
            "TORTURE_KINDS": str(self.kinds),
            "TORTURE_AT": str(self.at),
            "TORTURE_ERROR": str(self.error),
            "TORTURE_LASTING": str(int(self.lasting)),
            **({"TORTURE_RECORD": str(self.record)} if self.record else {}),
        }


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What the shim counted: the calls of the kinds in the plan, how many were hit, and the first one."""

    calls: int
    hits: int
    what: str

    @classmethod
    def read(cls, page: Path) -> Counted:
        calls, _, hits, what = struct.unpack("QQQ40s", page.read_bytes())
        return cls(calls=calls, hits=hits, what=what.split(b"\0")[0].decode(errors="replace"))


def new_page(folder: Path) -> Path:
    path = folder / "page"
    path.write_bytes(bytes(PAGE_BYTES))
    return path


def is_possible() -> bool:
    """Return whether this machine has what the shim needs: Linux and a C compiler."""
    return os.uname().sysname == "Linux" and _compiler() is not None


def _compiler() -> str | None:
    return shutil.which(os.environ.get("CC", "cc"))


@cache
def library() -> Path:
    """Compile the shim once for each state of its sources, and return its path."""
    compiler = _compiler()
    assert compiler, "needs a C compiler"
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in SOURCES)).hexdigest()[:16]
    path = Path(tempfile.gettempdir()) / f"builder-torture-{os.getuid()}-{digest}.so"
    if not path.exists():
        made = path.with_suffix(f".{os.getpid()}")
        command = [compiler, "-O2", "-fPIC", "-shared", "-o", str(made), str(HERE / "shim.c"), "-ldl"]
        subprocess.run(command, check=True)
        made.replace(path)
    return path
