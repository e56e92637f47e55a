"""The command line in this process, and the corpus that `init` and `build` make."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from builder.cli import main


@dataclass(frozen=True)
class Done:
    """What a command gave back."""

    status: int
    out: str
    err: str


Run = Callable[..., Done]


def run_in(folder: Path, *args: str) -> Done:
    """Run `builder` as its entry point does, in a folder."""
    out, err = io.StringIO(), io.StringIO()
    status: int | str | None = None
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(list(args))
        except SystemExit as end:
            status = end.code
    assert isinstance(status, int)
    return Done(status, out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class Start:
    """A folder with `my`, which `init` made, and its corpus `my/corpus`, which `build` made."""

    folder: Path
    init: Done
    build: Done


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Run `init` and `build` once; nobody may change what they made."""
    folder = tmp_path_factory.mktemp("start")
    init = run_in(folder, "init", "my")
    return Start(folder, init, run_in(folder, "build", "my/recipe.yaml", "--workers", "1"))


@pytest.fixture
def run(start: Start) -> Run:
    """Run `builder` beside that corpus."""
    return lambda *args: run_in(start.folder, *args)


@pytest.fixture
def run_here(tmp_path: Path) -> Run:
    """Run `builder` in the test's own folder."""
    return lambda *args: run_in(tmp_path, *args)
