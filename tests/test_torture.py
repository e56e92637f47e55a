"""The short form of the torture, and that it sees all changes and finds planted faults."""

from __future__ import annotations

import ast
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from torture import failing, fuzz, inputs, kills, power, together
from torture.__main__ import all_targets
from torture.code import COMMAND_MODULES, ROOT, digest_of
from torture.page import page
from torture.record import MODES, Disk, after_power_loss, read_changes
from torture.scenes import COMMANDS, HTML_STAGES, WRITERS
from torture.shim import Plan, is_possible
from torture.tally import Sum, Tally
from torture.yard import Outcome, Yard, stride

from builder.cli.main import COMMANDS as COMMANDS_OF_BUILDER
from builder.registry import SOURCES as SOURCES_OF_BUILDER
from builder.registry import STAGES as STAGES_OF_BUILDER

needs_shim = pytest.mark.skipif(not is_possible(), reason="needs Linux and a C compiler")


@pytest.fixture(scope="module")
def yard() -> Iterator[Yard]:
    with Yard() as made:
        yield made


# -- every part is in the tables -------------------------------------------------------------------


def test_each_command_is_tortured() -> None:
    """A new command joins the tables of scenes.py: WRITERS or READERS."""
    assert {call[0] for call in COMMANDS.values()} == set(COMMANDS_OF_BUILDER)
    assert set(COMMAND_MODULES) == set(COMMANDS) - {"schema"}


def test_each_source_is_fuzzed() -> None:
    """A new source joins SOURCES of inputs.py."""
    assert set(inputs.SOURCES) == set(SOURCES_OF_BUILDER)


def test_each_stage_is_in_a_tortured_build() -> None:
    """A new stage joins HTML_STAGES of scenes.py."""
    assert set(HTML_STAGES) == set(STAGES_OF_BUILDER), (
        "add the stage to HTML_STAGES of tests/torture/scenes.py"
    )


def test_each_kernel_is_fuzzed() -> None:
    """A new module of kernels joins KERNELS of inputs.py."""
    folder = ROOT / "builder" / "kernels"
    found = {
        ".".join(path.relative_to(folder).with_suffix("").parts)
        for path in folder.rglob("*.py")
        if _compiles(ast.parse(path.read_text()))
    }
    assert set(inputs.KERNELS) == found


def _compiles(module: ast.Module) -> bool:
    functions = [node for node in module.body if isinstance(node, ast.FunctionDef)]
    names = {getattr(one, "id", "") for node in functions for one in node.decorator_list}
    return bool(names & {"kernel", "array_kernel"})


def test_the_page_is_that_of_the_tally() -> None:
    """No figure of docs/reliability.md is typed in."""
    written = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    assert written == page(Tally(ROOT / "docs/reliability.json"))


# -- the tally -------------------------------------------------------------------------------------


def test_tries_add_up_until_the_code_changes(tmp_path: Path) -> None:
    """A run goes on where the last one ended; a target with other code begins again."""
    target = failing.FailingCalls("yank", "EIO")
    tally = Tally(tmp_path / "tally.json")
    tally.of(target).add(Outcome(), tries=1, seconds=0.5)
    tally.of(target).add(Outcome("hangs", "it hung"), tries=1, seconds=0.5)
    tally.save()
    again = Tally(tmp_path / "tally.json")
    assert (again.of(target).tries, again.of(target).faults) == (2, {"hangs": 1})
    assert "| yank: EIO | 2 | 1 |" in page(again)
    document = json.loads((tmp_path / "tally.json").read_text())
    document[target.name]["code"] = "other"
    (tmp_path / "tally.json").write_text(json.dumps(document))
    assert Tally(tmp_path / "tally.json").of(target) == Sum(group=target.group, code=target.code)


def test_a_digest_of_code_follows_imports() -> None:
    """A change in what a module imports is a change of its code."""
    assert digest_of("domain.url") != digest_of("domain.version")
    assert len({one.name for one in all_targets()}) == len(all_targets())


@pytest.mark.parametrize("n", [1, 2, 3, 10, 97, 100])
def test_consecutive_tries_meet_each_call(n: int) -> None:
    assert sorted(stride(number, n) for number in range(n)) == list(range(1, n + 1))


# -- the torture sees what it should ---------------------------------------------------------------


@needs_shim
@pytest.mark.unmeasured
def test_the_recorder_sees_every_change(yard: Yard) -> None:
    """All changes replayed give the files that the command left."""
    record = yard.folder / "all"
    with yard.scene("yank") as folder:
        before = Disk.of(folder)
        assert yard.call(folder, "yank", Plan(record=record)).status == 0
        after = Disk.of(folder)
    replayed = before.copy()
    for change in read_changes(record):
        if change.verb not in ("sync", "map"):
            replayed.apply(change)
    assert _tree(replayed) == _tree(after) != _tree(before)


def _tree(disk: Disk) -> dict[str, object]:
    return {name: bytes(disk.files[to]) if isinstance(to, int) else to for name, to in disk.names.items()}


@needs_shim
@pytest.mark.unmeasured
def test_a_builder_that_syncs_nothing_is_found(yard: Yard) -> None:
    """A planted fault: without fsync, some disk is damaged after power loss."""
    code = "import os; os.fsync = lambda _: None; from builder.cli import main; main(arguments)"
    record = yard.folder / "unsynced"
    yard.expected("yank")
    with yard.scene("yank") as folder:
        before = Disk.of(folder)
        assert yard.call(folder, "yank", Plan(record=record), code=code).status == 0
    faults = set()
    for mode in MODES[1:]:
        disk = after_power_loss(before, read_changes(record), mode, chance=random.Random(1))
        with yard.empty() as folder:
            disk.write_to(folder)
            faults.add(yard.judge_corpus("yank", folder).fault)
    assert "versions damaged" in faults


@needs_shim
@pytest.mark.unmeasured
def test_a_command_that_loses_its_corpus_is_found(yard: Yard) -> None:
    """A planted fault: files that no command touched are gone."""
    yard.expected("yank")
    with yard.scene("yank") as folder:
        for shard in (folder / "corpus/1.0.0/data").iterdir():
            shard.parent.chmod(0o755)
            shard.unlink()
        assert yard.judge_corpus("yank", folder).fault


# -- the short form --------------------------------------------------------------------------------

SHORT = [
    *(kills.Kills(name, "call") for name in ("yank", "takedown")),
    *(failing.FailingCalls(name, "EIO") for name in ("gc", "drop", "versions")),
    *(failing.FailingCalls(name, "ENOSPC") for name in ("yank", "addition")),
    failing.FailingCalls("takedown", "EMFILE"),
    failing.FailingCalls("validate", "EACCES"),
    failing.FailingCalls("yank", "short write"),
    power.PowerLoss("yank"),
    together.Together("takedown", "yank"),
    *(fuzz.Fuzzing("source", name) for name in ("jsonl", "csv", "warc")),
    *(fuzz.Fuzzing("grammar", name) for name in ("URL", "seal", "journal", "index")),
]


@pytest.mark.sampled(4)
@needs_shim
@pytest.mark.unmeasured
@pytest.mark.parametrize("target", SHORT, ids=lambda one: one.name)
def test_a_try_finds_no_fault(yard: Yard, target: failing.FailingCalls) -> None:
    """`make torture` runs many of them, on all targets."""
    assert target.attempt(yard, 5) == Outcome()


def test_each_writer_is_killed_and_loses_power() -> None:
    assert {one.command for one in kills.targets() if isinstance(one, kills.Kills)} < set(WRITERS)
    assert {one.command for one in power.targets()} < set(WRITERS)
