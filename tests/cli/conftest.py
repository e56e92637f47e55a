"""Fixtures: the command line in this process, and the corpus that `init` and `build` create."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
import synthetic_corpus
from hub.process import StandIn

from builder.cli import main
from builder.corpus import Corpus


@dataclass(frozen=True)
class Done:
    """The result of a command."""

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
    """A folder with `my`, created by `init`, and the corpus `my/corpus`, created by `build`."""

    folder: Path
    init: Done
    build: Done


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Run `init` and `build` once; tests must not change the files."""
    folder = tmp_path_factory.mktemp("start")
    init = run_in(folder, "init", "my")
    return Start(folder, init, run_in(folder, "build", "my/recipe.yaml", "--workers", "1"))


@pytest.fixture(scope="session")
def lamps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the corpus `lamps` in versions 1.0.0 and 2.0.0; its records have all outcomes."""
    folder = tmp_path_factory.mktemp("lamps")
    old = [_lamp(i, "lit at dusk") for i in range(30)]
    new = [_lamp(i, "lit at dusk") for i in range(30)]
    new[3] = _lamp(99, "new on the pier")
    new[5] = _lamp(5, "put out at dawn")
    new[12], new[13] = new[13], new[12]
    new[20], new[29] = new[29], _lamp(20, "moved to the pier")
    corpus = Corpus.open_or_create(folder / "lamps", name=synthetic_corpus.NAME)
    for version, rows in (("1.0.0", old), ("2.0.0", new)):
        table = pa.Table.from_pylist(rows, schema=synthetic_corpus.SCHEMA)
        synthetic_corpus.write_version(corpus, version, [table])
    return folder


def _lamp(number: int, what: str) -> dict[str, object]:
    return {
        "id": f"{number:032x}",
        "text": f"Lamp {number} of the harbour is {what}, as ever.",
        "tags": [what],
    }


@pytest.fixture
def run(start: Start) -> Run:
    """Run `builder` in the folder of that corpus."""
    return lambda *args: run_in(start.folder, *args)


@pytest.fixture(scope="session")
def run_with_hub(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Run `builder` in the folder of that corpus, in a process that uses a stand-in Hub."""
    folder = tmp_path_factory.mktemp("hub")
    with StandIn(folder / "hub") as hub:

        def run(*args: str) -> Done:
            done = hub.builder(*args, home=folder / "home", cwd=start.folder)
            return Done(done.returncode, done.stdout, done.stderr)

        yield run


@pytest.fixture
def run_here(tmp_path: Path) -> Run:
    """Run `builder` in the test's own folder."""
    return lambda *args: run_in(tmp_path, *args)
