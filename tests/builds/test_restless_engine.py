"""Builds on an engine that calls functions twice, in any order, and loses answers, as a cluster may do."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from planted import pages, write_lines
from restless_engine import RestlessEngine

from builder import BuildResult, Recipe, build, verify
from builder.operations import build as build_module

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

Make = Callable[..., BuildResult]

CHAINS: dict[str, list[Any]] = {
    "one barrier": ["validate", "repair_text", "dedup_url", "dedup_exact", "dedup_near"],
    "two barriers": ["validate", "dedup_exact", "repair_text", "dedup_near"],
    "tags": ["validate", {"dedup_exact": {"mode": "tag"}}, {"dedup_near": {"mode": "tag"}}],
    "no barrier": ["validate", "repair_text"],
}


@contextmanager
def on(engine: RestlessEngine) -> Iterator[RestlessEngine]:
    """Run builds on an engine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_module, "choose_engine", lambda *_, **__: engine)
        yield engine


@pytest.mark.parametrize("chain", CHAINS)
def test_order_repetition_and_loss_of_answers_do_not_change_the_digest(
    make: Make, tmp_path: Path, chain: str
) -> None:
    """Two versions with small batches: each version has the digest that it has on the local engine."""
    digests = []
    for corpus in ("calm", "restless"):
        shutil.rmtree(tmp_path / "feed", ignore_errors=True)
        for number in range(2):
            write_lines(tmp_path / "feed" / f"{number}.jsonl", pages(60)[number * 30 : number * 30 + 30])
            if corpus == "calm":
                result = make(corpus=corpus, stages=CHAINS[chain], batch_rows=7)
            else:
                with on(RestlessEngine(seed=number)) as engine:
                    result = make(corpus=corpus, stages=CHAINS[chain], batch_rows=7)
                assert engine.n_calls > 2
            digests.append(result.digest)
    assert digests[:2] == digests[2:]
    assert not list(verify(tmp_path / "restless").faults)


@pytest.mark.parametrize(
    "seed", [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)]
)
def test_the_example_has_the_same_digest_on_a_restless_engine(tmp_path: Path, seed: int) -> None:
    """Pages, archives, all stages of the example, and its splits."""
    digests = []
    for engine in (None, RestlessEngine(seed)):
        folder = tmp_path / ("calm" if engine is None else "restless")
        shutil.copytree(EXAMPLES, folder)
        recipe = Recipe.load(folder / "recipe.yaml")
        if engine is None:
            digests.append(build(recipe).digest)
        else:
            with on(engine):
                digests.append(build(recipe).digest)
    assert digests[0] == digests[1]
