"""What a path stands for."""

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
    """The same tree, at three kinds of address."""
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
    """Names begin behind the last folder without magic; hidden files are matched only by a dot."""
    assert expected == names(root + glob)


def test_a_folder_stands_for_all_files_of_a_kind_below_it(root: str) -> None:
    """Suffixes are compared without case; hidden files and folders are passed over."""
    assert names(root, ".jsonl") == ["a.jsonl", "deep/c.jsonl", "deep/deeper/d.JSONL"]


def test_a_file_stands_for_itself(root: str) -> None:
    """A file named outright is taken whatever it is called, under its base name, with its size."""
    (found,) = find_inputs(root + "/deep/c.jsonl")
    assert (found.name, found.size_bytes) == ("c.jsonl", 3)
    with fsspec.open(found.path) as file:
        assert file.read() == b"333"


@pytest.mark.parametrize("tail", ["/nothing.jsonl", "/*.nothing", "/no/*.jsonl"])
def test_what_is_not_there_is_a_recipe_error(root: str, tail: str) -> None:
    """Each refusal names the path and says what to do."""
    with pytest.raises(RecipeError) as caught:
        find_inputs(root + tail)
    (fault,) = caught.value.faults
    assert fault.where.endswith(tail)
    assert fault.advice


def test_a_folder_without_such_files_is_a_recipe_error(root: str) -> None:
    """An empty answer is never silent."""
    with pytest.raises(RecipeError, match=r"ends in \.html or \.htm"):
        find_inputs(root, suffixes=[".html", ".htm"])


def test_an_address_that_nothing_opens_is_a_recipe_error() -> None:
    """A protocol that fsspec does not know is the recipe's fault."""
    with pytest.raises(RecipeError, match="nosuch"):
        find_inputs("nosuch://bucket/*.jsonl")


def test_names_are_sorted_by_their_bytes(tmp_path: Path) -> None:
    """Not by locale, not by the order of the folder."""
    for name in ("é", "z", "a-b", "a/b", "a b", "Z"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"") if not (tmp_path / name).exists() else None
    (tmp_path / "é").write_bytes(b"")
    found = names(f"{tmp_path}/**")
    assert sorted(found, key=str.encode) == found


def test_a_file_whose_name_looks_like_a_glob_is_found(tmp_path: Path) -> None:
    """What is there under the very name is meant."""
    (tmp_path / "a[1]*.txt").write_bytes(b"x")
    assert names(f"{tmp_path}/a[1]*.txt") == ["a[1]*.txt"]


def test_a_name_that_is_no_utf8_is_escaped(tmp_path: Path) -> None:
    """Names go into Arrow strings; the address stays as it is and can be opened."""
    raw = os.fsencode(tmp_path) + b"/\xff.txt"
    try:
        Path(os.fsdecode(raw)).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes only UTF-8")
    (found,) = find_inputs(f"{tmp_path}/*.txt")
    assert found.name == r"\xff.txt"
    assert Path(found.path).read_bytes() == b"x"


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    """Records are named by their file; two alike would be one."""
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes only UTF-8")
    (tmp_path / r"\xff").write_bytes(b"")
    with pytest.raises(RecipeError, match="has the same name as"):
        find_inputs(f"{tmp_path}/*")


def test_links_are_followed_but_never_in_a_circle(tmp_path: Path) -> None:
    """A link to a folder above is not walked into again."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x.txt").write_bytes(b"x")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "a/up").symlink_to(tmp_path)
    assert {"a/x.txt", "b/x.txt"} <= set(names(f"{tmp_path}/**/x.txt"))


def test_a_link_to_nothing_is_a_recipe_error(tmp_path: Path) -> None:
    """An input that is named but not there would be lost silently."""
    (tmp_path / "x.txt").symlink_to(tmp_path / "gone")
    with pytest.raises(RecipeError, match="cannot be read"):
        find_inputs(f"{tmp_path}/*.txt")


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    """What can be read only once cannot be built from, and opening it would wait for ever."""
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(RecipeError, match="regular file"):
        find_inputs(str(tmp_path / "pipe.txt"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_a_recipe_error(folder: Path) -> None:
    """A folder or file without rights is said before anything is read."""
    (folder / "deep").chmod(0)
    try:
        with pytest.raises(RecipeError, match="folder cannot be read"):
            find_inputs(f"{folder}/**/*.jsonl")
    finally:
        (folder / "deep").chmod(0o755)


def test_an_unreadable_folder_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same by a stand-in, for those who run the tests as root."""

    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(RecipeError, match="Permission denied"):
        find_inputs(str(folder), suffixes=[".jsonl"])
