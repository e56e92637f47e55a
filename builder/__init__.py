"""Turn scraped pages into a versioned, contract-checked, deduplicated dataset.

The commands of the command line are Python functions here:

    from builder import Recipe, build
    result = build(Recipe.load("recipe.yaml"))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from builder._version import __version__ as __version__

if TYPE_CHECKING:
    from builder.corpus import Corpus
    from builder.errors import BuilderError
    from builder.hub.fetch import fetch
    from builder.hub.load import load
    from builder.hub.publish import publish
    from builder.operations.build import build
    from builder.operations.check import Check, check
    from builder.operations.dedup import dedup
    from builder.operations.diff import Diff, diff
    from builder.operations.plugin import check_plugin
    from builder.operations.rejected import rejected
    from builder.operations.show import show
    from builder.operations.takedown import takedown
    from builder.operations.tune import Tuning, tune
    from builder.operations.validate import validate
    from builder.operations.verify import verify
    from builder.operations.why import why
    from builder.operations.withdraw import drop, gc, yank
    from builder.recipe import Recipe
    from builder.release.result import BuildResult
    from builder.report.overview.write import write_report

__all__ = [
    "BuildResult",
    "BuilderError",
    "Check",
    "Corpus",
    "Diff",
    "Recipe",
    "Tuning",
    "build",
    "check",
    "check_plugin",
    "dedup",
    "diff",
    "drop",
    "fetch",
    "gc",
    "load",
    "publish",
    "rejected",
    "show",
    "takedown",
    "tune",
    "validate",
    "verify",
    "why",
    "write_report",
    "yank",
]

_MODULES = {
    "BuildResult": "builder.release.result",
    "BuilderError": "builder.errors",
    "Check": "builder.operations.check",
    "Corpus": "builder.corpus",
    "Diff": "builder.operations.diff",
    "Recipe": "builder.recipe",
    "Tuning": "builder.operations.tune",
    "build": "builder.operations.build",
    "check": "builder.operations.check",
    "check_plugin": "builder.operations.plugin",
    "dedup": "builder.operations.dedup",
    "diff": "builder.operations.diff",
    "drop": "builder.operations.withdraw",
    "fetch": "builder.hub",
    "gc": "builder.operations.withdraw",
    "load": "builder.hub",
    "publish": "builder.hub",
    "rejected": "builder.operations.rejected",
    "show": "builder.operations.show",
    "takedown": "builder.operations.takedown",
    "tune": "builder.operations.tune",
    "validate": "builder.operations.validate",
    "verify": "builder.operations.verify",
    "why": "builder.operations.why",
    "write_report": "builder.report.overview.write",
    "yank": "builder.operations.withdraw",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use. The command line's ``--help`` needs none of these imports."""
    if name not in _MODULES:
        raise AttributeError(f"module 'builder' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """List the public names, also those that are not imported yet."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
