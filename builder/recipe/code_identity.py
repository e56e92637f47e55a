"""Identify the code of a stage or source of another package: name, version, and a hash of its source."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

from builder.registry import is_own, package_of


def code_identity(code: type, *, name: str, kind: str) -> dict[str, Any] | None:
    """Return package, version and source hash of a class that is not part of builder; else None.

    Args:
        name: the key in the recipe.
        kind: ``stage`` or ``source``.
    """
    if is_own(code):
        return None
    package, version = package_of(name, kind=kind) or (code.__module__.partition(".")[0], None)
    return {"package": package, "version": version, "source": source_hash(code)}


def source_hash(code: type) -> str | None:
    """Return the SHA-256 of all Python files of the package that defines a class; None without files.

    A stage can use other modules of its package, so the file of the class alone would not show every change.
    """
    module = sys.modules.get(code.__module__.partition(".")[0])
    file = getattr(module, "__file__", None)
    folders = list(getattr(module, "__path__", []))
    files = sorted(path for folder in folders for path in Path(folder).rglob("*.py")) if folders else []
    if not files and file:
        files, folders = [Path(file)], [str(Path(file).parent)]
    digest = hashlib.sha256()
    for path in files:
        name = next(path.relative_to(one).as_posix() for one in folders if path.is_relative_to(one))
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest() if files else None
