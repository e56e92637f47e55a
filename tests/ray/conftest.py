"""Fixtures of the tests that need Ray: a cluster of several nodes in this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import write_recipe
from planted import pages, sentence, write_lines

N_FILES = 6

HEALTH = {
    "health_check_period_ms": 1000,
    "health_check_failure_threshold": 5,
    "health_check_timeout_ms": 1000,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.ray)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes import the functions of the tests from where this process does."""
    paths = [str(Path(__file__).parents[1] / "unit/engines"), *filter(None, sys.path)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_LOG_TO_STDERR", "0")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


@pytest.fixture
def cluster() -> Iterator[Callable[[int], Any]]:
    """Return a function that starts a cluster with a head without processors, and nodes with one each."""
    utilities = pytest.importorskip("ray.cluster_utils", reason="the extra `ray` is not installed")
    started = []

    def start(n_nodes: int) -> Any:
        head = {"num_cpus": 0, "_system_config": HEALTH, "object_store_memory": 100_000_000}
        one = utilities.Cluster(initialize_head=True, head_node_args=head)
        started.append(one)
        for _ in range(n_nodes):
            one.add_node(num_cpus=1, object_store_memory=100_000_000)
        return one

    yield start
    import ray

    ray.shutdown()
    for one in started:
        one.shutdown()


@pytest.fixture
def recipe(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes a recipe with several tasks, one of them with HTML under the guard."""
    rows = pages(300)
    for number in range(N_FILES):
        write_lines(tmp_path / "feed" / f"{number}.jsonl", rows[number::N_FILES])
    (tmp_path / "pages").mkdir()
    for number in range(12):
        body = f"<html><body><p>{sentence(1_000 + number)}</p></body></html>"
        (tmp_path / "pages" / f"{number:02}.html").write_text(body, encoding="utf-8")
    sources = [{"jsonl": {"path": "feed/*.jsonl"}}, {"html": {"path": "pages/*.html"}}]

    def write(corpus: str) -> Path:
        return write_recipe(tmp_path, sources, corpus=corpus, name=f"{corpus}.yaml")

    return write
