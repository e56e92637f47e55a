"""The changes to a repository give it the files of a version, and leave all other files alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from builder.hub.diff import Local, Remote, TreeChanges, compare_trees, find_obeyed
from builder.hub.wanted import local_file

PATHS = st.sampled_from(
    ["README.md", "manifest.json", "data/a.parquet", "data/b.parquet", "audit/x", "LICENSE", "img/a.png"]
)
CONTENTS = st.sampled_from([b"one", b"two", b"three"])
FILES = st.dictionaries(PATHS, CONTENTS)


def remote(path: str, data: bytes) -> Remote:
    """Return a file as the Hub reports it: Parquet files are large, all others are small."""
    found = local_file(data)
    large = path.endswith(".parquet")
    return Remote(git_oid=found.git_oid, sha256=found.sha256 if large else None, bytes=len(data))


def apply(diff: TreeChanges, wanted: dict[str, bytes], there: dict[str, bytes]) -> dict[str, bytes]:
    """Apply the changes of a diff."""
    done = {path: data for path, data in there.items() if path not in diff.delete}
    done |= {one.path: wanted[one.path] for one in diff.add}
    return done | {one.path: there[one.source] for one in diff.copy}


def compared(wanted: dict[str, bytes], there: dict[str, bytes], ours: frozenset[str]) -> TreeChanges:
    """Compare plain files."""
    local: dict[str, Local] = {path: local_file(data) for path, data in wanted.items()}
    return compare_trees(local, {path: remote(path, data) for path, data in there.items()}, ours=ours)


@given(FILES, FILES, st.frozensets(PATHS))
def test_the_changes_give_the_wanted_files(
    wanted: dict[str, bytes], there: dict[str, bytes], ours: frozenset[str]
) -> None:
    """In addition to them, only the files in ``left_alone`` remain."""
    diff = compared(wanted, there, ours)
    done = apply(diff, wanted, there)
    assert {path: done[path] for path in wanted} == wanted
    assert {path: data for path, data in done.items() if path not in wanted} == {
        path: there[path] for path in diff.left_alone
    }
    assert not set(diff.left_alone) & ours
    assert not [path for path in diff.left_alone if path.startswith(("data/", "audit/"))]
    assert compared(wanted, done, ours).empty


@given(FILES, FILES)
def test_a_file_that_exists_on_the_hub_is_not_sent(wanted: dict[str, bytes], there: dict[str, bytes]) -> None:
    """A file is added only if no large file on the Hub has its bytes."""
    large = {data for path, data in there.items() if path.endswith(".parquet")}
    diff = compared(wanted, there, frozenset())
    assert not [one.path for one in diff.add if wanted[one.path] in large]
    assert all(there[one.source] == wanted[one.path] for one in diff.copy)


def test_files_of_the_hub_and_of_the_tag_stay() -> None:
    """`.gitattributes` belongs to the Hub; main keeps the files of a tag."""
    there = {name: remote(name, b"x") for name in (".gitattributes", "audit/ledger.parquet", "data/old")}
    diff = compare_trees({}, there, keep=frozenset({"audit/ledger.parquet"}))
    assert (diff.delete, diff.left_alone) == (("data/old",), ())


def test_files_that_load_dataset_uses_instead_of_the_card_are_found() -> None:
    """These are metadata files, and a script with the name of the repository."""
    there = {name: remote(name, b"") for name in ("tides.py", "other.py", "dataset_infos.json")}
    assert find_obeyed(there, "harbour/tides") == ["dataset_infos.json", "tides.py"]
