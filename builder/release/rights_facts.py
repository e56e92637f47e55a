"""Collect what the card of a version states about reservations and licences of pages."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.card.facts import LicenseCount, ReservationFacts, SignalCount
from builder.domain.ledger import OPT_OUT
from builder.recipe.built import built_stages
from builder.stages.binding.placed import inner_stage
from builder.stages.license import LICENSE_COLUMNS, License
from builder.stages.opt_out import OptOut

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from builder.domain.manifest import Manifest

_FOUND = ("signal", "place", "answer", "counts")


def reservation_facts(manifest: Manifest, *, audit: Mapping[str, Path]) -> tuple[ReservationFacts, ...]:
    """Return the policy of each stage ``opt_out``, and what it found in the records that the build read.

    Args:
        audit: the files of the audit of the new version.
    """
    evidence = audit.get(f"{OPT_OUT}.parquet")
    found = _count_signals(evidence) if evidence else {}
    return tuple(
        ReservationFacts(
            stage=name,
            purposes=tuple(stage.purposes),
            agents=None if stage.agents is None else tuple(stage.agents),
            tokens=stage.tokens,
            signals=tuple(stage.signals),
            mode=stage.mode,
            drops_silence=stage.silence == "drop",
            drops_unreadable=stage.unreadable == "drop",
            uses_later=stage.later == "use",
            counts_noindex=stage.noindex == "drop",
            found=found.get(name, ()) if evidence else None,
        )
        for name, stage in _stages_of(manifest, OptOut)
    )


def license_counts(manifest: Manifest, files: Sequence[Path]) -> tuple[LicenseCount, ...]:
    """Count the documents of a version by the licence that their pages name, and by its place.

    Args:
        files: all shards of the version.
    """
    names = list(LICENSE_COLUMNS[:2])
    if not any(True for _ in _stages_of(manifest, License)) or set(names) - set(manifest.columns.names):
        return ()
    counts: Counter[tuple[str | None, str | None]] = Counter()
    for path in files:
        table = pq.read_table(path, columns=names, partitioning=None, read_dictionary=names)
        for row in table.group_by(names).aggregate([([], "count_all")]).to_pylist():
            counts[row[names[0]], row[names[1]]] += row["count_all"]
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0][0] or "", one[0][1] or ""))
    return tuple(LicenseCount(license=name, place=place, documents=n) for (name, place), n in ordered)


def _stages_of(manifest: Manifest, kind: Any) -> Iterator[tuple[str, Any]]:
    for one in built_stages(manifest.recipe):
        if one.kind == kind.name:
            stage = one.make()
            yield stage.name, inner_stage(stage)


def _count_signals(path: Path) -> dict[str, tuple[SignalCount, ...]]:
    """Count the pages with each signal, place and answer, by the name of the stage."""
    counts: Counter[tuple[Any, ...]] = Counter()
    for table in _whole_records(path):
        distinct = table.group_by(["record_id", "stage", *_FOUND]).aggregate([])
        for row in distinct.group_by(["stage", *_FOUND]).aggregate([([], "count_all")]).to_pylist():
            counts[tuple(row[name] for name in ("stage", *_FOUND))] += row["count_all"]
    found: dict[str, list[SignalCount]] = {}
    for (stage, signal, place, answer, is_counted), pages in sorted(counts.items()):
        one = SignalCount(signal=signal, place=place, answer=answer, counts=is_counted, pages=pages)
        found.setdefault(stage, []).append(one)
    return {stage: tuple(some) for stage, some in found.items()}


def _whole_records(path: Path) -> Iterator[pa.Table]:
    """Yield the evidence in pieces; all rows of one record are in one piece, because they are neighbours."""
    with pq.ParquetFile(path) as file:
        rest = file.schema_arrow.empty_table().select(["record_id", "stage", *_FOUND])
        for batch in file.iter_batches(columns=rest.column_names):
            table = pa.concat_tables([rest, pa.Table.from_batches([batch]).select(rest.column_names)])
            is_last = pc.equal(table["record_id"], table["record_id"][-1])
            yield table.filter(pc.invert(is_last))
            rest = table.filter(is_last)
        yield rest
