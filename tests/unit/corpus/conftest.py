"""A synthetic corpus of two versions, and copies that a test may damage."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
import synthetic_corpus

from builder.corpus import Corpus

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.fixture(scope="session")
def synthetic() -> ModuleType:
    """Return the module that creates corpora without a build."""
    return synthetic_corpus


@pytest.fixture(scope="session")
def pristine(synthetic: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a corpus that no test may change."""
    return synthetic.make_corpus(tmp_path_factory.mktemp("pristine") / "corpus").path


@pytest.fixture
def corpus(pristine: Path, tmp_path: Path) -> Corpus:
    """Copy the corpus, with its hard links, for one test that may change it."""
    subprocess.run(["cp", "-a", str(pristine), str(tmp_path / "corpus")], check=True)
    return Corpus(tmp_path / "corpus")
