"""Choose dropped records to show, with their texts: a few of each stage and reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.operations.overview.facts import (
    CleanedDocument,
    DroppedGroup,
    DroppedRecord,
    Pair,
    Removed,
    RemovedKind,
)
from builder.pipeline.dropped import MAX_TEXT_CHARS, PRIVATE_STAGES, sample_rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from builder.card.facts import Count
    from builder.operations.overview.ledger_rows import Audit
    from builder.operations.overview.published import PublishedRows

MAX_REASONS = 60
"""Stages and reasons of which records are shown: those with the most records."""

_FACTS = (
    "url",
    "outcome",
    "stage",
    "reason",
    "pointer",
    "value",
    "limit",
    "message",
    "similarity",
    "kept_id",
)
_TEXTS = "texts.parquet"
_REJECTED = "rejected.parquet"
_REMOVED = "removed.parquet"
_RANKED_ROWS = 200_000
"""Removed parts among which documents to show are chosen."""


def dropped_groups(
    audit: Audit, counts: Sequence[Count], kinds: dict[str, str], *, n: int
) -> tuple[DroppedGroup, ...]:
    """Return the reasons with the most records, with up to ``n`` records each; merged ones are pairs.

    Records of takedowns and opt-outs are not shown, and neither are those with personal data.
    """
    top = sorted(counts, key=lambda one: (-one.records, one.stage, one.reason))[:MAX_REASONS]
    shown = [one for one in top if kinds.get(one.stage, one.stage) not in PRIVATE_STAGES]
    chosen = _choose(audit, {(one.stage, one.reason) for one in shown}, n=n)
    records = _records(audit, [record for ids in chosen.values() for record in ids])
    return tuple(
        DroppedGroup(
            outcome=one.outcome,
            stage=one.stage,
            reason=one.reason,
            records=one.records,
            samples=tuple(
                records[record][0]
                for record in chosen.get((one.stage, one.reason), ())
                if record in records and records[record][0].reason == one.reason
            ),
        )
        for one in top
    )


def pairs(audit: Audit, published: PublishedRows, stages: Iterable[str], *, n: int) -> tuple[Pair, ...]:
    """Return merged records next to their keepers: half of them the least similar ones."""
    found: list[tuple[float, str]] = []
    names = pa.array(sorted(stages), pa.string())
    texts = _with_text(audit, names)
    for batch in audit.ledger(["record_id", "stage", "similarity", "kept_id"]):
        near = pc.and_(pc.is_in(batch["stage"], value_set=names), pc.is_valid(batch["kept_id"]))
        near = pc.and_(near, pc.is_in(batch["record_id"], value_set=texts))
        some = batch.filter(pc.and_(near, pc.is_valid(batch["similarity"])))
        found += zip(some["similarity"].to_pylist(), some["record_id"].to_pylist(), strict=True)
    least = [record for _, record in sorted(found)[: n - n // 2]]
    others = sorted((sample_rank(record), record) for _, record in found if record not in least)
    ids = [*least, *(record for _, record in others[: n // 2])]
    records = _records(audit, ids)
    keepers = published.with_ids([kept for _, kept in records.values() if kept])
    return tuple(
        Pair(record=record, keeper_id=row.id, keeper_url=row.url, keeper_text=row.text[:MAX_TEXT_CHARS])
        for record, kept in (records[one] for one in ids if one in records)
        if record.text is not None and (row := keepers.get(kept or ""))
    )


def removed_kinds(audit: Audit) -> tuple[tuple[RemovedKind, ...], int]:
    """Count the removed parts by stage and kind, most characters first, and the records that had them."""
    columns = ["stage", "class", "text_chars"]
    tables = [pa.Table.from_batches([one]) for one in audit.batches(_REMOVED, columns)]
    if not tables:
        return (), 0
    groups = pa.concat_tables(tables).group_by(["stage", "class"])
    rows = groups.aggregate([([], "count_all"), ("text_chars", "sum")]).to_pylist()
    found = [
        RemovedKind(stage=r["stage"], kind=r["class"], spans=r["count_all"], chars=r["text_chars_sum"])
        for r in rows
    ]
    ids = pa.chunked_array([b["record_id"] for b in audit.batches(_REMOVED, ["record_id"])], pa.string())
    n_records = pc.count_distinct(ids).as_py()
    return tuple(sorted(found, key=lambda one: (-one.chars, one.stage, one.kind))), n_records


def cleaned_documents(audit: Audit, published: PublishedRows, *, n: int) -> tuple[CleanedDocument, ...]:
    """Return published documents with what stages took out of them."""
    ids: set[str] = set()
    for batch in audit.batches(_REMOVED, ["record_id"], rows=_RANKED_ROWS):
        ids |= set(batch["record_id"].to_pylist())
        if len(ids) > _RANKED_ROWS:
            break
    ranked = sorted((sample_rank(one), one) for one in ids)
    some = [one for _, one in ranked[: 20 * n]]
    kept = {
        record: str(row["document_id"])
        for record, row in audit.named(some, ["record_id", "document_id", "outcome"]).items()
        if row["outcome"] == "kept"
    }
    chosen = [one for one in some if one in kept][:n]
    rows = published.with_ids([kept[one] for one in chosen])
    wanted = pa.array(chosen, pa.string())
    parts: dict[str, list[Removed]] = {}
    columns = ["record_id", "stage", "class", "score", "start", "text", "text_chars"]
    for batch in audit.batches(_REMOVED, columns) if chosen else ():
        for r in batch.filter(pc.is_in(batch["record_id"], value_set=wanted)).to_pylist():
            kind = r.pop("class")
            parts.setdefault(r.pop("record_id"), []).append(Removed(kind=kind, **r))
    return tuple(
        CleanedDocument(row=rows[kept[one]], removed=tuple(sorted(parts[one], key=lambda p: p.start)))
        for one in chosen
        if kept[one] in rows
    )


def named_records(audit: Audit, stages: Sequence[str], *, n: int) -> tuple[DroppedRecord, ...]:
    """Return records that left at some stages, without their texts, by the rank of their ids."""
    names = pa.array(sorted(stages), pa.string())
    best: list[tuple[int, str]] = []
    for batch in audit.ledger(["record_id", "stage"]):
        ids = batch["record_id"].filter(pc.fill_null(pc.is_in(batch["stage"], value_set=names), False))
        ranked = sorted((sample_rank(one), one) for one in ids.slice(0, _RANKED_ROWS).to_pylist())
        best = sorted([*best, *ranked[:n]])[:n]
    records = audit.named([one for _, one in best], ["record_id", *_FACTS])
    return tuple(_record(records[one], None, None) for _, one in best if one in records)


# -- reading ---------------------------------------------------------------------------------------


def _choose(audit: Audit, wanted: set[tuple[str, str]], *, n: int) -> dict[tuple[str, str], list[str]]:
    """Return the first records of each stage and reason with a text, by their rank."""
    best: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for name in (_TEXTS, _REJECTED):
        for batch in audit.batches(name, ["record_id", "stage", "reason"]):
            keys = pc.binary_join_element_wise(batch["stage"], batch["reason"], "\0")
            for key in pc.unique(keys).to_pylist():
                stage, _, reason = key.partition("\0")
                if (stage, reason) not in wanted:
                    continue
                ids = batch["record_id"].filter(pc.equal(keys, key)).slice(0, _RANKED_ROWS // 10).to_pylist()
                ranked = sorted((sample_rank(one), one) for one in ids)
                best[stage, reason] = sorted([*best.get((stage, reason), []), *ranked[:n]])[:n]
    return {key: [record for _, record in found] for key, found in best.items()}


def _with_text(audit: Audit, stages: pa.Array) -> pa.Array:
    """Return the records whose texts were kept when one of these stages merged them."""
    found = [
        batch["record_id"].filter(pc.is_in(batch["stage"], value_set=stages))
        for batch in audit.batches(_TEXTS, ["record_id", "stage"])
    ]
    return pa.concat_arrays([pa.array([], pa.string()), *found])


def _records(audit: Audit, ids: Sequence[str]) -> dict[str, tuple[DroppedRecord, str | None]]:
    """Return records with the starts of their texts, and the document that represents each of them."""
    rows = audit.named(ids, ["record_id", *_FACTS])
    texts = _texts(audit, ids)
    return {
        record: (_record(row, *texts.get(record, (None, None))), row["kept_id"])
        for record, row in rows.items()
    }


def _record(row: dict[str, Any], text: str | None, text_chars: int | None) -> DroppedRecord:
    facts = {name: row[name] for name in _FACTS if name != "kept_id"}
    return DroppedRecord(record_id=row["record_id"], text=text, text_chars=text_chars, **facts)


def _texts(audit: Audit, ids: Sequence[str]) -> dict[str, tuple[str | None, int | None]]:
    wanted = pa.array(sorted(set(ids)), pa.string())
    found: dict[str, tuple[str | None, int | None]] = {}
    for name, column in ((_REJECTED, "record"), (_TEXTS, "text")):
        for version in audit.versions if len(wanted) else ():
            path = audit.corpus.audit_file(version, name)
            if path.exists():
                _read_texts(path, column, wanted, found)
    return found


def _read_texts(
    path: Any, column: str, wanted: pa.Array, found: dict[str, tuple[str | None, int | None]]
) -> None:
    """Read the texts of some records; other row groups are skipped."""
    file = pq.ParquetFile(path)
    for number in range(file.metadata.num_row_groups):
        ids = file.read_row_group(number, columns=["record_id"])["record_id"]
        rows = np.flatnonzero(pc.is_in(ids, value_set=wanted).to_numpy(zero_copy_only=False))
        if not len(rows):
            continue
        for row in file.read_row_group(number).take(pa.array(rows)).to_pylist():
            text = row[column]
            if isinstance(text, bytes):
                text = text.decode("utf-8", "replace")
            n_chars = row.get("text_chars", None if text is None else len(text))
            found[row["record_id"]] = (None if text is None else text[:MAX_TEXT_CHARS], n_chars)
