"""Compile a kernel, once for each state of the sources, and keep the machine code."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")

_HERE = Path(__file__).resolve().parent


def kernel(function: F) -> F:
    """Compile a function that makes no array when it is first called; it runs without the GIL.

    Where no array is made nobody has to count who holds one. Counting is an atomic instruction for each array
    that is handed to another kernel or cut into a slice; for kernels that look at every character it was half
    of their time. numba refuses to compile one that makes an array after all.
    """
    return _compiled(function, _nrt=False)


def array_kernel(function: F) -> F:
    """Compile a function that makes arrays, or calls one that does."""
    return _compiled(function)


def _compiled(function: F, **options: bool) -> F:
    """Compile, and keep the machine code.

    It is kept in a folder that is named by a digest of all sources in this package: numba by
    itself looks at the file of the one function only, so a kernel that calls another from a changed file
    would stay as it was. Where no folder can be written, each process compiles for itself.
    """
    import numba

    njit, folder = cast("Any", numba.njit), cache_folder()
    if folder is None:
        return cast("F", njit(nogil=True, **options)(function))
    config: Any = numba.config
    before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
    try:
        return cast("F", njit(nogil=True, cache=True, **options)(function))
    finally:
        config.CACHE_DIR = before


def needs_compiling() -> bool:
    """Tell whether the first kernel that runs will take seconds, because no machine code is kept."""
    folder = cache_folder()
    return folder is None or next(folder.glob("*/*.nbi"), None) is None


@cache
def cache_folder() -> Path | None:
    """Return the folder of the machine code, made if it was not there; None if none can be written.

    In this order: below ``NUMBA_CACHE_DIR``, beside the sources, in the user's cache, in the folder for
    temporary files.
    """
    return next((folder for folder in _folders(f"kernels-{sources_digest()}") if _is_ours(folder)), None)


@cache
def sources_digest() -> str:
    """Digest all files of this package, and numba's version."""
    digest = hashlib.sha256(version("numba").encode())
    for path in sorted(_HERE.rglob("*.py")):
        digest.update(path.relative_to(_HERE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _folders(name: str) -> list[Path]:
    asked = os.environ.get("NUMBA_CACHE_DIR")
    user = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return [
        *([Path(asked) / name] if asked else []),
        _HERE / "__pycache__" / name,
        Path(user) / "builder" / name,
        Path(tempfile.gettempdir()) / f"builder-{os.getuid()}-{name}",
    ]


def _is_ours(folder: Path) -> bool:
    """Make a folder if need be, and tell whether it can be written and only by us.

    What lies in it is unpickled, and the folder for temporary files is open to every user of the machine.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        facts = folder.lstat()
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        return False
    return facts.st_uid == os.getuid() and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
