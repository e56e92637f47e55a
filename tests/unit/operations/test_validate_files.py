"""``builder validate`` judges any file by any schema."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builder.errors import BuilderError, ContractError
from builder.operations.judging import MAX_PLACES
from builder.operations.validate import validate

if TYPE_CHECKING:
    from pathlib import Path

LINES = b'{"text": "x"}\n\n{"url": 3}\r\n{bad\n[1]\n{"html": "y"}'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_bad_lines_are_listed_with_line_and_offset(folder: Path) -> None:
    """Each bad line is listed with its number, its offset and its faults; the sums add up."""
    (folder / "feed.jsonl").write_bytes(LINES)
    found = validate(["feed.jsonl"], contract="page-1")
    assert (found.n_records, found.n_valid, found.n_rejected, found.n_failed) == (5, 2, 2, 1)
    assert not found.is_valid
    assert dict(found.reasons) == {"any_of": 1, "broken_json": 1, "type": 1}
    (file,) = found.files
    places = [(place.line, place.offset, place.outcome, place.reason) for place in file.places]
    assert places == [
        (3, 15, "rejected", "any_of"),
        (4, 27, "failed", "broken_json"),
        (5, 32, "rejected", "type"),
    ]
    assert [fault.pointer for fault in file.places[0].faults] == ["", "/url"]


def test_compressed_files_have_lines_too(folder: Path) -> None:
    """Offsets and lines are those of the decompressed file."""
    (folder / "feed.jsonl.gz").write_bytes(gzip.compress(LINES))
    (file,) = validate(["*.gz"], contract="page-1").files
    assert [place.line for place in file.places] == [3, 4, 5]


@pytest.mark.parametrize(
    ("document", "valid"),
    [("3", True), ("[3]", True), ("[[3]]", False), ('"x"', False), ("4.0", True)],
)
def test_a_json_file_has_documents_of_any_kind(document: str, valid: bool, folder: Path) -> None:
    """Numbers and strings are judged like objects; the elements of an array are records."""
    (folder / "schema.json").write_text('{"type": ["integer", "boolean"]}')
    (folder / "document.json").write_text(document)
    assert validate(["document.json"], contract="schema.json").is_valid == valid


def test_parquet_rows_are_judged(folder: Path) -> None:
    """A row is judged as its JSON record; its place is the row number."""
    table = pa.table({"text": ["x", None, "z"], "status": pa.array([200, 200, None], pa.int32())})
    pq.write_table(table, folder / "rows.parquet")
    found = validate(["rows.parquet"], contract="page-1")
    assert (found.n_records, found.n_valid) == (3, 2)
    assert [(place.ordinal, place.line) for place in found.files[0].places] == [(1, None)]


def test_rejected_records_are_written_unchanged(folder: Path) -> None:
    """One line for each record that is not valid, with its faults."""
    (folder / "feed.jsonl").write_bytes(LINES)
    validate(["feed.jsonl"], contract="page-1", rejected="bad.jsonl")
    rows: list[dict[str, Any]] = [
        json.loads(line) for line in (folder / "bad.jsonl").read_text().splitlines()
    ]
    assert [(row["ordinal"], row["reason"], row["record"]) for row in rows] == [
        (1, "any_of", '{"url": 3}'),
        (2, "broken_json", "{bad"),
        (3, "type", "[1]"),
    ]
    assert rows[0]["faults"][1]["keyword"] == "type"


def test_only_the_first_places_are_listed_but_all_are_counted(folder: Path) -> None:
    """All records of a bad file are counted."""
    (folder / "feed.jsonl").write_bytes(b"{}\n" * 2500)
    found = validate(["feed.jsonl"], contract="page-1")
    assert (found.n_rejected, len(found.files[0].places)) == (2500, MAX_PLACES)
    assert [place.line for place in found.files[0].places] == list(range(1, MAX_PLACES + 1))


def test_a_record_without_a_canonical_form_is_not_valid(folder: Path) -> None:
    """Duplicate keys and lone surrogates are rejected with any schema."""
    (folder / "schema.json").write_text("true")
    (folder / "feed.jsonl").write_bytes(b'{"a":1,"a":2}\n"\\ud800"\n18446744073709551617\n')
    found = validate(["feed.jsonl"], contract="schema.json")
    assert dict(found.reasons) == {"duplicate_key": 1, "lone_surrogate": 1}


def test_mistakes_of_the_caller_are_errors(folder: Path) -> None:
    """A missing file, an invalid schema and an output that cannot be written are errors."""
    with pytest.raises(BuilderError, match=r"feed\.jsonl"):
        validate(["feed.jsonl"], contract="page-1")
    (folder / "feed.jsonl").write_bytes(b"{}")
    with pytest.raises(ContractError, match="cannot be read"):
        validate(["feed.jsonl"], contract="schema.json")
    with pytest.raises(BuilderError, match="cannot be written"):
        validate(["feed.jsonl"], contract="page-1", rejected="no/such/folder.jsonl")


def test_a_member_with_a_name_of_digits_does_not_stop_the_command(folder: Path) -> None:
    """The pointer has the name as it is."""
    schema = {"properties": {"m": {"additionalProperties": {"type": "string"}}}}
    (folder / "c.json").write_text(json.dumps(schema), encoding="utf-8")
    (folder / "a.jsonl").write_text('{"m": {"1": 5}}\n{"m": {"01": 5}}\n', encoding="utf-8")
    (verdict,) = validate([str(folder / "a.jsonl")], contract=str(folder / "c.json")).files
    assert [place.faults[0].pointer for place in verdict.places] == ["/m/1", "/m/01"]


def judged(folder: Path, name: str, data: bytes, contract: str = "page-1") -> tuple[int, int, int]:
    (folder / name).write_bytes(data)
    found = validate([str(folder / name)], contract=contract)
    return found.n_valid, found.n_rejected, found.n_failed


TABLE = b"url,text\nhttps://a.example/1,some text\nhttps://a.example/2,\n"
HTML = b"<html><body><p>some text</p></body></html>"
WARC = (
    b"WARC/1.0\r\nWARC-Type: %s\r\nWARC-Target-URI: https://a.example/1\r\n"
    b"WARC-Date: 2024-01-01T00:00:00Z\r\nContent-Type: application/http\r\n"
    b"Content-Length: %d\r\n\r\n%s\r\n\r\n"
)
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + HTML


@pytest.mark.parametrize(
    ("name", "data", "counts"),
    [
        ("a.csv", TABLE, (1, 1, 0)),
        ("a.tsv", TABLE.replace(b",", b"\t"), (1, 1, 0)),
        ("a.csv.gz", gzip.compress(TABLE, mtime=0), (1, 1, 0)),
        ("A.CSV", TABLE, (1, 1, 0)),
        ("a.html", HTML, (1, 0, 0)),
        ("a.htm.gz", gzip.compress(HTML, mtime=0), (1, 0, 0)),
        ("a.txt", b"some text", (1, 0, 0)),
        ("a.warc.gz", gzip.compress(WARC % (b"response", len(RESPONSE), RESPONSE), mtime=0), (1, 0, 0)),
        ("a.ndjson", b'{"text": "x"}\n{"text": 1}\n', (1, 1, 0)),
        ("a.log", b'{"text": "x"}\n{"text": 1}\n', (1, 1, 0)),
        ("a", b"\xef\xbb\xbf\n {\n[1]\n", (0, 1, 1)),
        ("empty.log", b"", (0, 0, 0)),
    ],
)
def test_each_format_is_read_as_a_build_reads_it(
    name: str, data: bytes, counts: tuple[int, int, int], folder: Path
) -> None:
    """A table is not lines of broken JSON. The null text of the second row is not valid in page-1."""
    assert judged(folder, name, data) == counts


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.xlsx", b"PK\x03\x04"), ("a.pdf", b"%PDF-1.7"), ("a.bin", b"\0\1\2"), ("a.log", b"plain words\n")],
)
def test_a_format_that_is_not_read_is_refused(name: str, data: bytes, folder: Path) -> None:
    """The error names the formats that are read."""
    with pytest.raises(BuilderError, match=r"is not a format that is read.*\.jsonl.*\.csv"):
        judged(folder, name, data)


def test_records_of_an_archive_that_are_not_pages_are_not_judged(folder: Path) -> None:
    """An archive has a request for each response."""
    request = b"GET / HTTP/1.1\r\n\r\n"
    data = WARC % (b"request", len(request), request) + WARC % (b"response", len(RESPONSE), RESPONSE)
    (folder / "a.warc").write_bytes(data)
    found = validate([str(folder / "a.warc")], contract="page-1")
    assert (found.n_records, found.n_valid, found.n_not_pages) == (1, 1, 1)


def test_faults_are_grouped_over_all_files(folder: Path) -> None:
    """Each group has a count and the first value."""
    for name, values in (("a.jsonl", [1, 2]), ("b.jsonl", [3])):
        lines = [json.dumps({"text": value, "fetched_at": "x"}) for value in values]
        (folder / name).write_text("\n".join(lines), encoding="utf-8")
    found = validate([str(folder / "*.jsonl")], contract="page-1")
    groups = [(one.rule, one.pointer, one.count, one.example) for one in found.contract_faults]
    assert ("type", "/text", 3, "1") in groups
    assert ("format", "/fetched_at", 3, '"x"') in groups


def test_a_recipe_is_judged_with_the_options_of_its_sources(folder: Path) -> None:
    """Renamed members, and the delimiter of a table."""
    (folder / "a.csv").write_bytes(b"link;body\nhttps://a.example/1;some text\n")
    (folder / "b.jsonl").write_text('{"body": "x"}\n{"body": 1}\n{"body": "x", "text": "y"}\n')
    (folder / "recipe.yaml").write_text(
        "name: t\ncorpus: out\nsources:\n"
        "- csv: {path: a.csv, delimiter: ';', rename: {body: text, link: url}}\n"
        "- jsonl: {path: '*.jsonl', rename: {body: text}}\n"
    )
    found = validate(recipe=folder / "recipe.yaml")
    assert [(one.n_valid, dict(one.reasons)) for one in found.files] == [
        (1, {}),
        (1, {"any_of": 1, "rename_conflict": 1}),
    ]
    assert not (folder / "out").exists()


def test_files_and_a_recipe_exclude_each_other(folder: Path) -> None:
    """A recipe has its own inputs and its own contract."""
    for options in ({}, {"contract": "page-1", "recipe": "r.yaml"}):
        with pytest.raises(BuilderError, match="name files and a contract, or a recipe alone"):
            validate(["a.jsonl"] if not options else [], **options)


def test_idle_keywords_are_warnings(folder: Path) -> None:
    """The contract judges less than its author believes."""
    (folder / "c.json").write_text('{"properties": {"a": {"minlength": 3}}}')
    (folder / "a.jsonl").write_text('{"a": "x"}')
    found = validate([str(folder / "a.jsonl")], contract=str(folder / "c.json"))
    assert [fault.where for fault in found.warnings] == ["/properties/a/minlength"]
