"""One file for each way to make a version: the one place where the parts meet."""

from builder.build.build import build
from builder.build.dedup import dedup
from builder.build.diff import Diff, diff
from builder.build.result import BuildResult
from builder.build.takedown import TakedownResult, takedown
from builder.build.validate import validate
from builder.build.verify import verify
from builder.build.withdraw import drop, gc, yank

__all__ = [
    "BuildResult",
    "Diff",
    "TakedownResult",
    "build",
    "dedup",
    "diff",
    "drop",
    "gc",
    "takedown",
    "validate",
    "verify",
    "yank",
]
