"""Loads the kernels of `extract_text` on import.

The zygotes of the tests import this module, so that not every build of a few pages loads them again.
"""

from __future__ import annotations

from builder.stages.extraction.builtin_text import compile_kernels

compile_kernels()
