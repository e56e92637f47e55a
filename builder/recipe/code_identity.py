"""Identify code that is not part of builder: package, version, and a hash of its source."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.registry import is_own, package_of

if TYPE_CHECKING:
    from builder.stages.functions.called import CalledFunction

_BY_HAND = {"reproducible": "declared"}
"""Fact about a function whose source is not hashed: its author declares its version."""


def code_identity(code: type, *, name: str, kind: str) -> dict[str, Any] | None:
    """Return package, version and source hash of a class that is not part of builder; else None.

    Args:
        name: the key in the recipe.
        kind: ``stage`` or ``source``.
    """
    if is_own(code):
        return None
    package, version = package_of(name, kind=kind) or (_top(code.__module__), None)
    return {"package": package, "version": version, "source": source_hash(code.__module__)}


def function_identity(called: CalledFunction, *, declared: str | None = None) -> dict[str, Any]:
    """Return what identifies a function that a stage calls; imports it.

    Args:
        declared: the version that the recipe gives it.

    Raises:
        RecipeError: if the function cannot be imported.
    """
    name = {"function": called.reference}
    if called.module is None:
        digest = called.source_digest
        return {**name, "source": digest} if digest else {**name, "version": declared, **_BY_HAND}
    home = getattr(called.load(), "__module__", None) or called.module
    modules = {_top(one): source_hash(one) for one in (called.module, home)}
    package, number = _distribution(_top(called.module))
    return {**name, "package": package, "version": number, "source": modules}


def is_identified(module: str) -> bool:
    """Return whether a source hash or the version of a distribution identifies an imported module."""
    return source_hash(module) is not None or _distribution(_top(module))[1] is not None


def source_hash(module_name: str) -> str | None:
    """Return the SHA-256 of all Python files of the package that has a module; None without files.

    Code can use other modules of its package, so the file of the module alone would not show every change.
    """
    module = sys.modules.get(_top(module_name))
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


def _top(module: str) -> str:
    return module.partition(".")[0]


@cache
def _distribution(module: str) -> tuple[str, str | None]:
    """Return name and version of the distribution that has a top-level module, else its name alone."""
    names = packages_distributions().get(module, [])
    return (names[0], version(names[0])) if names else (module, None)
