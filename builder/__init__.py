"""Scraped pages in; a versioned, contract-checked, deduplicated dataset out.

The functions of the command line, as Python:

    from builder import Recipe, build
    result = build(Recipe.load("recipe.yaml"))
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from builder._version import __version__ as __version__

if TYPE_CHECKING:
    from builder.build.build import build
    from builder.build.dedup import dedup
    from builder.build.diff import Diff, diff
    from builder.build.result import BuildResult
    from builder.build.takedown import takedown
    from builder.build.validate import validate
    from builder.build.verify import verify
    from builder.build.withdraw import drop, gc, yank
    from builder.corpus import Corpus
    from builder.errors import BuilderError
    from builder.hub.fetch import fetch
    from builder.hub.load import load
    from builder.hub.publish import publish
    from builder.recipe import Recipe

__all__ = [
    "BuildResult",
    "BuilderError",
    "Corpus",
    "Diff",
    "Recipe",
    "build",
    "dedup",
    "diff",
    "drop",
    "fetch",
    "gc",
    "load",
    "publish",
    "takedown",
    "validate",
    "verify",
    "yank",
]

_HOMES = {
    "BuildResult": "builder.build.result",
    "BuilderError": "builder.errors",
    "Corpus": "builder.corpus",
    "Diff": "builder.build.diff",
    "Recipe": "builder.recipe",
    "dedup": "builder.build.dedup",
    "takedown": "builder.build.takedown",
    "diff": "builder.build.diff",
    "drop": "builder.build.withdraw",
    "gc": "builder.build.withdraw",
    "fetch": "builder.hub",
    "load": "builder.hub",
    "publish": "builder.hub",
    "validate": "builder.build.validate",
    "verify": "builder.build.verify",
    "yank": "builder.build.withdraw",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is asked for: the command line's --help needs none of them."""
    if name not in _HOMES:
        raise AttributeError(f"module 'builder' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


class _Package(ModuleType):
    """Keeps ``builder.build`` the function that users call.

    It is also the name of a package, and the import system would put the package in the function's place
    as soon as anything below it is imported.
    """

    @property
    def build(self) -> Any:
        """Return the function."""
        return import_module("builder.build.build").build

    @build.setter
    def build(self, package: ModuleType) -> None:
        """Take no notice of the package; ``import builder.build`` finds it in ``sys.modules``."""


sys.modules[__name__].__class__ = _Package
