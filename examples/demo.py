"""``make demo``: build the examples, load the result, and follow pages through the ledger."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILDER = Path(sys.executable).with_name("builder")


def run(*args: str) -> str:
    """Show a command, run it, and return what it prints."""
    print(f"\n$ builder {' '.join(args)}", flush=True)
    done = subprocess.run([BUILDER, *args], cwd=HERE, text=True, stdout=subprocess.PIPE, check=True)
    print(done.stdout, end="", flush=True)
    return done.stdout


def show_page_of_each_outcome(corpus: Path) -> None:
    """Ask ``why`` for one record of each outcome."""
    import pyarrow.parquet as pq

    ledger = pq.read_table(corpus / ".audit" / "1.0.0" / "ledger.parquet").to_pylist()
    for outcome in ("kept", "rejected", "merged", "failed"):
        record = next(row for row in ledger if row["outcome"] == outcome)
        run("why", str(corpus.relative_to(HERE)), record["record_id"])


def load(corpus: Path) -> None:
    """Load the version the way a consumer does."""
    import datasets

    datasets.disable_progress_bars()
    loaded = datasets.load_dataset(str(corpus), "1.0.0", cache_dir=str(HERE / "out" / ".cache"))
    print(f"\n>>> load_dataset({str(corpus.relative_to(HERE))!r}, '1.0.0')")
    print({name: split.num_rows for name, split in loaded.items()})
    row = loaded["train"][0]
    print(json.dumps({**row, "text": row["text"][:120] + "..."}, ensure_ascii=False, indent=2, default=str))


def main() -> None:
    """Build, verify, explain, load."""
    out = HERE / "out"
    if out.exists():
        shutil.rmtree(out)
    run("build", "recipe.yaml")
    corpus = next(path.parent for path in out.glob("*/latest"))
    run("verify", str(corpus.relative_to(HERE)))
    show_page_of_each_outcome(corpus)
    load(corpus)


if __name__ == "__main__":
    main()
