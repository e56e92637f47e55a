"""Ours, as the other tools' scripts are: one piece of work a process, timed where it is done.

python -m benchmarks.ours WORK INPUT OUTPUT
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.kernels.dedup.sketch import band_keys, fill_bins
from builder.kernels.jit import array_kernel
from builder.stages.quality.presets import PRESETS

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH, BANDS, ROWS = 5, 16, 6
LEAST_WORDS, LEAST_CHARACTERS = 100, 1_000


def repair(source: Path, output: Path) -> dict[str, Any]:
    """Repair all texts, a batch of 4,000 at a time."""
    from builder.stages.repair.column import repair_column
    from builder.stages.repair.rules import Options

    options = Options(uncurl_quotes=False, fix_character_width=False, fix_latin_ligatures=False)
    texts = [orjson.loads(line)["text"] for line in source.read_bytes().splitlines()]
    columns = [pa.array(texts[i : i + 4_000]) for i in range(0, len(texts), 4_000)]
    repair_column(pa.array(["a \n\n\n&amp;"]), options=options)  # loads the compiled code
    began, used = time.perf_counter(), time.process_time()
    mended = [repair_column(column, options=options).column for column in columns]
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    output.write_bytes(orjson.dumps([text for column in mended for text in column.to_pylist()]))
    return {"seconds": seconds, "cpu_seconds": cpu, "documents": len(texts)}


def languages(source: Path, output: Path) -> dict[str, Any]:
    """Identify the language of all texts, a batch of 4,000 at a time."""
    from builder.domain.text_buffers import text_buffers
    from builder.stages.identification.find_model import load_model
    from builder.stages.identification.findings import identify_documents

    model = load_model(None, None)
    table = pq.read_table(source, columns=["text"])
    columns = [batch.column(0) for batch in table.to_batches(max_chunksize=4_000)]

    def identify(column: pa.Array) -> Any:
        data, offsets = text_buffers(column)
        return identify_documents(data, offsets[:-1], offsets[1:], model=model, min_letters=0)

    identify(columns[0].slice(0, 10))  # loads the compiled code
    began, used = time.perf_counter(), time.process_time()
    findings = [identify(column) for column in columns]
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    names = [*model.labels, None]
    found = [
        [names[label], score]
        for one in findings
        for label, score in zip(one.labels.tolist(), one.scores.tolist(), strict=True)
    ]
    output.write_bytes(orjson.dumps(found))
    return {"seconds": seconds, "cpu_seconds": cpu, "documents": len(table)}


def words_by_row(source: Path, output: Path) -> dict[str, Any]:  # noqa: ARG001 - as the other works
    """Ask a function of a row about each document, as a stage of another package does."""
    return _filter_by_row(lambda row: len(row.text.split()) >= LEAST_WORDS, source)


def characters_by_row(source: Path, output: Path) -> dict[str, Any]:  # noqa: ARG001 - as the other works
    """Ask a function that takes no time, so that what is around it is measured."""
    return _filter_by_row(lambda row: len(row.text) >= LEAST_CHARACTERS, source)


def words_by_batch(source: Path, output: Path) -> dict[str, Any]:  # noqa: ARG001 - as the other works
    """Reject the same documents by a count of Arrow."""

    def count(texts: pa.Array) -> pa.Array:
        return pc.list_value_length(pc.utf8_split_whitespace(pc.utf8_trim_whitespace(texts)))

    return _filter_by_batch(lambda texts: pc.less(count(texts), LEAST_WORDS), source)


def characters_by_batch(source: Path, output: Path) -> dict[str, Any]:  # noqa: ARG001 - as the other works
    """Reject the same documents by a count of Arrow."""
    return _filter_by_batch(lambda texts: pc.less(pc.utf8_length(texts), LEAST_CHARACTERS), source)


def _filter_by_row(decide: Callable[[Any], bool], source: Path) -> dict[str, Any]:
    from builder.plugin import RowFilter, RowView

    @dataclass(frozen=True, kw_only=True)
    class Filter(RowFilter):
        name = "short"

        def keep(self, row: RowView) -> bool:
            return decide(row)

    return _filter(Filter(), source)


def _filter_by_batch(refuse: Callable[[pa.Array], pa.Array], source: Path) -> dict[str, Any]:
    from builder.plugin import BatchStage

    @dataclass(frozen=True, kw_only=True)
    class Filter(BatchStage):
        name = "short"
        reasons = {"short": "The text is short."}  # noqa: RUF012 - as users write it

        def process(self, batch: pa.RecordBatch) -> pa.RecordBatch:
            short = refuse(pc.fill_null(batch.column("text"), ""))
            return batch.append_column("_reason", pc.if_else(short, "short", None))

    return _filter(Filter(), source)


def _filter(stage: Any, source: Path) -> dict[str, Any]:
    """Apply a stage to documents that are read, a batch as a build has it at a time."""
    from builder.domain.record import record_column, with_record
    from builder.engines.guard import NullGuard
    from builder.io.contracts import builtin_contract
    from builder.operations.build import BATCH_ROWS
    from builder.pipeline.stage_errors import apply_stage
    from builder.protocols import Columns, Resources

    resources = Resources(contract=builtin_contract("page-1"), columns=Columns())
    batches = []
    for batch in pq.ParquetFile(source).iter_batches(batch_size=BATCH_ROWS, use_threads=False):
        numbers = np.arange(batch.num_rows)
        records = record_column(source="bench", path=source.name, ordinals=numbers, offsets=numbers)
        batches.append(with_record(batch, records))
    began, used = time.perf_counter(), time.process_time()
    outcomes = [apply_stage(stage, one, resources=resources, guard=NullGuard()) for one in batches]
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    n_documents, n_kept = sum(one.num_rows for one in batches), sum(one.kept.num_rows for one in outcomes)
    return {"seconds": seconds, "cpu_seconds": cpu, "documents": n_documents, "kept": n_kept}


def clean(source: Path, output: Path) -> dict[str, Any]:
    """Clean all texts, a batch of 4,000 at a time."""
    from builder.stages.cleaning.column import clean_column

    table = pq.read_table(source, columns=["text"])
    columns = [batch.column(0) for batch in table.to_batches(max_chunksize=4_000)]

    def clean_one(column: pa.Array) -> Any:
        return clean_column(column, [b""] * len(column), np.ones(len(column), np.bool_))

    clean_one(columns[0].slice(0, 10))  # loads the compiled code
    began, used = time.perf_counter(), time.process_time()
    cleaned = [clean_one(column) for column in columns]
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    output.write_bytes(orjson.dumps([int(one.removed.sum()) for one in cleaned]))
    return {"seconds": seconds, "cpu_seconds": cpu, "documents": len(table)}


def signals(source: Path, output: Path) -> dict[str, Any]:  # noqa: ARG001 - as the others
    """Measure all signals, a batch of 4,000 texts at a time."""
    from builder.stages.quality.measuring import measure_signals
    from builder.stages.quality.signals import SIGNALS

    return _judge(lambda column: measure_signals(column, list(SIGNALS)), source)


def preset(name: str) -> Callable[[Path, Path], dict[str, Any]]:
    """Return the work of one preset: measure what its rules need, and judge."""

    def work(source: Path, output: Path) -> dict[str, Any]:  # noqa: ARG001 - as the others
        from builder.stages.filter import Filter
        from builder.stages.quality.evidence import gather_evidence
        from builder.stages.quality.judging import judge_batch
        from builder.stages.quality.rules import read_rules
        from builder.stages.quality.signals import SIGNALS

        stage = Filter(preset=name)
        measured = [one for one in stage.uses if one in SIGNALS]
        conditions = read_rules(PRESETS[name].rules)[0]

        def judge(column: pa.Array) -> Any:
            batch = pa.record_batch({"text": column})
            evidence = gather_evidence(batch, stage.uses, measured=measured, text="text", dialect=None)
            return judge_batch(conditions, evidence.values, batch.num_rows)

        return _judge(judge, source)

    return work


def _judge(act: Callable[[pa.Array], Any], source: Path) -> dict[str, Any]:
    texts = pa.array([orjson.loads(line)["text"] for line in source.read_bytes().splitlines()])
    columns = [texts.slice(i, 4_000) for i in range(0, len(texts), 4_000)]
    act(columns[0].slice(0, 10))  # loads the compiled code
    began, used = time.perf_counter(), time.process_time()
    for column in columns:
        act(column)
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    return {"seconds": seconds, "cpu_seconds": cpu, "documents": len(texts)}


def signatures(source: Path, output: Path) -> dict[str, Any]:
    """Split into words, make shingles and sketch them: 96 bins, one core."""
    column = pq.read_table(source, columns=["text"])["text"].combine_chunks()
    _sketch(column.slice(0, 10))
    began, used = time.perf_counter(), time.process_time()
    keys = _sketch(column)
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    output.write_bytes(keys.tobytes())
    return {"seconds": seconds, "cpu_seconds": cpu, "documents": len(column)}


def _sketch(column: pa.Array) -> Any:
    from builder.domain.text_buffers import text_buffers
    from builder.kernels.dedup.sketch import sketch_texts
    from builder.kernels.text.folding import folding
    from builder.kernels.text.words import buffers

    data, offsets = text_buffers(column)
    n = len(column)
    keys, words_hash = np.zeros((n, BANDS), np.uint64), np.zeros((n, 2), np.uint64)
    n_words, n_shingles = np.zeros(n, np.int64), np.zeros(n, np.int64)
    sketch_texts(data, offsets, WIDTH, ROWS, folding(), buffers(), keys, n_words, n_shingles, words_hash)
    return keys


@array_kernel
def _sketch_ready(hashes: Any, starts: Any, rows: Any, keys: Any) -> Any:
    bins, mixed = np.empty(keys.shape[1] * rows, np.uint64), np.empty(256, np.uint64)
    for doc in range(len(starts) - 1):
        n = starts[doc + 1] - starts[doc]
        if n > 0:
            fill_bins(hashes[starts[doc] : starts[doc + 1]], n, bins, mixed)
            band_keys(bins, rows, keys[doc])


def ready_signatures(source: Path, output: Path) -> dict[str, Any]:
    """Sketch shingle hashes that are there already, and make band keys of them."""
    hashes, starts = (np.load(source / name) for name in ("hashes.npy", "starts.npy"))
    keys = np.zeros((len(starts) - 1, BANDS), np.uint64)
    _sketch_ready(hashes[:10], np.array([0, 10]), ROWS, keys[:1])
    began, used = time.perf_counter(), time.process_time()
    _sketch_ready(hashes, starts, ROWS, keys)
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    output.write_bytes(keys.tobytes())
    return {"seconds": seconds, "cpu_seconds": cpu, "documents": len(keys)}


def clusters(source: Path, output: Path) -> dict[str, Any]:
    """Read the keys of each band and join the documents that share one; components included."""
    from builder.engines.threads import LocalThreads
    from builder.engines.zygote import processors
    from builder.kernels.dedup.clusters import link

    threads = LocalThreads(processors())
    link(4, 2, band=lambda _: np.array([1, 2, 1, 3], np.uint64), side_by_side=threads.side_by_side)
    began, used = time.perf_counter(), time.process_time()
    files = sorted(source.glob("*.parquet"))
    n_docs = pq.read_metadata(files[0]).num_rows
    links = link(n_docs, len(files), band=lambda b: _keys(files[b]), side_by_side=threads.side_by_side)
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    output.write_bytes(links.component.tobytes())
    return {"seconds": seconds, "cpu_seconds": cpu, "components": len(np.unique(links.component))}


def _keys(file: Path) -> Any:
    return pq.read_table(file, columns=["key"], use_threads=False)["key"].to_numpy()


WORKS = {
    "repair": repair,
    "languages": languages,
    "words-by-row": words_by_row,
    "words-by-batch": words_by_batch,
    "characters-by-row": characters_by_row,
    "characters-by-batch": characters_by_batch,
    "clean": clean,
    "signals": signals,
    **{f"preset-{name}": preset(name) for name, one in PRESETS.items() if one.dialect is None},
    "signatures": signatures,
    "ready-signatures": ready_signatures,
    "clusters": clusters,
}

if __name__ == "__main__":
    print(json.dumps(WORKS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))))
