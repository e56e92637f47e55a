"""The local engine returns results or raises an error, whatever the functions do."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from builder.engines.local import LocalEngine
from builder.errors import BuilderError, WorkerDiedError

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE))
import chores  # noqa: E402 - workers get this process's path, and import it by the same name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def shared() -> Iterator[LocalEngine]:
    """Create one engine for the tests that leave it usable."""
    with LocalEngine(workers=2) as engine:
        yield engine


@pytest.fixture(params=[(1, False), (1, True), (2, False), (2, True)], ids=str)
def do(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, shared: LocalEngine
) -> Callable[..., Any]:
    """Return a map that runs in this process or in workers."""
    workers, untrusted = request.param
    monkeypatch.setattr(shared, "workers", workers)
    return lambda function, tasks: shared.map(function, tasks, untrusted=untrusted)


def test_results_come_in_the_order_of_the_tasks(do: Callable[..., Any]) -> None:
    """A slow task must not change the order."""
    assert list(do(chores.dawdle, range(30))) == list(range(30))


def test_no_task_gives_no_result(do: Callable[..., Any]) -> None:
    """An empty map must end and not wait for a result."""
    assert list(do(chores.square, [])) == []


def test_an_exception_comes_after_the_results_before_it(do: Callable[..., Any]) -> None:
    """It has its own type, as without workers."""
    results = do(chores.refuse_seven, range(20))
    assert [next(results) for _ in range(7)] == list(range(7))
    with pytest.raises(LookupError, match="seven is not there"):
        next(results)


def test_tasks_are_taken_as_they_are_needed(do: Callable[..., Any]) -> None:
    """A map over endless tasks must return its first results."""
    taken = 0

    def endless() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    results = do(chores.square, endless())
    assert [next(results) for _ in range(5)] == [1, 4, 9, 16, 25]
    results.close()
    assert taken < 200


def test_an_untrusted_function_never_runs_in_this_process(shared: LocalEngine) -> None:
    """Even a single task could crash this process."""
    assert os.getpid() not in list(shared.map(chores.where, range(1), untrusted=True))


def test_a_trusted_function_begins_in_this_process() -> None:
    """A short map needs no workers, as long as none are running."""
    with LocalEngine(workers=2) as engine:
        assert list(engine.map(chores.where, range(3))) == [os.getpid()] * 3
        engine.start()
        assert os.getpid() not in list(engine.map(chores.where, range(3)))


def test_workers_have_loaded_the_preloaded_modules() -> None:
    """The zygote loads them once, before it forks the workers."""
    with LocalEngine(workers=1, preload=["wave"]) as engine:
        assert list(engine.map(chores.has_loaded, ["wave", "colorsys"], untrusted=True)) == [True, False]


def test_an_exception_has_the_traceback_of_the_worker(shared: LocalEngine) -> None:
    """A note of the exception contains it, because a traceback cannot be pickled."""
    with pytest.raises(LookupError) as caught:
        list(shared.map(chores.refuse_seven, [7], untrusted=True))
    assert "chores.py" in "".join(caught.value.__notes__)


def test_an_exception_that_cannot_be_pickled_comes_as_text(shared: LocalEngine) -> None:
    """No exception of a worker may be lost."""
    with pytest.raises(RuntimeError) as caught:
        list(shared.map(chores.raise_odd, [1], untrusted=True))
    assert "OddError: odd" in "".join(caught.value.__notes__)


def test_a_function_that_workers_cannot_import_is_an_error(shared: LocalEngine) -> None:
    """A function inside a function has no name for an import; the message says what to do."""
    with pytest.raises(BuilderError, match="top level of a module"):
        list(shared.map(lambda n, guard: n, [1], untrusted=True))


def test_a_map_that_is_left_early_leaves_the_engine_usable(shared: LocalEngine) -> None:
    """The engine stops its workers and starts others."""
    results = shared.map(chores.sleep_for_ever, range(5), untrusted=True)
    results.close()
    assert list(shared.map(chores.square, [3], untrusted=True)) == [9]


def test_two_maps_can_run_at_the_same_time(shared: LocalEngine) -> None:
    """Each map receives its own results."""
    one = shared.map(chores.square, range(100), untrusted=True)
    other = shared.map(chores.dawdle, range(100), untrusted=True)
    assert [*zip(one, other, strict=True)] == [(n * n, n) for n in range(100)]


def test_what_a_worker_prints_does_not_reach_stdout() -> None:
    """Standard output is for the result of the command."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import chores\n"
        "from builder.engines.local import LocalEngine\n"
        "with LocalEngine(workers=1) as engine: print(list(engine.map(chores.lie, [1], untrusted=True)))"
    )
    assert run("-c", program, str(HERE)).stdout == "[1]\n"


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("hang", "timeout"),
        ("segfault", "crash"),
        ("exit", "crash"),
        ("memory", "memory"),
        ("native memory", "memory"),
    ],
)
def test_a_unit_that_ends_its_worker_is_left_out(tmp_path: Path, how: str, reason: str) -> None:
    """The task runs again, and the unit is refused with the reason. All other units are read once."""
    reader = chores.Reader(str(tmp_path), {(1, 4): how, (1, 5): how}, limit_s=0.3 if how == "hang" else 60.0)
    with LocalEngine(workers=2, memory_bytes=300 << 20) as engine:
        results = list(engine.map(reader, range(3), untrusted=True))
    assert results[0] == results[2] == ["read"] * 10
    assert results[1] == ["read"] * 4 + [reason] * 2 + ["read"] * 4
    caught = [(one.task, one.stage, one.unit, one.reason) for one in engine.caught]
    assert caught == [(1, "read", 4, reason), (1, "read", 5, reason)]


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_worker_that_is_killed_once_costs_no_unit(tmp_path: Path, signal_number: int) -> None:
    """The kernel may kill a worker when memory runs out. The page of this worker is not the cause."""
    reader = chores.Reader(str(tmp_path), {(1, 4): f"killed once {int(signal_number)}"})
    with LocalEngine(workers=2) as engine:
        assert list(engine.map(reader, range(3), untrusted=True)) == [["read"] * 10] * 3
    assert engine.caught == []


