"""Compare texts with golden files. BUILDER_REWRITE_GOLDEN=1 rewrites the files; read the diff."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def compare_with_golden(path: Path, text: str) -> None:
    """Assert that the file has this text, letter for letter."""
    if os.environ.get("BUILDER_REWRITE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
