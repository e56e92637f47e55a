"""Stages with a name of their own, and stages that work on some rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage_runs import THREADS, Sketched, Texts

from builder.domain.record import RECORD
from builder.domain.rejection import Rejection, rejection_batch
from builder.engines.guard import NullGuard
from builder.errors import RecipeError
from builder.protocols import Columns, CorpusStage, Outcome, RefusedUnit, Resources, Stage
from builder.stages.binding.placed import inner_stage, place_stage, stage_kind, without_columns
from builder.stages.binding.where import Where
from builder.stages.dedup_exact import DedupExact
from builder.stages.dedup_near import DedupNear
from builder.stages.extract_text import ExtractText
from builder.stages.repair_text import RepairText

RESOURCES = Resources(contract=None, columns=Columns())  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """Reject rows whose text is odd, write the others in capitals, and add the length of the text."""

    name: ClassVar[str] = "odd"
    untrusted: ClassVar[bool] = False

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        return schema.append(pa.field("length", pa.int64()))

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Any) -> Outcome:
        guard.enter(self.name, 0)
        guard.leave()
        texts = batch.column("text").to_pylist()
        odd = np.asarray([len(text) % 2 == 1 for text in texts], np.bool_)
        kept = batch.set_column(
            batch.schema.get_field_index("text"), "text", pa.array([t.upper() for t in texts], pa.string())
        )
        kept = kept.append_column("length", pa.array([len(text) for text in texts], pa.int64()))
        rejected = rejection_batch(
            Rejection(record=record, stage=stage, reason="odd")
            for record, is_odd in zip(batch.column(RECORD).to_pylist(), odd, strict=True)
            if is_odd
            for stage in [self.name if record["ordinal"] else "jsonl"]
        )
        return Outcome(kept=kept.filter(pa.array(~odd)), rejected=rejected, counts={"odd": int(odd.sum())})


class Units(NullGuard):
    """A guard that lists the units of work."""

    def __init__(self) -> None:
        super().__init__()
        self.units: list[tuple[str, int]] = []

    def enter(self, stage: str, unit: int, *, limit_s: float = 60.0) -> str | None:
        self.units.append((stage, unit))
        return None

    def take_refused(self) -> list[RefusedUnit]:
        return [RefusedUnit(stage=stage, unit=unit, reason="timeout") for stage, unit in self.units]


def batch_of(
    texts: list[str], sources: list[str], languages: list[str | None] | None = None
) -> pa.RecordBatch:
    records = [
        {"id": f"{source}/a@{i}", "source": source, "path": "a", "ordinal": i, "offset": i}
        for i, source in enumerate(sources)
    ]
    from builder.domain.record import RECORD_FIELD

    return pa.RecordBatch.from_arrays(
        [
            pa.array(records, RECORD_FIELD.type),
            pa.array(texts, pa.string()),
            pa.array(languages or [None] * len(texts), pa.string()),
        ],
        schema=pa.schema([RECORD_FIELD, ("text", pa.string()), ("language", pa.string())]),
    )


def apply(stage: Any, batch: pa.RecordBatch, guard: Any = None) -> Outcome:
    outcome: Outcome = stage.apply(batch, resources=RESOURCES, guard=guard or NullGuard())
    return outcome


def test_a_stage_without_name_and_where_is_not_wrapped() -> None:
    """Its behaviour is that of the stage alone."""
    stage = RepairText()
    assert place_stage(stage) is stage
    assert place_stage(stage, name="repair_text", where=Where.of(None)) is stage
    assert without_columns(stage, ()) is stage


def test_a_wrapped_stage_is_of_the_same_protocol() -> None:
    """The chain asks which stages need a barrier."""
    plain, corpus = place_stage(RepairText(), name="first"), place_stage(DedupNear(), name="strict")
    assert isinstance(plain, Stage)
    assert not isinstance(plain, CorpusStage)
    assert isinstance(corpus, CorpusStage)
    assert (plain.name, stage_kind(plain), inner_stage(plain)) == ("first", "repair_text", RepairText())
    assert (corpus.name, stage_kind(corpus), corpus.append_stable) == ("strict", "dedup_near", True)


def test_rejections_and_units_have_the_name_of_the_stage() -> None:
    """A stage that rejects in the name of a source keeps that name."""
    guard = Units()
    outcome = apply(place_stage(Odd(), name="strange"), batch_of(["a", "b", "cc"], ["x"] * 3), guard)
    assert outcome.rejected["stage"].to_pylist() == ["jsonl", "strange"]
    assert guard.units == [("strange", 0)]


@given(
    st.lists(st.tuples(st.sampled_from(["a", "bb", "ccc"]), st.sampled_from("xyz")), max_size=12),
    st.sets(st.sampled_from("xyz"), min_size=1),
)
def test_other_rows_pass_unchanged_and_in_order(rows: list[tuple[str, str]], wanted: set[str]) -> None:
    """The twin does the same row by row."""
    batch = batch_of([text for text, _ in rows], [source for _, source in rows])
    stage = place_stage(Odd(), where=Where.of({"sources": sorted(wanted)}))
    outcome = apply(stage, batch)
    expected = [
        (i, text.upper() if source in wanted else text, len(text) if source in wanted else None)
        for i, (text, source) in enumerate(rows)
        if source not in wanted or len(text) % 2 == 0
    ]
    kept = outcome.kept.to_pylist()
    assert [(row[RECORD]["ordinal"], row["text"], row["length"]) for row in kept] == expected
    assert outcome.kept.schema == stage.bind(batch.schema, RESOURCES)
    assert outcome.kept.num_rows + outcome.rejected.num_rows == len(rows)


def test_a_language_matches_its_variants() -> None:
    """Case does not matter; a row without a language matches nothing."""
    languages = ["en", "EN-gb", "eng", "de", None, "en_US"]
    batch = batch_of(["aa"] * 6, ["x"] * 6, languages)
    kept = apply(place_stage(Odd(), where=Where.of({"language": ["EN"]})), batch).kept
    assert kept["text"].to_pylist() == ["AA", "AA", "aa", "aa", "aa", "AA"]


def test_all_conditions_must_match() -> None:
    """Sources and languages together."""
    batch = batch_of(["aa"] * 4, ["x", "x", "y", "y"], ["en", "de", "en", "de"])
    where = Where.of({"language": ["de"], "sources": ["y"]})
    assert apply(place_stage(Odd(), where=where), batch).kept["text"].to_pylist() == ["aa", "aa", "aa", "AA"]


@pytest.mark.parametrize("stage", [ExtractText(), RepairText()], ids=lambda stage: stage.name)
def test_a_batch_without_a_matching_row_passes(stage: Any, pages: Any, resources: Any, guard: Any) -> None:
    """The stage gets an empty batch."""
    batch = pages(text=["a \n", "b"], html=[None, "<p>c"], url=[None, None])
    placed = place_stage(stage, where=Where.of({"sources": ["nowhere"]}))
    outcome = placed.apply(batch, resources=resources, guard=guard)
    assert outcome.kept.select(batch.schema.names).equals(batch)
    assert outcome.rejected.num_rows == 0


def test_languages_need_a_column() -> None:
    """The fault is found before a record is read."""
    schema = pa.schema([("text", pa.string())])
    for stage in (RepairText(), DedupNear()):
        with pytest.raises(RecipeError, match="do not have a text column 'language'"):
            place_stage(stage, where=Where.of({"language": ["en"]})).bind(schema, RESOURCES)


def test_a_stage_that_changes_the_columns_of_every_row_takes_no_where() -> None:
    """Rows could not pass it unchanged."""

    class Retypes(Odd):
        def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
            return pa.schema([("text", pa.large_string())])

    with pytest.raises(RecipeError, match="changes the columns"):
        place_stage(Retypes(), where=Where.of({"sources": ["x"]})).bind(batch_of([], []).schema, RESOURCES)


def test_columns_that_a_stage_invalidates_are_dropped() -> None:
    """In the schema and in the rows, with and without other options."""
    batch = batch_of(["aa"], ["x"])
    for stage in (Odd(), place_stage(Odd(), name="two")):
        placed = without_columns(stage, ["language"])  # type: ignore[arg-type]
        assert "language" not in placed.bind(batch.schema, RESOURCES).names
        assert "language" not in apply(placed, batch).kept.schema.names
        assert apply(placed, batch).kept["text"].to_pylist() == ["AA"]


def test_rows_outside_take_no_part_in_a_deduplication() -> None:
    """They are neither keepers nor merged; later versions do not compare with them."""
    batch = batch_of(["a b c"] * 4, ["x", "y", "x", "y"])
    stage: Any = place_stage(DedupExact(), name="own", where=Where.of({"sources": ["y"]}))
    sketched = Sketched([stage.sketch(batch, resources=RESOURCES)])
    texts = Texts(pa.chunked_array([batch["text"]]))
    alive = np.ones(4, np.bool_)
    verdicts = stage.resolve(sketched, alive=alive, memory=None, texts=texts, threads=THREADS)
    assert verdicts.keeper.tolist() == [-1, 1, -1, 1]
    kept = stage.settle(batch, verdicts.keeper, np.arange(4)).kept
    assert [row[RECORD]["source"] for row in kept.to_pylist()] == ["x", "y", "x"]
    everything = replace(verdicts, keeper=np.arange(4))
    assert stage.remember(sketched, everything)["row"].to_pylist() == [1, 3]


def test_two_stages_of_one_kind_mark_in_columns_of_their_own() -> None:
    """``mode: tag`` names the column after the stage."""
    batch = batch_of(["a", "a"], ["x", "x"])
    hidden = batch.select([RECORD])
    first, second = DedupExact(mode="tag"), place_stage(DedupExact(mode="tag"), name="own")
    schema = second.bind(first.bind(batch.schema, RESOURCES), RESOURCES)
    assert schema.names[-2:] == ["_cluster_dedup_exact", "_cluster_own"]
    rows = np.arange(2)
    marked = first.settle(hidden, np.asarray([0, 0]), rows).kept
    both = second.settle(marked, np.asarray([1, 1]), rows).kept  # type: ignore[union-attr]
    assert both.schema.names == [RECORD, "_cluster_dedup_exact", "_cluster_own"]
    assert both["_cluster_dedup_exact"].to_pylist() == [0, 0]
    assert both["_cluster_own"].to_pylist() == [1, 1]
