"""``show``: look at records of a version, with their texts: those that were kept, and those that were not."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.corpus import Corpus, split_address
from builder.corpus.names import STOPPED
from builder.corpus.stopped import audit_file, version_to_read
from builder.domain.document_ids import DocumentIds, parse_id
from builder.domain.ledger import OUTCOMES
from builder.errors import BuilderError, Fault
from builder.history.lineage import Lineage
from builder.operations.why import lineage_versions
from builder.pipeline.disk import reports_disk_faults
from builder.pipeline.dropped import MAX_TEXT_CHARS, PRIVATE_STAGES, sample_rank
from builder.protocols import Columns
from builder.registry import nearest
from builder.summary import Summarised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from os import PathLike

SHOWN_RECORDS = 20

_FACTS = (
    "record_id",
    "url",
    "outcome",
    "stage",
    "reason",
    "pointer",
    "value",
    "limit",
    "message",
    "document_id",
    "kept_id",
    "similarity",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRecord:
    """One record of a ledger with its text.

    Attributes:
        facts: columns of the ledger.
        text: the start of the text, or of the raw record if a contract or a reader refused it; None if it was
            not kept.
        text_chars: characters of the whole text.
        no_text: why the text is missing; None if there is one.
        keeper: id and text of the published document that represents a merged record.
    """

    version: str
    facts: Mapping[str, Any]
    text: str | None = None
    text_chars: int | None = None
    no_text: str | None = None
    keeper: Mapping[str, Any] | None = None

    def document(self) -> dict[str, Any]:
        """Return the record as ``--json`` prints it."""
        texts = {
            "text": self.text,
            "text_chars": self.text_chars,
            "no_text": self.no_text,
            "keeper": self.keeper,
        }
        return {"version": self.version, **{name: self.facts[name] for name in _FACTS}, **texts}


_LISTED = ("outcome", "stage", "reason", "value", "limit", "url")
"""The facts of a record that a notebook lists."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Shown(Summarised):
    """Some records of a version, and how many there are."""

    corpus: Path
    version: str
    n_records: int
    records: Sequence[ShownRecord]

    def _summary(self) -> dict[str, object]:
        return {
            "corpus": str(self.corpus),
            "version": self.version,
            "records": self.n_records,
            "shown": len(self.records),
        }

    def _rows(self) -> Iterator[dict[str, object]]:
        for one in self.records:
            facts = {name: one.facts[name] for name in _LISTED}
            yield {**facts, "text": one.text or one.no_text}


@reports_disk_faults
def show(
    address: str | PathLike[str],
    *,
    stage: str | None = None,
    reason: str | None = None,
    outcome: str | None = None,
    n: int = SHOWN_RECORDS,
    seed: int = 0,
) -> Shown:
    """Choose records of a version by a hash of their ids, and find their texts.

    Without a condition, records that were not kept are shown. Records whose text was kept come first. The
    records are those that the version and the versions that it builds on have read.

    Args:
        address: ``FOLDER`` or ``FOLDER@VERSION``; ``FOLDER@stopped`` is the last build that wrote no version.
        n: maximum number of records.
        seed: another seed chooses other records.

    Raises:
        CorpusError: if the corpus or the version does not exist.
        BuilderError: if a condition cannot match anything.

    >>> [one.facts["reason"] for one in show("my-corpus/corpus", outcome="rejected").records]
    ['any_of']
    """
    folder, version = split_address(address)
    corpus = Corpus(folder)
    version = version_to_read(corpus, version)
    versions = [version] if version == STOPPED else lineage_versions(corpus, version)
    condition = _condition(stage=stage, reason=reason, outcome=outcome)
    chosen: list[tuple[bool, int, str]] = []
    n_records = 0
    newer: set[str] = set()
    for one in reversed(versions):
        found, restated = _matches(corpus, one, condition, newer=newer)
        n_records += len(found)
        with_text = _ids_with_text(corpus, one)
        ranked = ((record not in with_text, sample_rank(record, seed=seed), record) for record in found)
        chosen = heapq.nsmallest(n, [*chosen, *heapq.nsmallest(n, ranked)])
        newer |= restated
    if not n_records:
        _refuse_unknown(corpus, versions, stage=stage, reason=reason, outcome=outcome)
    ids = [record for _, _, record in chosen]
    records = _with_texts(corpus, version, versions, ids)
    return Shown(corpus=corpus.path, version=version, n_records=n_records, records=records)


def write_shown(shown: Shown, output: str | Path) -> None:
    """Write the records as lines of JSON.

    Raises:
        BuilderError: if the file cannot be written.
    """
    try:
        with Path(output).open("wb") as lines:
            for record in shown.records:
                lines.write(orjson.dumps(record.document()) + b"\n")
    except OSError as error:
        raise BuilderError(Fault(where=str(output), what=f"cannot be written: {error.strerror}")) from None


# -- which records ---------------------------------------------------------------------------------


def _condition(*, stage: str | None, reason: str | None, outcome: str | None) -> pc.Expression:
    given = {"stage": stage, "reason": reason, "outcome": outcome}
    terms = [pc.field(name) == value for name, value in given.items() if value is not None]
    terms = terms or [pc.field("outcome") != "kept"]
    whole = terms[0]
    for term in terms[1:]:
        whole &= term
    return whole


