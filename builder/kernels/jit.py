"""Compile kernels once for each state of the sources, and cache the machine code.

With ``NUMBA_DISABLE_JIT=1`` in the environment nothing is compiled. The same sources then run as Python,
slowly, so that a debugger and a coverage measurement see each line.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
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
    """Compile a function that creates no array, at its first call; it runs without the GIL.

    Without new arrays, numba needs no reference counts. Counting costs an atomic instruction for each array
    that is passed to another kernel or sliced; in kernels that read every character it took half of the time.
    numba refuses to compile a function that creates an array after all.
    """
    return _compiled(function, _nrt=False)


def array_kernel(function: F) -> F:
    """Compile a function that creates arrays, or that calls one that does."""
    return _compiled(function)


def instruction(generate: Callable[..., Any]) -> Callable[[F], F]:
    """Compile a function to the instructions that ``generate``, a numba intrinsic, emits.

    The body of the decorated function is the same operation in Python. It runs if nothing is compiled.
    """

    def decorate(function: F) -> F:
        if not is_compiling():
            return function
        from numba.extending import intrinsic

        return cast("F", cast("Any", intrinsic)(generate))

    return decorate


def is_compiling() -> bool:
    """Return whether kernels are compiled; ``NUMBA_DISABLE_JIT=1`` turns that off.

    Before numba is loaded, which takes half a second, the environment decides.
    """
    if "numba" not in sys.modules:
        return os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")
    import numba

    config: Any = numba.config
    return not config.DISABLE_JIT


def _compiled(function: F, **options: bool) -> F:
    """Compile a function, and cache its machine code.

    A digest of all sources in this package names the cache folder. numba alone checks only the file of the
    function itself, so a kernel that calls another kernel in a changed file would stay outdated. If no folder
    can be written, each process compiles its kernels again.
    """
    if not is_compiling():
        return _as_python(function)
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


def _as_python(function: F) -> F:
    """Let uint64 arithmetic wrap around without a warning, as machine code does; the hashes need that."""
    import numpy as np

    return np.errstate(over="ignore")(function)


def needs_compiling() -> bool:
    """Return whether the first kernel that runs takes seconds, because no machine code is cached."""
    if not is_compiling():
        return False
    folder = cache_folder()
    return folder is None or next(folder.glob("*/*.nbi"), None) is None


@cache
def cache_folder() -> Path | None:
    """Return the folder of the machine code, and create it if necessary; None if no folder can be written.

    The candidates, in order: below ``NUMBA_CACHE_DIR``, next to the sources, in the user's cache folder, in
    the folder for temporary files.
    """
    return next((folder for folder in _folders(f"kernels-{sources_digest()}") if _is_ours(folder)), None)


@cache
def sources_digest() -> str:
    """Return a digest of all source files of this package and of numba's version."""
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
    """Create a folder if necessary; return whether this user can write to it, and nobody else can.

    numba unpickles the files in it, and the folder for temporary files is open to every user of the machine.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        facts = folder.lstat()
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        return False
    return facts.st_uid == os.getuid() and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
