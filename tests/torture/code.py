"""Which code a target tests. When it changes, the tries of the target begin again."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PACKAGE = "builder"

COMMAND_MODULES = {
    "addition": "operations.build",
    "build --compact": "operations.compact",
    "build --full": "operations.build",
    "build": "operations.build",
    "build of HTML": "operations.build",
    "check": "operations.check",
    "check version": "hub.guard",
    "dedup": "operations.dedup",
    "diff": "operations.diff",
    "drop": "operations.withdraw",
    "fetch": "hub.fetch",
    "gc --dry-run": "operations.withdraw",
    "gc": "operations.withdraw",
    "init": "operations.init",
    "optout": "operations.optout.covered",
    "plugin": "operations.plugin.check",
    "publish": "hub.publish",
    "purge": "operations.takedown",
    "rejected": "operations.rejected",
    "show": "operations.show",
    "report": "report.overview.write",
    "takedown": "operations.takedown",
    "tune": "operations.tune",
    "validate": "operations.validate",
    "verify": "operations.verify",
    "versions": "report.versions",
    "why": "operations.why",
    "yank": "operations.withdraw",
}


@cache
def digest_of(*names: str) -> str:
    """Return a digest of commands or modules, and of all modules of builder that they import."""
    modules = [f"{_PACKAGE}.{COMMAND_MODULES.get(name, name)}" for name in names]
    found: set[Path] = set()
    waiting = [_path(module) for module in modules]
    while waiting:
        path = waiting.pop()
        if path is not None and path not in found:
            found.add(path)
            waiting += _imports(path)
    digest = hashlib.sha256()
    for path in sorted(found):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _path(module: str) -> Path | None:
    place = ROOT.joinpath(*module.split("."))
    return next((one for one in (place.with_suffix(".py"), place / "__init__.py") if one.is_file()), None)


@cache
def _imports(path: Path) -> tuple[Path | None, ...]:
    return tuple(map(_path, _imported(ast.parse(path.read_bytes()))))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name.startswith(_PACKAGE))
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(_PACKAGE):
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)
