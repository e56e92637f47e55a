"""The probe of a node names what the node lacks; no Ray is needed to test it."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builder.engines import ray_probe
from builder.engines.hidden_values import proof_of
from builder.engines.ray_probe import NodeNeeds, probe

VERSIONS = {"python": "3.12", "numpy": "2.4.0"}


@pytest.fixture
def expected(tmp_path: Path) -> NodeNeeds:
    """What a node has, if nothing is wrong."""
    (tmp_path / "token").write_text("token", encoding="ascii")
    return NodeNeeds(
        folder=str(tmp_path), token="token", versions=VERSIONS, files={}, variables={}, salt=b"salt"
    )


def test_a_node_with_everything_has_no_fault_and_keeps_no_file(expected: NodeNeeds, tmp_path: Path) -> None:
    """Two nodes may probe the same folder at once."""
    assert probe(expected, VERSIONS) == []
    assert [path.name for path in tmp_path.iterdir()] == ["token"]


def test_another_library_or_a_missing_one_is_named(expected: NodeNeeds) -> None:
    """Other libraries can give other bytes."""
    found = probe(expected, {"python": "3.12", "numpy": "2.0.0"})
    assert [what for what, _ in found] == ["has numpy 2.0.0, not 2.4.0 as here"]
    assert [what for what, _ in probe(expected, {"numpy": "2.4.0"})] == [
        "has python (none), not 3.12 as here"
    ]


@pytest.mark.parametrize("harm", ["no folder", "no token", "another token"])
def test_storage_that_is_not_shared_is_named(expected: NodeNeeds, tmp_path: Path, harm: str) -> None:
    """A folder of the same path on each node is not the same folder."""
    if harm == "no folder":
        expected = replace(expected, folder=str(tmp_path / "missing"))
    elif harm == "no token":
        (tmp_path / "token").unlink()
    else:
        (tmp_path / "token").write_text("other", encoding="ascii")
    ((what, advice),) = probe(expected, VERSIONS)
    assert "does not" in what
    assert "share" in advice


@pytest.mark.parametrize("call", ["write", "rename", "link", "lock", "map"])
def test_storage_without_a_call_that_builds_need_is_named(
    expected: NodeNeeds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Mounts of object stores have no links, locks or renames."""

    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setitem(ray_probe._ATTEMPTS, call, refuse)
    ((what, _),) = probe(expected, VERSIONS)
    assert what == f"cannot {call} files in {tmp_path}: Operation not supported"
    assert [path.name for path in tmp_path.iterdir()] == ["token"]


def test_another_input_or_none_is_named(expected: NodeNeeds, tmp_path: Path) -> None:
    """The same path must have the same file."""
    (tmp_path / "a.jsonl").write_text("12345")
    assert probe(replace(expected, files={str(tmp_path / "a.jsonl"): 5}), VERSIONS) == []
    for files in ({str(tmp_path / "a.jsonl"): 6}, {str(tmp_path / "b.jsonl"): 5}):
        ((what, _),) = probe(replace(expected, files=files), VERSIONS)
        assert "another file or none" in what


def test_a_missing_or_other_variable_is_named_without_its_value(
    expected: NodeNeeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a salted digest of the value is sent."""
    expected = replace(expected, variables={"KEY_OF_TEST": proof_of(["s3cret"], b"salt")})
    monkeypatch.setenv("KEY_OF_TEST", "s3cret")
    assert probe(expected, VERSIONS) == []
    monkeypatch.setenv("KEY_OF_TEST", "other")
    assert [what for what, _ in probe(expected, VERSIONS)] == ["has another value of KEY_OF_TEST"]
    monkeypatch.delenv("KEY_OF_TEST")
    assert [what for what, _ in probe(expected, VERSIONS)] == ["has no environment variable KEY_OF_TEST"]
