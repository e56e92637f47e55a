"""The manifest: its form, what it refuses, and what its digests depend on."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from jsonschema import Draft202012Validator

from builder.assets import schemas_folder
from builder.domain.json.canonical import canonical_json
from builder.domain.manifest import CutSizes, FileEntry, Manifest, ShardEntry, SplitEntry
from builder.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Callable

FIELDS = (
    "format name version parent reason contract recipe inputs tombstones schema counts tools "
    "data_digest files splits"
)


def sha(character: str) -> str:
    return character * 64


def make_manifest(**facts: Any) -> Manifest:
    shards = (
        ShardEntry(path="data/train-00000-of-00002.parquet", sha256=sha("a"), bytes=10, rows=2),
        ShardEntry(path="data/train-00001-of-00002.parquet", sha256=sha("b"), bytes=20, rows=3),
    )
    cut = CutSizes(shard_min=1, shard_max=2, group_min=1, group_max=2)
    train = SplitEntry(
        rows=5, bytes=30, raw_bytes=99, content_digest=sha("c"), order_digest=sha("d"), cut=cut, shards=shards
    )
    return Manifest(
        **{
            "name": "news",
            "version": "1.0.0",
            "parent": None,
            "reason": "first version",
            "contract": {"name": "page-1", "digest": sha("e")},
            "recipe": {"digest": sha("f"), "document": {"splits": {"train": 0.98, "test": 0.02}}},
            "inputs": {"count": 1, "bytes": 4, "digest": sha("0"), "files": []},
            "tombstones": {"count": 0, "digest": sha("1")},
            "columns": pa.schema([("id", pa.string()), ("at", pa.timestamp("us", "UTC"))]),
            "counts": {"records": 7, "kept": 5, "rejected": 1, "merged": 0, "failed": 1, "reasons": {}},
            "tools": {"pyarrow": "26.0.1"},
            "files": (FileEntry(path="README.md", sha256=sha("2"), bytes=3),),
            "splits": {"train": train},
            **facts,
        }
    )


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    document = make_manifest().document()
    change(document)
    return canonical_json(document)


def test_a_manifest_has_exactly_the_promised_fields() -> None:
    """The schema file requires them all."""
    schema = json.loads((schemas_folder() / "manifest-1.schema.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    assert set(make_manifest().document()) == set(FIELDS.split())
    assert schema["required"] == FIELDS.split() == list(schema["properties"])


def test_a_manifest_reads_back_unchanged() -> None:
    """parse(to_bytes(x)) = x, and the digest is the hash of the bytes."""
    manifest = make_manifest(parent={"version": "0.9.0", "digest": sha("9")})
    data = manifest.to_bytes()
    assert Manifest.parse(data) == manifest
    assert Manifest.parse(data).to_bytes() == data
    assert manifest.digest == hashlib.sha256(data).hexdigest()
    assert manifest.rows == 5
    assert [name for name, _ in manifest.shards()] == ["train", "train"]


def test_the_bytes_of_a_manifest_never_change() -> None:
    """The digest of every published version depends on them."""
    assert make_manifest().digest == "05f5acb492d25a8584caa4fe68bff027c27d2360a198248d3fb53ba25331e950"
    assert make_manifest().data_digest == "1efad8ee1943669b9f6ee9b7faa3642f368755531730420eed80bef3dd7052e8"


@pytest.mark.parametrize(
    "facts",
    [
        {"tools": {"pyarrow": "27.0.0"}},
        {"version": "2.0.0"},
        {"reason": "other"},
        {"files": ()},
        {"inputs": {"count": 9, "bytes": 4, "digest": sha("0"), "files": []}},
    ],
)
def test_the_data_digest_does_not_depend_on_how_a_version_was_built(facts: dict[str, Any]) -> None:
    """Libraries, numbers, cards and inputs change the digest and do not change the data digest."""
    assert make_manifest(**facts).digest != make_manifest().digest
    assert make_manifest(**facts).data_digest == make_manifest().data_digest


def test_the_data_digest_depends_on_rows_contract_and_columns() -> None:
    """Other rows, another order, another contract or other columns are other data; other shards are not."""
    manifest = make_manifest()
    train = manifest.splits["train"]
    for facts in (
        {"contract": {"name": "page-1", "digest": sha("9")}},
        {"columns": pa.schema([("id", pa.string())])},
        {"splits": {"train": dataclasses.replace(train, content_digest=sha("9"))}},
        {"splits": {"train": dataclasses.replace(train, order_digest=sha("9"))}},
        {"splits": {"test": train}},
    ):
        assert make_manifest(**facts).data_digest != manifest.data_digest
    resharded = dataclasses.replace(train, shards=(), bytes=7, raw_bytes=1)
    assert make_manifest(splits={"train": resharded}).data_digest == manifest.data_digest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format="manifest-9"), "a newer release of builder"),
        (lambda d: d.pop("splits"), "'splits' is a required property"),
        (lambda d: d.update(more=1), "'more' was unexpected"),
        (lambda d: d.update(version="1.0"), "version"),
        (lambda d: d.update(data_digest=sha("9")), "data_digest does not match"),
        (lambda d: d["splits"]["train"].update(rows=6), "split train has 6 rows"),
        (lambda d: d["splits"]["train"].update(bytes=6), "split train has 6 bytes"),
        (lambda d: d["splits"]["train"]["shards"][0].update(rows=0), "minimum"),
        (lambda d: d["splits"]["train"]["shards"][0].update(path="/etc/passwd"), "path"),
        (lambda d: d["splits"]["train"]["shards"][0].update(path="data/../../x"), "path"),
        (lambda d: d["splits"]["train"]["shards"][0].update(path="README.md"), "have the same path"),
        (lambda d: d["files"][0].update(sha256="x"), "sha256"),
        (lambda d: d["counts"].update(kept=4), "7 records were read"),
    ],
)
def test_an_invalid_manifest_is_refused(change: Callable[[dict[str, Any]], object], message: str) -> None:
    """Missing, unknown, unsafe and contradictory values are reported with their place."""
    with pytest.raises(CorpusError) as caught:
        Manifest.parse(changed(change))
    assert message in str(caught.value)
    assert "manifest.json" in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[]", "is not of type 'object'"),
        (make_manifest().to_bytes() + b"\n", "not canonical"),
        (make_manifest().to_bytes().replace(b'"count":1', b'"count":1.0'), "not canonical"),
        (make_manifest().to_bytes().replace(b'{"bytes":4', b'{"bytes":5,"bytes":4'), "not canonical"),
    ],
)
def test_bytes_in_another_form_are_refused(data: bytes, message: str) -> None:
    """Another form of the same value would have another digest."""
    with pytest.raises(CorpusError, match=message):
        Manifest.parse(data)


@pytest.mark.parametrize("path", ["a", "data/x.parquet", "a/.b", "...", "a..b/c", ".hidden"])
def test_safe_paths_are_allowed(path: str) -> None:
    """A path below the folder is safe, even if its names contain dots."""
    manifest = make_manifest(files=(FileEntry(path=path, sha256=sha("2"), bytes=3),))
    assert Manifest.parse(manifest.to_bytes()) == manifest


@pytest.mark.parametrize("path", ["", ".", "..", "/a", "a/../b", "./a", "a//b", "a/", "a/..", "a\\b", "../a"])
def test_unsafe_paths_are_refused(path: str) -> None:
    """A path that leads out of the folder, or has two forms, is refused."""
    with pytest.raises(CorpusError):
        Manifest.parse(make_manifest(files=(FileEntry(path=path, sha256=sha("2"), bytes=3),)).to_bytes())
