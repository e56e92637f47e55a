"""Single kernels on one core."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.bench import Bench, ours, theirs
from benchmarks.environments import own
from benchmarks.measure import Measured, compare, in_turn

N_DOCS, N_BANDS = 2_000_000, 14


def measure(bench: Bench) -> list[Measured]:
    """Measure repair, signatures and clusters."""
    return [_repair(bench), *_signatures(bench), *_clusters(bench)]


def _repair(bench: Bench) -> Measured:
    output, other = bench.folder / "repaired-ours.json", bench.folder / "repaired-theirs.json"
    pairs = in_turn(
        lambda: ours("repair", bench.pages, output),
        lambda: theirs(own(), "ftfy_repair.py", bench.pages, other),
        rounds=bench.rounds,
        warm=False,
    )
    same = output.read_bytes() == other.read_bytes()
    equal = "every document" if same else "NOT every document"
    note = f"equal output on {equal}; inside the processes, one core"
    against = "ftfy on each document, then the same rule for white space"
    return compare(
        pairs, what="`repair_text`", against=against, aim="40 times, equal output", at_least=40, note=note
    )


def _signatures(bench: Bench) -> list[Measured]:
    tool = bench.peer("rensa")
    if tool is None:
        return []
    pairs = in_turn(
        lambda: ours("signatures", bench.parquet, bench.folder / "keys.bin"),
        lambda: theirs(tool, "rensa_signatures.py", "texts", bench.parquet),
        rounds=bench.rounds,
    )
    note = (
        f"words, shingles and sketch, inside the processes, one core; 96 bins against 112; {tool.versions()}"
    )
    what = "signature kernel: 16 bands of 6, found at 0.8 with 99 %"
    rows = [
        compare(
            pairs,
            what=what,
            against="rensa R-MinHash with its own shingling",
            aim="10 times",
            at_least=10,
            note=note,
        )
    ]
    ready = _ready_hashes(bench)
    pairs = in_turn(
        lambda: ours("ready-signatures", ready, bench.folder / "keys.bin"),
        lambda: theirs(tool, "rensa_signatures.py", "ready", ready),
        rounds=bench.rounds,
    )
    note = "ready hashes, 96 bins both; ours makes the band keys as well"
    against = "rensa's best batch call on the same hashes"
    return [*rows, compare(pairs, what=what, against=against, aim="at least equal", at_least=1, note=note)]


def _ready_hashes(bench: Bench):  # type: ignore[no-untyped-def]
    from builder.domain.text_buffers import text_buffers
    from builder.kernels.dedup.shingles import shingle_sets
    from builder.kernels.text.folding import folding
    from builder.kernels.text.words import buffers

    folder = bench.folder / "ready-hashes"
    if not folder.exists():
        column = pq.read_table(bench.parquet, columns=["text"])["text"].combine_chunks()
        hashes, starts = shingle_sets(*text_buffers(column), 5, folding(), buffers())
        folder.mkdir()
        np.save(folder / "hashes.npy", hashes)
        np.save(folder / "starts.npy", starts)
    return folder


def _clusters(bench: Bench) -> list[Measured]:
    tool = bench.peer("duckdb")
    if tool is None:
        return []
    folder = _band_files(bench)
    pairs = in_turn(
        lambda: ours("clusters", folder, bench.folder / "components.bin"),
        lambda: theirs(tool, "duckdb_clusters.py", folder),
        rounds=bench.rounds,
    )
    note = f"from the same files, on all cores; ours with components; {tool.versions()}"
    what = f"band keys to clusters, {N_DOCS * N_BANDS / 1e6:.0f} million keys, 10 % duplicates"
    return [
        compare(pairs, what=what, against="DuckDB group-by and join", aim="5 times", at_least=5, note=note)
    ]


def _band_files(bench: Bench):  # type: ignore[no-untyped-def]
    """Write a file of (doc, key) for each band; a tenth of the documents has the keys of another one."""
    folder = bench.folder / "band-keys"
    if not folder.exists():
        folder.mkdir()
        rng = np.random.default_rng(7)
        copies = rng.choice(N_DOCS, N_DOCS // 10, replace=False)
        originals = rng.integers(0, N_DOCS, len(copies))
        docs = pa.array(np.arange(N_DOCS, dtype=np.int32))
        for band in range(N_BANDS):
            keys = rng.integers(0, 2**63, N_DOCS, dtype=np.int64).astype(np.uint64)
            keys[copies] = keys[originals]
            pq.write_table(
                pa.table({"doc": docs, "key": keys}), folder / f"{band:02}.parquet", compression="none"
            )
    return folder
