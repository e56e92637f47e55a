"""An ``index.json`` that a builder did not write is refused in a sentence, wherever its value is used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hostile_corpora import NEWEST, Scene, commands, make_scene, read, run, write

from builder.history.index_grammar import wrong_segment

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return make_scene(tmp_path)


def shard(**facts: Any) -> Change:
    return lambda index: index["shards"][0].update(facts)


def without(name: str) -> Change:
    return lambda index: index["shards"][0].pop(name)


DERIVED = {"source": "0" * 64, "removed": [], "replaced": []}
FORGERIES: dict[str, Change] = {
    "no shards": lambda index: index.update(shards=[]),
    "other shards": lambda index: [one.update(sha256=f"{i:064x}") for i, one in enumerate(index["shards"])],
    "no rows": without("rows"),
    "more rows": shard(rows=10**6),
    "a short digest": shard(content="0"),
    "languages are a list": shard(languages=["en"]),
    "newest is a number": shard(newest=10**6),
    "an unknown key": shard(colour="red"),
    "derived from nothing": shard(derived=DERIVED),
    "derived without rows": shard(derived={"source": "0" * 64}),
    "moved is a number": lambda index: index.update(moved=0),
    "retired of no version": lambda index: index.update(retired={"1": [1]}),
    "retired of a later version": lambda index: index.update(retired={"9.9.9": [1]}),
    "retired rows that do not exist": lambda index: index.update(retired={NEWEST: [10**6]}),
    "no base": lambda index: index.pop("base"),
    "another version": lambda index: index.update(version="1.0.0"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_index_is_refused(scene: Scene, forgery: str) -> None:
    """`takedown` reads all of it; it names the file, and changes nothing."""
    path = scene.corpus / f".index/{NEWEST}/index.json"
    index = read(path)
    FORGERIES[forgery](index)
    write(path, json.dumps(index).encode())
    status, said = run(commands(scene)["takedown"])
    assert status == 1, said
    assert "index.json" in said or "shards.arrow" in said
    assert "run `builder verify`" in said or "builder verify" in said


@pytest.mark.parametrize("name", ["rows", "shards", "dedup_near"])
def test_a_cut_file_of_the_index_is_refused(scene: Scene, name: str) -> None:
    """The files of a segment are mapped; a half one is an error in a sentence, also of a build."""
    (path,) = scene.corpus.glob(f".index/{NEWEST}/{name}.arrow")
    data = path.read_bytes()
    write(path, data[: len(data) // 2])
    status, said = run(commands(scene)["takedown"])
    assert (status, f"{NEWEST}/{name}.arrow: is not a whole Arrow file" in said) == (1, True), said


WRONG: dict[str, Any] = {
    "sha256": ["", 7],
    "rows": ["7", -1, True, 2**70],
    "content": [[]],
    "languages": [["en"], {"en": 0.5}],
    "derived": ["x", {**DERIVED, "removed": ["1"]}, {**DERIVED, "removed": [2, 1]}, {"source": "0" * 64}],
}


@pytest.mark.parametrize(("name", "value"), [(name, one) for name, values in WRONG.items() for one in values])
def test_a_wrong_value_is_named(name: str, value: Any) -> None:
    """The fault has the place in the file."""
    facts = {"sha256": "0" * 64, "rows": 1, "raw_bytes": 1, "content": "", "languages": {}, "domains": {}}
    shards = [{**facts, "newest": "", name: value}]
    index = {"version": "1.0.0", "base": None, "shards": shards, "retired": {}, "moved": {}}
    assert wrong_segment(index).startswith(f"shards[0].{name}")


@pytest.mark.parametrize(
    "change",
    [
        {"moved": {"0" * 32: "x"}},
        {"moved": {"x": None}},
        {"base": ["1.0.0"]},
        {"shards": 7},
        {"shards": [[]]},
    ],
)
def test_a_wrong_segment_is_named(change: dict[str, Any]) -> None:
    index = {"version": "1.0.0", "base": None, "shards": [], "retired": {}, "moved": {}}
    assert wrong_segment(index) == ""
    assert wrong_segment({**index, **change}).startswith(next(iter(change)))
