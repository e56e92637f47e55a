"""The files that a source's path selects."""

from __future__ import annotations

import os
from pathlib import Path

import fsspec
import pytest

from builder.errors import RecipeError
from builder.io.streams.paths import find_inputs

TREE = {
    "a.jsonl": b"1",
    "b.jsonl.gz": b"22",
    ".hidden.jsonl": b"",
    "notes.txt": b"",
    "deep/c.jsonl": b"333",
    "deep/deeper/d.JSONL": b"4444",
    ".secret/e.jsonl": b"",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in TREE.items():
        place = tmp_path / "crawl" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    return tmp_path / "crawl"


@pytest.fixture(params=["local", "file", "memory"])
def root(request: pytest.FixtureRequest, folder: Path) -> str:
    """Return the same tree at three kinds of address."""
    if request.param != "memory":
        return str(folder) if request.param == "local" else f"file://{folder}"
    memory = fsspec.filesystem("memory")
    for name, data in TREE.items():
        memory.pipe_file(f"/crawl/{name}", data)
    return "memory://crawl"


def names(pattern: str, *suffixes: str) -> list[str]:
    return [found.name for found in find_inputs(pattern, suffixes=suffixes)]


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("/*.jsonl", ["a.jsonl"]),
        ("/*.jsonl*", ["a.jsonl", "b.jsonl.gz"]),
        ("/**/*.jsonl", ["a.jsonl", "deep/c.jsonl"]),
        ("/**", ["a.jsonl", "b.jsonl.gz", "deep/c.jsonl", "deep/deeper/d.JSONL", "notes.txt"]),
        ("/*/c.json[kl]", ["deep/c.jsonl"]),
        ("/deep/**/d.*", ["deeper/d.JSONL"]),
        ("/.s*/*", [".secret/e.jsonl"]),
        ("/?.jsonl", ["a.jsonl"]),
        ("/[!b].jsonl", ["a.jsonl"]),
    ],
)
def test_a_glob_names_files_below_its_fixed_part(root: str, glob: str, expected: list[str]) -> None:
    """Names begin after the last folder without a glob character; hidden files match only a dot."""
    assert expected == names(root + glob)


def test_a_folder_selects_all_files_with_the_suffixes_below_it(root: str) -> None:
    """Suffixes are compared without case; hidden files and folders are skipped."""
    assert names(root, ".jsonl") == ["a.jsonl", "deep/c.jsonl", "deep/deeper/d.JSONL"]


def test_the_path_of_a_file_selects_that_file(root: str) -> None:
    """Whatever its suffix; its name is its base name, and its size is known."""
    (found,) = find_inputs(root + "/deep/c.jsonl")
    assert (found.name, found.size_bytes) == ("c.jsonl", 3)
    with fsspec.open(found.path) as file:
        assert file.read() == b"333"


@pytest.mark.parametrize("tail", ["/nothing.jsonl", "/*.nothing", "/no/*.jsonl"])
def test_a_missing_path_is_a_recipe_error(root: str, tail: str) -> None:
    """The error names the path and the next step."""
    with pytest.raises(RecipeError) as caught:
        find_inputs(root + tail)
    (fault,) = caught.value.faults
    assert fault.where.endswith(tail)
    assert fault.advice


def test_a_folder_without_matching_files_is_a_recipe_error(root: str) -> None:
    """A source without input is never accepted silently."""
    with pytest.raises(RecipeError, match=r"ends in \.html or \.htm"):
        find_inputs(root, suffixes=[".html", ".htm"])


def test_an_unknown_protocol_is_a_recipe_error() -> None:
    """fsspec does not know it, so the recipe must change."""
    with pytest.raises(RecipeError, match="nosuch"):
        find_inputs("nosuch://bucket/*.jsonl")


def test_names_are_sorted_by_their_bytes(tmp_path: Path) -> None:
    """The locale and the order of the folder make no difference."""
    for name in ("é", "z", "a-b", "a/b", "a b", "Z"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"") if not (tmp_path / name).exists() else None
    (tmp_path / "é").write_bytes(b"")
    found = names(f"{tmp_path}/**")
    assert sorted(found, key=str.encode) == found


def test_a_file_whose_name_looks_like_a_glob_is_found(tmp_path: Path) -> None:
    """An existing file with exactly this name is selected."""
    (tmp_path / "a[1]*.txt").write_bytes(b"x")
    assert names(f"{tmp_path}/a[1]*.txt") == ["a[1]*.txt"]


def test_a_name_that_is_not_utf8_is_escaped(tmp_path: Path) -> None:
    """Names are written to Arrow strings; the address is unchanged, so that the file can be opened."""
    raw = os.fsencode(tmp_path) + b"/\xff.txt"
    try:
        Path(os.fsdecode(raw)).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes only UTF-8")
    (found,) = find_inputs(f"{tmp_path}/*.txt")
    assert found.name == r"\xff.txt"
    assert Path(found.path).read_bytes() == b"x"


def test_two_files_with_the_same_name_are_refused(tmp_path: Path) -> None:
    """Record ids contain the name, so the records would have the same ids."""
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes only UTF-8")
    (tmp_path / r"\xff").write_bytes(b"")
    with pytest.raises(RecipeError, match="has the same name as"):
        find_inputs(f"{tmp_path}/*")


def test_links_are_followed_but_each_folder_is_read_once(tmp_path: Path) -> None:
    """A link to a folder that is read anyway is not entered; a link to another folder is."""
    (tmp_path / "t").mkdir()
    (tmp_path / "far").mkdir()
    (tmp_path / "far/y.txt").write_bytes(b"y")
    for name in ("z", "c"):
        (tmp_path / "t" / name).symlink_to(tmp_path / "far")
    tmp_path = tmp_path / "t"
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x.txt").write_bytes(b"x")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "a/up").symlink_to(tmp_path)
    assert names(f"{tmp_path}/**/?.txt") == ["a/x.txt", "c/y.txt"]


def test_a_broken_link_is_a_recipe_error(tmp_path: Path) -> None:
    """A named input that does not exist would be lost silently."""
    (tmp_path / "x.txt").symlink_to(tmp_path / "gone")
    with pytest.raises(RecipeError, match="cannot be read"):
        find_inputs(f"{tmp_path}/*.txt")


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    """A build reads inputs more than once, and opening a pipe could wait forever."""
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(RecipeError, match="regular file"):
        find_inputs(str(tmp_path / "pipe.txt"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_or_folder_without_read_permission_is_a_recipe_error(folder: Path) -> None:
    """The error comes before any input is read."""
    (folder / "deep").chmod(0)
    try:
        with pytest.raises(RecipeError, match="folder cannot be read"):
            find_inputs(f"{folder}/**/*.jsonl")
    finally:
        (folder / "deep").chmod(0o755)


def test_an_unreadable_folder_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a simulated error, for users who run the tests as root."""

    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(RecipeError, match="Permission denied"):
        find_inputs(str(folder), suffixes=[".jsonl"])
