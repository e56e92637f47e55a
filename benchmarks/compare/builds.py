"""Whole builds and ``builder validate`` against the bare libraries below them."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING

from benchmarks.bench import ROOT, Bench, builder, recipe, theirs
from benchmarks.compare.scale import write_documents
from benchmarks.environments import own
from benchmarks.measure import Measured, compare, in_turn

if TYPE_CHECKING:
    from pathlib import Path

STAGES = ("repair_text", "dedup_url", "dedup_exact", "dedup_near")
CONTRACT = ROOT / "schemas" / "page-1.schema.json"
N_DOCUMENTS = 1_000_000
"""Documents that one worker and two are measured on: enough that starting them is nothing."""

SLOW_RECORDS = 4_000
"""Records that jsonschema, which takes a hundred times as long, is measured on."""


def measure(bench: Bench) -> list[Measured]:
    """Measure validation, builds from text and from pages, and two workers against one."""
    rows = [*_validation(bench), _from_text(bench), _workers(bench)]
    if bench.archive is not None:
        rows.append(_from_pages(bench, bench.archive))
    return rows


def _validation(bench: Bench) -> list[Measured]:
    def bare(lines: Path, judge: str, limit: int):  # type: ignore[no-untyped-def]
        return theirs(own(), "bare_validation.py", lines, CONTRACT, judge, str(limit))

    what, note = "`builder validate` JSONL", "whole processes"
    pairs = in_turn(
        lambda: builder("validate", bench.pages, "--contract", "page-1"),
        lambda: bare(bench.pages, "jsonschema-rs", 0),
        rounds=bench.rounds,
    )
    against = "bare loop of orjson and jsonschema-rs, one core"
    rows = [compare(pairs, what=what, against=against, aim="1.2 times", at_least=1.2, note=note)]
    lines = bench.folder / "some.jsonl"
    lines.write_bytes(b"".join(bench.pages.read_bytes().splitlines(keepends=True)[:SLOW_RECORDS] * 10))
    pairs = in_turn(
        lambda: builder("validate", lines, "--contract", "page-1"),
        lambda: bare(lines, "jsonschema", 0),
        rounds=bench.rounds,
    )
    against = "the same loop with jsonschema"
    return [*rows, compare(pairs, what=what, against=against, aim="40 times", at_least=40, note=note)]


def _from_text(bench: Bench) -> Measured:
    def build():  # type: ignore[no-untyped-def]
        return builder("build", recipe(bench, "text", {"jsonl": {"path": str(bench.pages)}}, STAGES))

    pairs = in_turn(
        build,
        lambda: theirs(own(), "pyarrow_copy.py", bench.pages, bench.folder / "copy.parquet"),
        rounds=bench.rounds,
    )
    return compare(
        pairs,
        what="build from clean JSONL to a version, all default stages",
        against="pyarrow: JSONL to Parquet with zstd",
        aim="at most 2.5 times its time (0.4)",
        at_least=0.4,
        note="whole processes",
    )


def _workers(bench: Bench) -> Measured:
    documents = write_documents(bench, N_DOCUMENTS)

    def build(n: int):  # type: ignore[no-untyped-def]
        path = recipe(bench, "workers", {"jsonl": {"path": f"{documents}/*.jsonl"}}, STAGES)
        return builder("build", path, "--workers", str(n))

    pairs = in_turn(lambda: build(2), lambda: build(1), rounds=bench.rounds, warm=False)
    what = f"build from clean JSONL, {N_DOCUMENTS:,} documents, two workers"
    return compare(
        pairs, what=what, against="one worker", aim="1.8 times", at_least=1.8, note="whole processes"
    )


def _from_pages(bench: Bench, archive: Path) -> Measured:
    pages = bench.folder / "pages.pickle"
    if not pages.exists():
        pages.write_bytes(pickle.dumps(_html(archive)))

    def build():  # type: ignore[no-untyped-def]
        path = recipe(bench, "warc", {"warc": {"path": str(archive)}}, ("extract_text", *STAGES))
        return builder("build", path)

    pairs = in_turn(
        build,
        lambda: theirs(own(), "bare_resiliparse.py", pages, str(os.cpu_count())),
        rounds=bench.rounds,
    )
    return compare(
        pairs,
        what="build from WARC to a version, all default stages",
        against="bare resiliparse over the same pages, all cores, pages in memory",
        aim="1.5 times",
        at_least=1.5,
        note="ours the whole process, the other without its start",
    )


def _html(archive: Path) -> list[bytes]:
    """Take the pages out of the archive that ``corpus.py`` wrote."""
    pages = []
    data = archive.read_bytes()
    at = 0
    while (head := data.find(b"\r\n\r\n", at)) >= 0:
        length = int(data[at:head].rpartition(b"Content-Length: ")[2])
        body = data[head + 4 : head + 4 + length]
        pages.append(body.partition(b"\r\n\r\n")[2])
        at = head + 4 + length + 4
    return pages