def test_a_unit_is_refused_at_the_second_death_in_it(tmp_path: Path) -> None:
    """One death in each of two units refuses neither of them; two deaths in one unit refuse it."""
    harm = {(1, 4): "killed once 9", (1, 5): "killed once 9", (1, 6): "segfault"}
    with LocalEngine(workers=1) as engine:
        (result,) = engine.map(chores.Reader(str(tmp_path), harm), [1], untrusted=True)
    assert result == ["read"] * 6 + ["crash"] + ["read"] * 3
    assert [(one.unit, one.reason) for one in engine.caught] == [(6, "crash")]


def test_the_process_that_starts_workers_may_be_killed() -> None:
    """The error says what to do, and is not a traceback for the user."""
    with LocalEngine(workers=1) as engine, pytest.raises(WorkerDiedError, match="run the same command again"):
        list(engine.map(chores.kill_parent, [None], untrusted=True))


def test_progress_counts_each_record_once(tmp_path: Path) -> None:
    """A task that runs again must not count its finished units again."""
    told = [0, 0]

    def listen(n_records: int, n_bytes: int) -> None:
        told[0] += n_records
        told[1] += n_bytes

    with LocalEngine(workers=2, on_progress=listen) as engine:
        list(engine.map(chores.Reader(str(tmp_path), {}), range(5), untrusted=True))
    assert told == [50, 5000]


def test_a_task_that_dies_outside_of_any_unit_is_an_error_that_names_it(shared: LocalEngine) -> None:
    """The engine gives up after several attempts, because it has no unit to refuse."""
    with pytest.raises(WorkerDiedError, match=r"^3: .*exit status 5"):
        list(shared.map(chores.die_outside, range(5), untrusted=True))


def test_a_unit_that_is_touched_again_is_an_error(shared: LocalEngine) -> None:
    """A function that ignores the refusal would otherwise run for ever."""
    with pytest.raises(WorkerDiedError, match=r"left out before: .*'read', 1.*: 'crash'"):
        list(shared.map(chores.die_obstinately, [1], untrusted=True))


# -- the processes ---------------------------------------------------------------------------------

SCRIPT = """
import sys
sys.path.insert(0, {here!r})
import chores
from builder.engines.local import LocalEngine
engine = LocalEngine(workers=2)
print(list(engine.map(chores.square, range(4), untrusted=True)))
"""


def run(*args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", *args]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=60, check=True, cwd=ROOT
    )


def test_a_script_without_a_main_guard_works() -> None:
    """The script comes from stdin, so workers cannot import it as a file. It does not close the engine."""
    done = run("-", stdin=SCRIPT.format(here=str(HERE)))
    assert (done.stdout, done.stderr) == ("[0, 1, 4, 9]\n", "")


BUSY = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in the background
sys.path.insert(0, {here!r})
import chores
from builder.engines.local import LocalEngine
engine = LocalEngine(workers=2)
list(engine.map(chores.square, range(4), untrusted=True))
print("ready", flush=True)
list(engine.map(chores.sleep_for_ever, range(4), untrusted=True))
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are found in /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_no_process_outlives_the_engine(how: signal.Signals) -> None:
    """The zygote and busy workers end with a killed, interrupted or terminated process."""
    mark = f"builder-test-{os.getpid()}-{how}"
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY.format(here=str(HERE))],
        env={**os.environ, "BUILDER_TEST_MARK": mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == b"ready\n"
    assert len(marked(mark)) == 4
    process.send_signal(how)
    process.wait(timeout=20)
    give_up = time.monotonic() + 20
    while (left := marked(mark)) and time.monotonic() < give_up:
        time.sleep(0.02)
    assert left == []


def marked(mark: str) -> list[str]:
    """List the processes with a mark in their environment."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark.encode() in (place / "environ").read_bytes():
                found.append(place.name)
    return found


def test_a_function_that_runs_alone_may_use_the_memory_of_all_workers() -> None:
    """This is twice the memory of one worker. The engine stops its workers first and starts them again."""
    with LocalEngine(workers=2, memory_bytes=600_000_000) as engine:
        before = list(engine.map(chores.worker_pid, range(4), untrusted=True))
        assert engine.alone(chores.hold, 800_000_000) == 800_000_000
        for pid in set(before):
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
        assert len(list(engine.map(chores.worker_pid, range(4), untrusted=True))) == 4
        with pytest.raises(WorkerDiedError, match="memory"):
            engine.alone(chores.hold, 2_000_000_000)
