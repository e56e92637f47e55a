"""``make demo``: build the examples, explain pages from the ledger, publish the result, and load it back.

The Hub is a stand-in on this machine (``tests/hub``); the demo uses the real client libraries.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILDER = Path(sys.executable).with_name("builder")
REPO = "tidewatch/gazette"

sys.path.insert(0, str(HERE.parent / "tests"))


def run(*args: str, environment: dict[str, str] | None = None) -> str:
    """Print a command, run it, and return its output."""
    print(f"\n$ builder {' '.join(args)}", flush=True)
    environment = environment or dict(os.environ)
    done = subprocess.run(
        [BUILDER, *args], cwd=HERE, text=True, stdout=subprocess.PIPE, check=True, env=environment
    )
    print(done.stdout, end="", flush=True)
    return done.stdout


def show_page_of_each_outcome(corpus: Path) -> None:
    """Run ``builder why`` for one record of each outcome."""
    import pyarrow.parquet as pq

    ledger = pq.read_table(corpus / ".audit" / "1.0.0" / "ledger.parquet").to_pylist()
    for outcome in ("kept", "rejected", "merged", "failed"):
        record = next(row for row in ledger if row["outcome"] == outcome)
        run("why", str(corpus.relative_to(HERE)), record["record_id"])


def load(corpus: Path) -> None:
    """Load the version as a user does."""
    import datasets

    datasets.disable_progress_bars()
    loaded = datasets.load_dataset(str(corpus), "1.0.0", cache_dir=str(HERE / "out" / ".cache"))
    print(f"\n>>> load_dataset({str(corpus.relative_to(HERE))!r}, '1.0.0')")
    print({name: split.num_rows for name, split in loaded.items()})
    row = loaded["train"][0]
    print(json.dumps({**row, "text": row["text"][:120] + "..."}, ensure_ascii=False, indent=2, default=str))


def publish_and_load_back(corpus: Path) -> None:
    """Publish to a stand-in Hub, fetch, and load from there in a process with an empty cache."""
    from hub.process import StandIn

    folder = HERE / "out" / ".hub"
    with StandIn(folder / "server") as hub:
        environment = hub.environment(folder / "cache")
        run("publish", str(corpus.relative_to(HERE)), "--repo", REPO, environment=environment)
        run("fetch", f"{REPO}@1.0.0", "out/fetched", environment=environment)
        call = f"load_dataset({REPO!r}, revision='v1.0.0')"
        code = (
            "import datasets; datasets.disable_progress_bars()\n"
            f"print({{name: split.num_rows for name, split in datasets.{call}.items()}})"
        )
        print(f"\n>>> {call}", flush=True)
        subprocess.run(
            [sys.executable, "-c", code], check=True, env=hub.environment(folder / "other", token=None)
        )


def main() -> None:
    """Build, verify, explain, load, publish and load back."""
    out = HERE / "out"
    if out.exists():
        subprocess.run(["chmod", "-R", "u+w", str(out)], check=True)
        shutil.rmtree(out)
    run("build", "recipe.yaml")
    corpus = next(path.parent for path in out.glob("*/latest"))
    run("verify", str(corpus.relative_to(HERE)))
    show_page_of_each_outcome(corpus)
    load(corpus)
    publish_and_load_back(corpus)


if __name__ == "__main__":
    main()
