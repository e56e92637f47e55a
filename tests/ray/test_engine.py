"""The laws of an engine, on a cluster of this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="the extra `ray` is not installed")

sys.path.insert(0, str(Path(__file__).parents[1] / "unit/engines"))
import chores

from builder.engines.ray import RayEngine
from builder.errors import WorkerDiedError

MEMORY = 1_200_000_000


def no_versions() -> dict[str, str]:
    return {}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayEngine]:
    """One cluster for all tests of this module."""
    ticks: list[tuple[int, int]] = []
    here = Path(__file__).parents[1] / "unit/engines"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(here))
        engine = RayEngine(
            address=None,
            workers=2,
            memory_bytes=MEMORY,
            folder=tmp_path_factory.mktemp("spool"),
            files={},
            variables=(("SECRET_OF_TEST", "canary-in-a-coal-mine"),),
            versions=no_versions,
            on_progress=lambda *done: ticks.append(done),
        )
        engine.ticks = ticks  # type: ignore[attr-defined]
        patch.setenv("SECRET_OF_TEST", "canary-in-a-coal-mine")
        with engine:
            engine.start()
            yield engine


@pytest.mark.parametrize("untrusted", [False, True])
def test_results_come_in_the_order_of_the_tasks(engine: RayEngine, untrusted: bool) -> None:
    """A slow task must not change the order."""
    assert list(engine.map(chores.dawdle, range(30), untrusted=untrusted)) == list(range(30))


def test_no_task_gives_no_result(engine: RayEngine) -> None:
    """An empty map ends."""
    assert list(engine.map(chores.square, [])) == []


def test_an_exception_comes_after_the_results_before_it(engine: RayEngine) -> None:
    """It has its own type and the traceback of the node."""
    results = engine.map(chores.refuse_seven, range(20))
    assert [next(results) for _ in range(7)] == list(range(7))
    with pytest.raises(LookupError, match="seven is not there") as caught:
        next(results)
    assert "refuse_seven" in "".join(caught.value.__notes__)


def test_an_exception_that_cannot_be_pickled_comes_as_text(engine: RayEngine) -> None:
    """The text says what happened."""
    with pytest.raises(RuntimeError, match="an error in a worker"):
        list(engine.map(chores.raise_odd, [1]))


@pytest.mark.parametrize(
    ("how", "reason"), [("segfault", "crash"), ("hang", "timeout"), ("memory", "memory")]
)
def test_a_unit_that_ends_its_worker_is_left_out(
    engine: RayEngine, tmp_path: Path, how: str, reason: str
) -> None:
    """The guard runs inside the Ray worker; what it caught comes back with the answer."""
    engine.caught.clear()
    reader = chores.Reader(folder=str(tmp_path), harm={(1, 4): how}, limit_s=2.0)
    found = list(engine.map(reader, [0, 1], untrusted=True))
    assert found == [["read"] * 10, ["read"] * 4 + [reason] + ["read"] * 5]
    assert [(one.task, one.unit, one.reason) for one in engine.caught] == [(1, 4, reason)]


def test_a_task_that_ends_its_worker_three_times_fails(engine: RayEngine) -> None:
    """Ray would call it again without end."""
    with pytest.raises(WorkerDiedError, match="task 4: ended 3 workers of the cluster"):
        list(engine.map(chores.die_outside, range(5)))
    assert list(engine.map(chores.square, [3])) == [9]


def test_progress_counts_each_record_once(engine: RayEngine, tmp_path: Path) -> None:
    """A finished task reports its records and bytes."""
    engine.ticks.clear()  # type: ignore[attr-defined]
    list(engine.map(chores.Reader(folder=str(tmp_path), harm={}), range(3), untrusted=True))
    assert [sum(column) for column in zip(*engine.ticks, strict=True)] == [30, 3000]  # type: ignore[attr-defined]


def test_a_function_that_runs_alone_returns_its_result(engine: RayEngine) -> None:
    """It has all processors and the memory of the largest node."""
    assert engine.alone(chores.square, 7) == 49
    assert engine.threads == 2


def test_no_value_of_a_variable_is_sent_through_ray(engine: RayEngine, tmp_path: Path) -> None:
    """A function, a task and a result may hold it; state and logs of Ray have its name only."""
    import ray

    secret = "canary-in-a-coal-mine"
    assert list(engine.map(chores.Echo(secret), [f"a {secret} b"])) == [[secret, f"a {secret} b"]]
    with pytest.raises(ValueError, match=secret):
        list(engine.map(chores.Complain(secret), [1]))
    session = Path(ray._private.worker._global_node.get_session_dir_path())
    found = [path for path in session.rglob("*") if path.is_file() and secret.encode() in _bytes(path)]
    assert found == []


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
