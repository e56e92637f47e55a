"""The source of JSON files: arrays, wrappers, documents one after the other."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from builder.engines.guard import NullGuard
from builder.errors import RecipeError
from builder.io.json import JsonSource
from builder.io.reading import file_source

if TYPE_CHECKING:
    from pathlib import Path

TWO = [{"url": "a", "n": [1, {"b": "}"}]}, {"url": "b", "text": 'say "[" \\'}]


def read(
    folder: Path, data: bytes | None = None, *, name: str = "a.json", batch_rows: int = 100, **options: Any
) -> tuple[list[bytes], list[tuple[str, int, str]]]:
    """Return the bytes of the records, and the failures; check that every record is counted."""
    if data is not None:
        (folder / name).write_bytes(data)
    source = JsonSource(path=str(folder), **options)
    raw: list[bytes] = []
    failed: list[tuple[str, int, str]] = []
    for task in source.tasks():
        n_records = 0
        for reading in source.read(task, guard=NullGuard(), batch_rows=batch_rows):
            assert reading.n_records == reading.batch.num_rows + reading.rejected.num_rows
            rejected = reading.rejected.to_pylist()
            ordinals = [r["_record"]["ordinal"] for r in (*reading.batch.to_pylist(), *rejected)]
            assert sorted(ordinals) == list(range(n_records, n_records + reading.n_records))
            n_records += reading.n_records
            raw += reading.batch.column("_raw").to_pylist()
            failed += [(r["reason"], r["_record"]["offset"], r["message"]) for r in rejected]
    return raw, failed


def values(folder: Path, data: bytes, **options: Any) -> list[Any]:
    raw, failed = read(folder, data, **options)
    assert not failed
    return [json.loads(one) for one in raw]


FORMS = {
    "array": json.dumps(TWO),
    "scrapy": "[\n" + ",\n".join(map(json.dumps, TWO)) + "\n]\n",
    "appended": "".join(f"[\n{json.dumps(one)}\n]" for one in TWO),
    "pretty": json.dumps(TWO, indent=2),
    "lines": "\n".join(map(json.dumps, TWO)),
    "pretty-documents": "\n".join(json.dumps(one, indent=4) for one in TWO),
    "concatenated": "".join(map(json.dumps, TWO)),
    "with-commas": ",\r\n".join(map(json.dumps, TWO)),
    "record-separators": "".join(f"\x1e{json.dumps(one)}\n" for one in TWO),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("form", FORMS)
def test_each_element_or_document_is_a_record(tmp_path: Path, form: str, encoding: str) -> None:
    """Scrapers write all of these forms under the same suffix; UTF-16 needs its mark."""
    assert values(tmp_path, FORMS[form].encode(encoding)) == TWO
    (tmp_path / "a.json").unlink()
    assert values(tmp_path, gzip.compress(FORMS[form].encode(encoding)), name="a.json.gz") == TWO


def test_the_id_has_the_offset_of_the_record(tmp_path: Path) -> None:
    """The same record has the same id in every build; a file with one document has the offset 0."""
    (tmp_path / "a.json").write_bytes(b'{"a": 1}')
    (tmp_path / "b.json").write_bytes(b'[{"a": 1},\n {"b": 2}]')
    source = JsonSource(path=str(tmp_path))
    (task,) = source.tasks()
    (reading,) = source.read(task, guard=NullGuard(), batch_rows=9)
    ids = [row["id"] for row in reading.batch.column("_record").to_pylist()]
    assert ids == ["json/a.json@0", "json/b.json@1", "json/b.json@12"]


@pytest.mark.parametrize(
    ("document", "records", "expected"),
    [
        ('{"success": true, "data": [{"a": 1}, {"a": 2}], "next": null}', "/data/*", [{"a": 1}, {"a": 2}]),
        ('{"crawl": {"https://a.example": {"a": 1}, "https://b.example": {"a": 2}}}', "/crawl/*", None),
        ('[{"items": [{"a": 1}]}, {"items": []}, {"items": [{"a": 2}]}]', "/*/items/*", None),
        ('{"pages": [{"page": {"a": 1}}, {"page": {"a": 2}}]}', "/pages/*/page", None),
        ('{"data": [{"a": 1}]}\n{"data": [{"a": 2}]}\n', "/data/*", None),
        ('{"a/b": {"~": [0, [{"a": 1}, {"a": 2}]]}}', "/a~1b/~0/1/*", None),
        ('{"Größe": [{"a": 1}, {"a": 2}]}', "/Größe/*", None),
        ('[{"a": 1}, {"a": 2}]', "/*", None),
        ('[{"a": 1}, {"a": 2}]', "", [[{"a": 1}, {"a": 2}]]),
    ],
)
def test_a_pointer_leads_to_the_records(
    tmp_path: Path, document: str, records: str, expected: list[Any] | None
) -> None:
    """A star matches every element and member; an empty pointer is the document itself."""
    assert values(tmp_path, document.encode(), records=records) == (expected or [{"a": 1}, {"a": 2}])


def test_a_document_without_the_records_fails_and_names_its_members(tmp_path: Path) -> None:
    """A wrapper of an error, or a wrong pointer, is seen; an empty list is no fault."""
    data = b'{"data": []}\n{"error": "quota", "code": 7}\n{"data": [{"a": 1}]}\n{"data": null}'
    raw, failed = read(tmp_path, data, records="/data/*")
    assert raw == [b'{"a": 1}']
    assert [(reason, offset) for reason, offset, _ in failed] == [("json_pointer", 13), ("json_pointer", 64)]
    message = "records: /data/* leads to no record: /data is missing; the members there are error, code"
    assert failed[0][2] == message


@pytest.mark.parametrize("pointer", ["data", "/a~2", "/a" * 65])
def test_a_pointer_that_cannot_be_used_is_a_recipe_error(tmp_path: Path, pointer: str) -> None:
    """It is found before a file is read."""
    (tmp_path / "a.json").write_bytes(b"[]")
    with pytest.raises(RecipeError, match=r"records: .* JSON pointer"):
        JsonSource(path=str(tmp_path), records=pointer).tasks()


def test_a_record_that_breaks_off_does_not_take_the_next_ones_with_it(tmp_path: Path) -> None:
    """A crawler that was killed and started again leaves such lines; `validate` fails the broken one."""
    good = b'{"url": "a"}'
    for broken in (
        b'{"url": "b',
        b'{"url": "b", ',
        b'{"url": ["b"',
        b'{"n": 1',
        b'{"n": [1, 2], "x": {"a": "b',
    ):
        for data, last in (
            (broken + b"\n" + good + b"\n", broken),
            (b"[" + broken + b"\n" + good + b"]", broken),
        ):
            raw, failed = read(tmp_path, data)
            assert (raw, failed) == ([last.strip(), good], [])


@pytest.mark.parametrize(
    ("data", "n_records", "failed"),
    [
        (b'[{"a": 1}, {"a": 2}', 2, ["json_cut"]),
        (b'[{"a": 1}, {"a": ', 2, []),
        (b'[{"a": 1}', 1, ["json_cut"]),
        (b"[]", 0, []),
        (b"", 1, []),
        (b" \n ", 1, []),
        (b"<html>\n<p>quota</p>\n</html>", 1, []),
        (b'[1, "a", null, [{}]]', 4, []),
        (b'{"a": 1}]\n', 2, []),
    ],
)
def test_nothing_is_lost_without_a_row(
    tmp_path: Path, data: bytes, n_records: int, failed: list[str]
) -> None:
    """A file that ends inside an array is one failed record more; what is not JSON is a record that fails."""
    raw, failures = read(tmp_path, data)
    assert (len(raw), [reason for reason, _, _ in failures]) == (n_records, failed)


def test_a_damaged_file_gives_the_records_before_the_damage(tmp_path: Path) -> None:
    """The readable part of the record that contains the damage is kept with the rejection."""
    data = gzip.compress(
        b"[" + b",".join(b'{"text": "%06d %s"}' % (i, b"x" * 1000) for i in range(999)) + b"]", 0
    )
    raw, failed = read(tmp_path, data[:500_000], name="a.json.gz")
    assert [reason for reason, _, _ in failed] == ["gzip_truncated"]
    assert 400 < len(raw) < 500


def test_a_record_over_the_limit_fails_and_is_not_held(tmp_path: Path) -> None:
    """The other records are read; an array of any size takes the memory of a chunk and a record."""
    raw, failed = read(tmp_path, b'[{"a": "12345"}, {"a": 1}, {"a": "1234567"}]', max_record_bytes=14)
    assert raw == [b'{"a": "12345"}', b'{"a": 1}']
    assert [(reason, offset) for reason, offset, _ in failed] == [("record_too_big", 27)]
    with gzip.open(tmp_path / "a.json.gz", "wb", compresslevel=1) as file:
        file.write(b'[{"a": "')
        for _ in range(200):
            file.write(b"a" * 1_000_000)
        file.write(b'"}, {"a": 1}]')
    (tmp_path / "a.json").unlink()
    tracemalloc.start()
    raw, failed = read(tmp_path, max_record_bytes=1 << 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (raw, [reason for reason, _, _ in failed]) == ([b'{"a": 1}'], ["record_too_big"])
    assert peak < 32 << 20


def test_small_files_are_read_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The records do not depend on the grouping or the size of batches."""
    for i in range(10):
        (tmp_path / f"{i}.json").write_bytes(b"[%d, %d]" % (i, i))
    whole = read(tmp_path)
    assert len(whole[0]) == 20
    monkeypatch.setattr(file_source, "GROUP_FILES", 3)
    assert len(JsonSource(path=str(tmp_path)).tasks()) == 4
    assert read(tmp_path, batch_rows=3) == whole


@pytest.mark.corpora
def test_every_real_file_gives_a_record(corpora: Path) -> None:
    """Whatever the content: broken files, deep nesting, other encodings. Only an empty array gives none."""
    folder = corpora / "json-test-suite"
    source = JsonSource(path=str(folder / "**/*.json"))
    n_records = sum(
        reading.n_records
        for task in source.tasks()
        for reading in source.read(task, guard=NullGuard(), batch_rows=99)
    )
    assert n_records > 0.9 * len(source.inputs()) > 0
