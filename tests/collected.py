"""Where ``conftest.py`` notes what pytest found, for the test that compares it with the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

COLLECTED = pytest.StashKey[frozenset[Path]]()
