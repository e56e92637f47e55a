"""The corpus on which the examples in docstrings run: that of `builder init my-corpus`, built once."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ON_THE_HUB = ("publish", "fetch")
"""Functions whose examples need a Hub: tests/publish/test_examples_in_docstrings.py runs them."""


@pytest.fixture(scope="session")
def built_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the recipe of `builder init`, with its corpus."""
    from builder import build
    from builder.operations.init import init

    folder = tmp_path_factory.mktemp("examples") / "my-corpus"
    init(folder)
    build(folder / "recipe.yaml", workers=1)
    return folder


@pytest.fixture(autouse=True)
def _next_to_a_corpus(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Run an example that names `my-corpus` next to a copy of it."""
    if not isinstance(request.node, pytest.DoctestItem):
        yield
        return
    test = request.node.dtest
    if test.name.rpartition(".")[2] in ON_THE_HUB:
        pytest.skip("needs a Hub: tests/publish/test_examples_in_docstrings.py runs it")
    if "my-corpus" in (test.docstring or ""):
        folder = tmp_path_factory.mktemp("example")
        shutil.copytree(request.getfixturevalue("built_corpus"), folder / "my-corpus", symlinks=True)
        monkeypatch.chdir(folder)
    yield
