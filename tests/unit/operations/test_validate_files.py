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


@pytest.mark.parametrize(("document", "valid"), [("3", True), ("[3]", False), ('"x"', False), ("4.0", True)])
def test_a_json_file_is_one_document_of_any_kind(document: str, valid: bool, folder: Path) -> None:
    """Numbers, strings and arrays are judged like objects; no Arrow mapping is needed."""
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
