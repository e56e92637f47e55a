"""Builds on a cluster have the digest of a build on one machine, whatever ends meanwhile."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import builder, start
from ray_clusters import descendants, digest_of, kill_all, raylet_of, run_facts

from builder import Recipe, build, verify
from builder.errors import BuilderError
from builder.pipeline import choose_engine

pytest.importorskip("ray", reason="the extra `ray` is not installed")

Write = Callable[[str], Path]


@pytest.fixture
def calm(recipe: Write, tmp_path: Path) -> str:
    """The digest of a build on one machine."""
    return build(Recipe.load(recipe("calm")), workers=1, batch_rows=20).digest


@pytest.mark.parametrize("n_nodes", [1, 2])
def test_a_cluster_gives_the_digest_of_one_machine(
    cluster: Callable[[int], Any], recipe: Write, calm: str, tmp_path: Path, n_nodes: int
) -> None:
    """Every node takes part; run.json names the nodes."""
    one = cluster(n_nodes)
    result = build(Recipe.load(recipe("far")), engine="ray", ray_address=one.address, batch_rows=20)
    assert result.digest == calm
    facts = run_facts(tmp_path / "far")
    assert facts["engine"] == "ray"
    assert len(facts["nodes"]) == n_nodes
    assert not list(verify(tmp_path / "far").faults)
    assert [path.name for path in (tmp_path / "far/.spool").iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("phase", ["read", "write"])
@pytest.mark.parametrize("whole", [True, False], ids=["the whole node", "its raylet only"])
def test_a_node_that_dies_costs_nothing(
    cluster: Callable[[int], Any], recipe: Write, calm: str, tmp_path: Path, whole: bool, phase: str
) -> None:
    """The tasks that it ran are run again on the other node; a worker that lives on does no harm."""
    one = cluster(2)
    victim = one.list_all_nodes()[-1]
    killed = threading.Event()

    def advance(now: str, *, done: int, total: int, unit: str) -> None:
        if now == phase and not killed.is_set():
            killed.set()
            raylet = raylet_of(victim)
            kill_all(descendants(raylet) if whole else [raylet])

    far = Recipe.load(recipe("far"))
    result = build(far, engine="ray", ray_address=one.address, batch_rows=20, advance=advance)
    assert killed.is_set()
    assert result.digest == calm
    assert not list(verify(tmp_path / "far").faults)


@pytest.mark.parametrize("second", ["ray", "local"])
def test_a_build_whose_driver_dies_is_finished_by_the_same_command(
    recipe: Write, calm: str, tmp_path: Path, second: str
) -> None:
    """By either engine; finished tasks are not read again."""
    path = recipe("far")
    driver = start("build", path, "--engine", "ray", "--batch-rows", "20")
    deadline = time.monotonic() + 300
    while not list((tmp_path / "far").glob(".spool/*/0/*/done")) and time.monotonic() < deadline:
        time.sleep(0.05)
    driver.kill()
    driver.communicate()
    done = list((tmp_path / "far").glob(".spool/*/0/*/done"))
    assert done
    written = {one: one.stat().st_mtime_ns for one in done}
    run = builder("build", path, "--engine", second, "--batch-rows", "20", "--json", timeout_s=600)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["digest"] == calm == digest_of(tmp_path / "far")
    assert {one: one.stat().st_mtime_ns for one in written if one.exists()} in ({}, written)


def test_a_node_with_another_input_is_refused_by_its_name(
    cluster: Callable[[int], Any], recipe: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is read, and no version is written."""
    one = cluster(1)
    monkeypatch.setattr(
        choose_engine, "_one_file_of_each_source", lambda _: {str(tmp_path / "feed/0.jsonl"): 7}
    )
    with pytest.raises(BuilderError) as caught:
        build(Recipe.load(recipe("far")), engine="ray", ray_address=one.address)
    (fault,) = caught.value.faults
    assert str(fault.where).startswith(f"node {os.uname().nodename}")
    assert "another file or none" in str(fault.what)
    assert list((tmp_path / "far/.spool").glob("*/0/*")) == []


def test_an_address_without_a_cluster_is_an_error_in_a_sentence(recipe: Write) -> None:
    """It says what to check."""
    run = builder("build", recipe("far"), "--engine", "ray", "--ray-address", "127.0.0.1:9", timeout_s=300)
    assert run.returncode == 1
    assert "cannot connect to the cluster 127.0.0.1:9" in run.stderr
    assert "Traceback" not in run.stderr
