"""Progress: one estimate over all phases, bars that end, and no silent compilation."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from builder.progress import compiling
from builder.progress.phases import BUILD_PHASES, Phases
from builder.progress.terminal import Bars
from builder.report import progress


def test_the_estimate_covers_all_phases(monkeypatch: pytest.MonkeyPatch) -> None:
    """After half of the reading, more than half of the time is left, because shards are not written."""
    phases = Phases(BUILD_PHASES)
    monkeypatch.setattr(Phases, "elapsed_s", 36.0)
    assert phases.left() == "", "nothing is done"
    assert phases.advance("read", done=1, total=2) == pytest.approx(0.36)
    assert phases.left() == "about 1 min 4 s left"
    assert phases.advance("ledger", done=1, total=1) == pytest.approx(1.0)


def test_the_shares_of_the_phases_add_up() -> None:
    """The bar over all phases ends when the last phase does."""
    assert sum(BUILD_PHASES.values()) == pytest.approx(1.0)


def test_a_bar_ends_when_the_next_phase_begins(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A phase without a known end, or one that was cut short, leaves no bar that moves for ever."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress.show_progress(phases=BUILD_PHASES) as advance:
        advance("records", done=3, total=0, unit="records")
        advance("read", done=3, total=10, unit="records")
        advance("write", done=1, total=1, unit="shards")
        assert isinstance(advance, Bars)
        ended = {task.description: task.finished for task in advance._rows.tasks}
    assert ended == {"all": False, "read": True, "write": True}
    capsys.readouterr()


def test_a_compilation_is_reported_with_its_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of machine code show it, whichever process compiles."""
    said: list[str] = []
    monkeypatch.setattr(compiling, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(compiling, "is_compiling", lambda: True)
    monkeypatch.setattr(compiling, "needs_compiling", lambda: True)
    monkeypatch.setattr(compiling, "_EVERY_S", 0.01)
    monkeypatch.setattr(compiling, "_SECONDS_BETWEEN_NOTICES", 0.0)
    with compiling.watch_compiling(said.append):
        (tmp_path / "text").mkdir()
        for name in ("a", "b"):
            (tmp_path / "text" / f"{name}.nbc").touch()
            time.sleep(0.05)
    assert said[0].startswith("first run: compiling the kernels that this run needs")
    assert re.fullmatch(r"compiling kernels: [12] in \d+ s", said[1])
    assert re.match(r"compiled 2 kernels in about 1 s; later runs find them", said[-1])


def test_one_kernel_is_not_kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The notice counts in words that fit."""
    said: list[str] = []
    monkeypatch.setattr(compiling, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(compiling, "is_compiling", lambda: True)
    with compiling.watch_compiling(said.append):
        (tmp_path / "text").mkdir()
        (tmp_path / "text/a.nbc").touch()
    assert said[-1].startswith("compiled 1 kernel in")


def test_nothing_is_said_if_all_kernels_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second run has nothing to report."""
    said: list[str] = []
    monkeypatch.setattr(compiling, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(compiling, "is_compiling", lambda: True)
    monkeypatch.setattr(compiling, "needs_compiling", lambda: False)
    with compiling.watch_compiling(said.append):
        pass
    assert said == []
