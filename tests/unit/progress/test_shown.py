"""Progress of the Python functions: on a terminal and in a notebook, and nowhere else."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from commands import write_recipe
from planted import sentence, write_lines
from terminals import on_terminal

import builder
from builder.domain.progress import ignore_progress
from builder.progress import notebook, shown
from builder.progress.notebook import NotebookTable, in_notebook
from builder.progress.phases import Phases

SHOW_CURSOR = "\x1b[?25h"
"""What the bars print when they end."""

PROGRAM = """
import sys
from builder import build, check, dedup, diff, takedown, validate, verify

shown = {{}} if sys.argv[1:] == [] else {{"progress": False}}
check("recipe.json", **shown)
version = build("recipe.json", workers=1, **shown).version
validate("feed/a.jsonl", contract="page-1", **shown)
dedup("feed/a.jsonl", output="clean", workers=1, **shown)
diff("corpus", version, version, **shown)
takedown("corpus", urls="https://a.example/1", because="asked", **shown)
verify("corpus", **shown)
"""
FUNCTIONS = 7


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program that calls the functions with progress, next to a recipe."""
    rows = [{"text": sentence(i), "url": f"https://a.example/{i}"} for i in range(5)]
    write_lines(tmp_path / "feed/a.jsonl", rows)
    write_recipe(tmp_path, [{"jsonl": {"path": "feed/*.jsonl"}}], stages=["dedup_exact"], name="recipe.json")
    (tmp_path / "program.py").write_text(PROGRAM.format())
    return tmp_path / "program.py"


@pytest.mark.parametrize(("arguments", "n_shown"), [([], FUNCTIONS), (["quiet"], 0)])
def test_functions_show_bars_on_a_terminal(program: Path, arguments: list[str], n_shown: int) -> None:
    """`progress=False` shows none."""
    status, said = on_terminal(*arguments, cwd=program.parent, program=[sys.executable, program])
    assert status == 0, said
    assert said.count(SHOW_CURSOR) == n_shown
    assert said.strip() or not n_shown


def test_functions_show_nothing_in_a_script(program: Path) -> None:
    """A log has no bars, and stdout is that of the program."""
    ran = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, cwd=program.parent, check=True
    )
    assert (ran.stdout, ran.stderr) == ("", "")


def test_every_function_that_shows_progress_can_be_quiet() -> None:
    """Where reports can be received, `progress=False` turns the display off."""
    taking = {
        name: set(inspect.signature(getattr(builder, name)).parameters)
        for name in builder.__all__
        if not inspect.isclass(getattr(builder, name))
    }
    assert [name for name, found in taking.items() if "advance" in found and "progress" not in found] == []
    assert {name for name, found in taking.items() if "progress" in found} >= {"build", "fetch", "publish"}


class Cell:
    """The output of a cell: what was displayed last under each id, as IPython keeps it."""

    def __init__(self) -> None:
        self.outputs: list[list[str]] = []

    def display(self, value: Any, *, display_id: bool) -> Any:
        assert display_id
        history = [value._repr_html_()]
        self.outputs.append(history)
        return SimpleNamespace(update=lambda value: history.append(value._repr_html_()))


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Cell:
    """A notebook, as programs see it."""
    found = Cell()
    module = ModuleType("IPython")
    module.get_ipython = lambda: SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    display = ModuleType("IPython.display")
    display.display = found.display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setattr(notebook, "_SECONDS_OF_SHORT_WORK", 0.0)
    monkeypatch.setattr(notebook, "_SECONDS_BETWEEN_UPDATES", 0.0)
    return found


@shown.shows_progress(phases={"read": 1.0})
def work(
    *, advance: Any = ignore_progress, notice: Any = lambda text: None, progress: bool = True
) -> Callable[..., None]:
    """Work that reports, and what it reports to."""
    notice("<b>all</b> inputs are read again")
    advance("records", done=7, total=0, unit="records")
    advance("read", done=1, total=2, unit="<bytes>")
    return advance  # type: ignore[no-any-return]


def test_a_notebook_shows_a_table_that_goes_and_notices_that_stay(cell: Cell) -> None:
    """A cell of a notebook that is saved has no bar that stands still."""
    assert isinstance(work(), NotebookTable)
    (history,) = cell.outputs
    assert "7 records" in history[-2]
    assert "1 of 2 &lt;bytes&gt;" in history[-2]
    assert "<progress value='0.500'" in history[-2]
    assert history[-1] == "<div>&lt;b&gt;all&lt;/b&gt; inputs are read again</div>"


def test_short_work_shows_nothing_in_a_notebook(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that flashes is noise."""
    monkeypatch.setattr(notebook, "_SECONDS_OF_SHORT_WORK", 60.0)
    with notebook.show_table(Phases({})) as advance:
        advance("read", done=1, total=2, unit="rows")
    assert cell.outputs == []


def test_who_receives_the_progress_sees_none(cell: Cell) -> None:
    """So a program with a display of its own is not disturbed."""
    assert work(advance=ignore_progress) is ignore_progress
    assert work(progress=False) is ignore_progress
    assert cell.outputs == []


def test_a_program_without_ipython_is_not_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """A console of IPython is a terminal."""
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not in_notebook()
    console = ModuleType("IPython")
    console.get_ipython = lambda: object()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", console)
    assert not in_notebook()


def test_a_program_without_stderr_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program without a console has no stderr."""
    monkeypatch.setattr(sys, "stderr", None)
    assert work() is ignore_progress