def _matches(
    corpus: Corpus, version: str, condition: pc.Expression, *, newer: set[str]
) -> tuple[list[str], set[str]]:
    """Return the records of one ledger that match and that no newer ledger has, and all records of it."""
    path = audit_file(corpus, version, "ledger.parquet")
    if not path.exists():
        return [], set()
    table = pq.read_table(path, columns=["record_id"], filters=condition, partitioning=None)
    found = [one for one in table["record_id"].to_pylist() if one not in newer]
    is_last = version == STOPPED or corpus.manifest(version).parent is None
    ids = set() if is_last else set(pq.read_table(path, columns=["record_id"])["record_id"].to_pylist())
    return found, ids


def _ids_with_text(corpus: Corpus, version: str) -> set[str]:
    found: set[str] = set()
    for name in ("texts.parquet", "rejected.parquet"):
        path = audit_file(corpus, version, name)
        if path.exists():
            found |= set(pq.read_table(path, columns=["record_id"])["record_id"].to_pylist())
    return found


def _refuse_unknown(
    corpus: Corpus, versions: Sequence[str], *, stage: str | None, reason: str | None, outcome: str | None
) -> None:
    """Name the stages and reasons that there are, if a given one is not among them."""
    known: dict[str, set[str]] = {"stage": set(), "reason": set(), "outcome": set(OUTCOMES)}
    for version in versions:
        path = audit_file(corpus, version, "ledger.parquet")
        if path.exists():
            for name in ("stage", "reason"):
                column = pq.read_table(path, columns=[name])[name]
                known[name] |= set(column.unique().drop_null().to_pylist())
    faults = []
    for name, value in (("stage", stage), ("reason", reason), ("outcome", outcome)):
        if value is not None and value not in known[name]:
            advice = nearest(value, sorted(known[name]))
            faults.append(Fault(where=f"--{name}", what=f"no record has the {name} {value!r}", advice=advice))
    if faults:
        raise BuilderError(*faults)


# -- their texts -----------------------------------------------------------------------------------


def _with_texts(
    corpus: Corpus, version: str, versions: Sequence[str], ids: Sequence[str]
) -> list[ShownRecord]:
    rows: dict[str, tuple[str, dict[str, Any]]] = {}
    texts: dict[str, tuple[str | None, int | None]] = {}
    wanted = pc.field("record_id").isin(pa.array(ids, pa.string()))
    for one in versions:
        for row in _rows(corpus, one, "ledger.parquet", wanted, [*_FACTS, "path", "offset"]):
            rows[row["record_id"]] = one, row
            texts.pop(row["record_id"], None)
        for row in _rows(corpus, one, "rejected.parquet", wanted, ["record_id", "record"]):
            raw = row["record"].decode("utf-8", "replace") if row["record"] else None
            texts[row["record_id"]] = (raw and raw[:MAX_TEXT_CHARS], None if raw is None else len(raw))
        for row in _rows(corpus, one, "texts.parquet", wanted, ["record_id", "text", "text_chars"]):
            texts[row["record_id"]] = row["text"], row["text_chars"]
    published = _published(corpus, version, [row for _, row in rows.values()])
    records = []
    for record in ids:
        read_by, row = rows[record]
        text, n_chars = texts.get(record, (None, None))
        if row["outcome"] == "kept":
            text = published.get(row["document_id"])
            n_chars = None if text is None else len(text)
        keeper = None
        if row["outcome"] == "merged" and row["kept_id"] is not None:
            keeper = {"id": row["kept_id"], "text": (published.get(row["kept_id"]) or "")[:MAX_TEXT_CHARS]}
        records.append(
            ShownRecord(
                version=read_by,
                facts=row,
                text=text and text[:MAX_TEXT_CHARS],
                text_chars=n_chars,
                no_text=_why_no_text(row, was_refused=record in texts) if text is None else None,
                keeper=keeper,
            )
        )
    return records


def _why_no_text(row: Mapping[str, Any], *, was_refused: bool) -> str:
    """Return why a record has no text here.

    Args:
        was_refused: whether the audit lists the record, without bytes.
    """
    if row["outcome"] == "kept":
        return "the version does not have the document any more"
    if row["stage"] in PRIVATE_STAGES:
        return "texts of takedowns, opt-outs and personal data are never kept"
    if was_refused or row["outcome"] == "failed":
        return f"no text of it came to a stage; its record is {row['record_id']}"
    return "not in the sample of dropped texts; `audit: {texts: all}` in the recipe keeps every one"


def _rows(
    corpus: Corpus, version: str, name: str, wanted: pc.Expression, columns: list[str]
) -> Iterator[dict[str, Any]]:
    path = audit_file(corpus, version, name)
    if path.exists():
        yield from pq.read_table(path, columns=columns, filters=wanted, partitioning=None).to_pylist()


def _published(corpus: Corpus, version: str, rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Return the texts of the documents that the rows name, as the version has them."""
    if version == STOPPED or corpus.dropped(version):
        return {}
    lineage = Lineage.of(corpus, version)
    column = Columns.of_manifest(lineage.manifest).text
    ids = sorted({row["kept_id"] for row in rows if row["kept_id"] is not None})
    if column is None or not ids:
        return {}
    found = lineage.texts(DocumentIds.from_hex(ids), column)
    return {one: found[parse_id(one)].decode() for one in ids if parse_id(one) in found}
