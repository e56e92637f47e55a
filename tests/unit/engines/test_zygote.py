"""A zygote may start early, before a command knows whether it needs workers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from builder.engines import zygote
from builder.engines.local import LocalEngine

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import chores  # noqa: E402 - workers get this process's path, and import it by the same name


@pytest.fixture(autouse=True)
def _two_processors_and_nothing_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zygote, "processors", lambda: 2)
    monkeypatch.setattr(zygote, "_idle", {})  # what other tests have left is not ours
    monkeypatch.setattr(zygote, "_ignored", None)


def test_an_engine_takes_over_the_early_zygote() -> None:
    """The early zygote is the parent of the workers, and only one engine uses it."""
    zygote.start_early(1, ("json",))
    ((_, early),) = zygote._idle.items()
    with LocalEngine(workers=1, preload=("json",)) as engine:
        (parent,) = engine.map(chores.parent_of_worker, [None], untrusted=True)
        assert parent == early.process.pid
        assert not zygote._idle
    assert early.process.poll() is not None


def test_an_engine_of_another_size_starts_its_own_zygote() -> None:
    """The shared memory of a zygote for two workers has no room for a third."""
    zygote.start_early(2, ())
    (surroundings,) = zygote._idle
    try:
        with LocalEngine(workers=3) as engine:
            (parent,) = engine.map(chores.parent_of_worker, [None], untrusted=True)
        assert parent not in {one.process.pid for one in zygote._idle.values()}
    finally:
        zygote._end_idle(surroundings)
    assert not zygote._idle


def test_an_unused_early_zygote_ends_with_the_program() -> None:
    """No process may stay behind and load libraries."""
    program = (
        "from builder.engines import zygote\n"
        "zygote.processors = lambda: 2\n"
        "zygote.start_early(1, ())\n"
        "print(next(iter(zygote._idle.values())).process.pid)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not done.stderr
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


def test_pandas_works_when_it_is_imported() -> None:
    """pyarrow starts without pandas to save time, and uses pandas after an import."""
    program = (
        "import sys\n"
        "from builder.engines.zygote import start_arrow\n"
        "start_arrow()\n"
        "import pyarrow as pa\n"
        "assert 'pandas' not in sys.modules\n"
        "import pandas as pd\n"
        "assert list(pa.table({'a': [1]}).to_pandas().a) == [1]\n"
        "assert pa.array(pd.Series([1, None])).null_count == 1\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_kept_zygote_serves_the_next_engine_in_the_same_surroundings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another environment needs another zygote, because workers inherit the environment of theirs."""
    zygote.keep_idle(ignored=["IGNORED"])
    parents = []
    try:
        for variable in ("IGNORED", "IGNORED", "SEEN"):
            monkeypatch.setenv(variable, str(len(parents)))
            with LocalEngine(workers=1) as engine:
                parents += engine.map(chores.parent_of_worker, [None], untrusted=True)
        assert parents[0] == parents[1] != parents[2]
    finally:
        for surroundings in list(zygote._idle):
            zygote._end_idle(surroundings)


def test_a_zygote_that_died_is_not_kept() -> None:
    """The next engine starts its own."""
    zygote.keep_idle()
    with LocalEngine(workers=1) as engine:
        (parent,) = engine.map(chores.parent_of_worker, [None], untrusted=True)
        os.kill(parent, 9)
    assert not zygote._idle
