"""The parts of a purge: its scope, the ledger and the index."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builder.domain.ledger import LEDGER_SCHEMA
from builder.history.index import (
    INDEX_JSON,
    RECORDS_SCHEMA,
    ROWS_SCHEMA,
    SHARDS_SCHEMA,
    TEXTS_SCHEMA,
    Segment,
    ShardFacts,
    open_arrow,
    write_arrow,
)
from builder.removal.purge_audit import clean_audit
from builder.removal.purge_index import clean_index
from builder.removal.purge_scope import Scope, find_scope


class Folder:
    """The part of a corpus that these functions use: ledgers and index folders by version."""

    def __init__(self, path: Path, versions: list[str]) -> None:
        self.path = path
        self._versions = versions
        for version in versions:
            self.index_folder(version).mkdir(parents=True)
            self.audit_folder(version).mkdir(parents=True)

    def versions(self) -> list[str]:
        return self._versions

    def index_folder(self, version: str) -> Path:
        return self.path / ".index" / version

    def audit_folder(self, version: str) -> Path:
        return self.path / ".audit" / version

    def audit_file(self, version: str, name: str) -> Path:
        return self.audit_folder(version) / name

    def ledger_file(self, version: str) -> Path:
        return self.audit_folder(version) / "ledger.parquet"

    def write_ledger(self, version: str, *rows: tuple[str, str, str | None, str | None]) -> None:
        """Write rows of record, outcome, document id and kept id."""
        place = {"source": "jsonl", "path": "a", "ordinal": 0, "offset": 0}
        names = ("record_id", "outcome", "document_id", "kept_id")
        told = [
            dict.fromkeys(LEDGER_SCHEMA.names) | place | dict(zip(names, row, strict=True)) for row in rows
        ]
        pq.write_table(pa.Table.from_pylist(told, schema=LEDGER_SCHEMA), self.ledger_file(version))


@pytest.fixture
def corpus(tmp_path: Path) -> Any:
    """A corpus of two empty versions."""
    return Folder(tmp_path, ["1.0.0", "1.1.0"])


# -- scope -----------------------------------------------------------------------------------------


def scope_of(corpus: Any, *documents: str, records: tuple[str, ...] = ()) -> tuple[set[str], set[str]]:
    found = find_scope(corpus, document_ids=documents, record_ids=records)
    return set(found.documents), set(found.records)


def test_records_of_a_document_are_purged_with_it(corpus: Any) -> None:
    """They are its own record and the records merged into it; other records stay."""
    corpus.write_ledger(
        "1.0.0", ("r1", "kept", "D", "D"), ("r2", "merged", None, "D"), ("r3", "kept", "E", "E")
    )
    corpus.write_ledger("1.1.0", ("r1", "rejected", "D", None), ("r2", "rejected", None, None))
    assert scope_of(corpus, "D") == ({"D"}, {"r1", "r2"})
    assert scope_of(corpus, "D", records=("r9",)) == ({"D"}, {"r1", "r2", "r9"})


def test_a_document_that_was_merged_into_it_is_purged_with_it(corpus: Any) -> None:
    """This works over several steps: C was merged into B, and B into D."""
    corpus.write_ledger("1.0.0", *((f"r{one}", "kept", one, one) for one in "BCDE"))
    corpus.write_ledger("1.1.0", ("rC", "merged", "C", "B"), ("rB", "merged", "B", "D"))
    assert scope_of(corpus, "D") == ({"B", "C", "D"}, {"rB", "rC", "rD"})


def test_a_record_that_now_belongs_to_another_document_is_not_purged(corpus: Any) -> None:
    """A record with another keeper stays, and so does a record id that now names another page."""
    corpus.write_ledger("1.0.0", ("r1", "kept", "D", "D"), ("r2", "merged", None, "D"))
    corpus.write_ledger("1.1.0", ("r1", "kept", "E", "E"), ("r2", "merged", None, "E"))
    assert scope_of(corpus, "D") == ({"D"}, set())


def test_ledger_rows_that_name_a_document_or_have_no_keeper_are_deleted(corpus: Any, tmp_path: Path) -> None:
    """Rows of its records that belong to another document stay."""
    corpus.write_ledger(
        "1.0.0",
        ("r1", "kept", "D", "D"),
        ("r1", "rejected", None, None),
        ("r1", "kept", "E", "E"),
        ("r2", "merged", None, "D"),
        ("r3", "rejected", None, None),
    )
    scope = Scope(documents=frozenset("D"), records=frozenset(["r1"]))
    found = clean_audit(corpus, "1.0.0", scope, tmp_path)
    (path,) = found.files.values()
    left = pq.read_table(path).select(["record_id", "outcome", "kept_id"]).to_pylist()
    assert [tuple(row.values()) for row in left] == [("r1", "kept", "E"), ("r3", "rejected", None)]
    assert found.counts == {"kept": 1, "rejected": 1, "merged": 1}
    assert found.records_gone.tolist() == [0, 1, 3]


# -- index -----------------------------------------------------------------------------------------

IDS = [hashlib.md5(bytes([n])).digest() for n in range(12)]
STAGE = pa.schema([("row", pa.int64()), ("text_digest", pa.binary(2))])


def facts(sha256: str, rows: int) -> ShardFacts:
    return ShardFacts(sha256=sha256, rows=rows, raw_bytes=rows, content=bytes(2048))


def write_segment(
    corpus: Any, segment: Segment, rows: list[tuple[int, int | None]], shards: list[list[int]]
) -> None:
    """Write a segment. Rows are (id, kept id), shards are ids; every row is a keeper with its own text."""
    folder = corpus.index_folder(segment.version)
    (folder / INDEX_JSON).write_bytes(segment.to_bytes())
    ids = [{"id": IDS[i], "published": True, "kept_id": None if k is None else IDS[k]} for i, k in rows]
    write_arrow(folder / "rows.arrow", ROWS_SCHEMA, [pa.Table.from_pylist(ids, schema=ROWS_SCHEMA)])
    stage = [{"row": at, "text_digest": bytes([0, i])} for at, (i, _) in enumerate(rows)]
    write_arrow(folder / "dedup_exact.arrow", STAGE, [pa.Table.from_pylist(stage, schema=STAGE)])
    texts = [{"stage": "dedup_near", "row": at, "text": bytes([i])} for at, (i, _) in enumerate(rows)]
    write_arrow(folder / "texts.arrow", TEXTS_SCHEMA, [pa.Table.from_pylist(texts, schema=TEXTS_SCHEMA)])
    records = [{"key": IDS[i]} for i, _ in rows]
    write_arrow(
        folder / "records.arrow", RECORDS_SCHEMA, [pa.Table.from_pylist(records, schema=RECORDS_SCHEMA)]
    )
    there = [
        {"shard": at, "id": IDS[i], "digest": IDS[i] * 2} for at, mine in enumerate(shards) for i in mine
    ]
    write_arrow(folder / "shards.arrow", SHARDS_SCHEMA, [pa.Table.from_pylist(there, schema=SHARDS_SCHEMA)])


def test_index_rows_are_deleted_and_the_others_renumbered(corpus: Any, tmp_path: Path) -> None:
    """Each table still refers to the same rows; shards have the remaining rows."""
    shards = (facts("a" * 64, 3), facts("b" * 64, 1), facts("c" * 64, 2))
    write_segment(
        corpus,
        Segment(version="1.0.0", base=None, shards=shards),
        [(0, 0), (1, 1), (2, 1), (3, 3), (4, None), (5, 5)],
        [[0, 1, 3], [1], [5, 4]],
    )
    retired = {"1.0.0": (1, 2, 4), "1.1.0": (0,)}
    moved = {IDS[1].hex(): None, IDS[7].hex(): IDS[3].hex()}
    write_segment(
        corpus,
        Segment(version="1.1.0", base="1.0.0", retired=retired, moved=moved),
        [(6, 6), (8, 1), (9, 9)],
        [],
    )
    scope = Scope(documents=frozenset([IDS[1].hex()]), records=frozenset())
    gone = {"1.0.0": np.array([1, 2, 6]), "1.1.0": np.array([1])}
    fresh = facts("d" * 64, 2)
    found = clean_index(corpus, scope, {"a" * 64: fresh}, {"a" * 64, "b" * 64}, gone, tmp_path)
    tables = {
        (version, Path(name).name): open_arrow(path).to_pylist()
        for version, files in found.items()
        for name, path in files.items()
        if name.endswith(".arrow")
    }
    assert [row["id"] for row in tables["1.0.0", "rows.arrow"]] == [IDS[i] for i in (0, 3, 4, 5)]
    for name, column in (("dedup_exact.arrow", "text_digest"), ("texts.arrow", "text")):
        told = [(row["row"], row[column][-1]) for row in tables["1.0.0", name]]
        assert told == [(0, 0), (1, 3), (2, 4), (3, 5)]
        assert [(row["row"], row[column][-1]) for row in tables["1.1.0", name]] == [(0, 6), (1, 9)]
    assert [row["key"] for row in tables["1.0.0", "records.arrow"]] == [IDS[i] for i in (0, 3, 4, 5)]
    told = [(row["shard"], row["id"]) for row in tables["1.0.0", "shards.arrow"]]
    assert told == [(0, IDS[0]), (0, IDS[3]), (1, IDS[5]), (1, IDS[4])]
    for version, files in found.items():
        (path,) = (path for name, path in files.items() if name.endswith(INDEX_JSON))
        (tmp_path / version).mkdir(exist_ok=True)
        (tmp_path / version / INDEX_JSON).write_bytes(path.read_bytes())
    assert Segment.read(tmp_path / "1.0.0").shards == (fresh, facts("c" * 64, 2))
    later = Segment.read(tmp_path / "1.1.0")
    assert (later.retired, later.moved) == ({"1.0.0": (2,), "1.1.0": (0,)}, {IDS[7].hex(): IDS[3].hex()})


def test_an_index_without_the_document_is_not_written(corpus: Any, tmp_path: Path) -> None:
    """Only changed segments are written again."""
    write_segment(corpus, Segment(version="1.0.0", base=None, shards=(facts("a" * 64, 1),)), [(0, 0)], [[0]])
    scope = Scope(documents=frozenset([IDS[1].hex()]), records=frozenset())
    assert clean_index(corpus, scope, {}, set(), {"1.0.0": np.empty(0, np.int64)}, tmp_path) == {}
