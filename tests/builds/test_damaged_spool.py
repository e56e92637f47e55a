"""A build rewrites the damaged parts of a spool, and stops if an input changes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from planted import ledger_of, pages, write_lines

from builder import BuildResult
from builder.errors import SourceError
from builder.pipeline import run

Make = Callable[..., BuildResult]


class Stopped(Exception):  # noqa: N818 - it represents a power loss
    pass


def _stop(phase: str, *, done: int, total: int, unit: str) -> None:
    if phase == "settle":
        raise Stopped


def _zero_the_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 64] = bytes(64)
    path.write_bytes(data)


def _swap_halves(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[len(data) // 2 :] + data[: len(data) // 2])


DAMAGES: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "rows are zeros": ("*.rows.arrows", _zero_the_middle),
    "rows are empty": ("*.rows.arrows", lambda path: path.write_bytes(b"")),
    "rows are cut": ("*.rows.arrows", lambda path: os.truncate(path, path.stat().st_size // 2)),
    "rows are gone": ("*.rows.arrows", Path.unlink),
    "account is zeros": ("*.account.arrows", _zero_the_middle),
    "rows are swapped": ("*.rows.arrows", _swap_halves),
    "list is gone": ("*.parts", Path.unlink),
    "list is empty": ("*.parts", lambda path: path.write_bytes(b"")),
    "list is cut in a line": ("*.parts", lambda path: os.truncate(path, path.stat().st_size - 20)),
    "list is nonsense": ("*.parts", lambda path: path.write_text('0 {"n_records": []}\n')),
    "list is zeros": ("*.parts", _zero_the_middle),
    "done is empty": ("done", lambda path: path.write_bytes(b"")),
    "done is wrong": ("done", lambda path: path.write_text('{"n_parts": 1, "n_records": 1}')),
    "done is gone": ("done", Path.unlink),
}


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    return write_lines(tmp_path / "feed" / "a.jsonl", pages(40))


@pytest.mark.sampled(4)
@pytest.mark.parametrize("which", [0, -1], ids=["first", "last"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_spool_is_written_again(
    make: Make, feed: Path, tmp_path: Path, damage: str, which: int
) -> None:
    """The resumed build has the digest of an undisturbed build, whichever file was damaged."""
    calm = make(corpus="calm", batch_rows=10)
    with pytest.raises(Stopped):
        make(batch_rows=10, advance=_stop)
    (spool,) = (path for path in (tmp_path / "corpus/.spool").iterdir() if path.is_dir())
    pattern, harm = DAMAGES[damage]
    harm(sorted((spool / "0").glob(f"*/{pattern}"))[which])
    again = make(batch_rows=10)
    assert again.digest == calm.digest
    assert len(ledger_of(again)) == len(ledger_of(calm))


def _append(path: Path) -> None:
    with path.open("a") as file:
        file.write('{"text": "one more"}\n')


def _rewrite_with_old_times(path: Path) -> None:
    facts, data = path.stat(), path.read_bytes()
    path.write_bytes(data.replace(b"tide", b"tidy", 1))
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def _replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "change",
    [
        _append,
        _rewrite_with_old_times,
        _replace,
        lambda path: os.truncate(path, path.stat().st_size // 2),
        Path.unlink,
    ],
    ids=["append", "rewrite with the old times", "replace", "truncate", "delete"],
)
def test_an_input_that_changes_while_it_is_read_ends_the_build_with_its_name(
    make: Make, feed: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], Any]
) -> None:
    """Otherwise the manifest would list the hash of bytes that were not read."""
    in_this_process: dict[str, Any] = {"workers": 1, "stages": ["validate", "dedup_exact"]}
    first_pass = run.FirstPass.__call__

    def read(self: Any, numbered: Any, guard: Any) -> Any:
        found = first_pass(self, numbered, guard)
        change(feed)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(run.FirstPass, "__call__", read)
        with pytest.raises(SourceError, match=r"a\.jsonl: was changed while the build read it"):
            make(**in_this_process)
    if feed.exists():
        assert make(corpus="calm", **in_this_process).digest == make(**in_this_process).digest
