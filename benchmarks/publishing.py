"""How many bytes a change of a corpus sends to the Hub, by LFS and by Xet.

    python -m benchmarks.publishing [--pages N] [--folder SCRATCH]

The pages have 4 kB each and hardly compress; the Hub is the stand-in of the tests, the clients are the real
ones. 80,000 pages, the default, come to about 64 shards, which is what a split of more than 256 MB has.
``small files`` is all that is not Parquet: card, manifest, croissant.json and the requests themselves.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

WHAT = {
    "first": "the first version",
    "append": "5 % more pages appended",
    "takedown": "1 % of the pages, next to each other, taken down",
    "rename": "shards under new names only",
    "encode": "the same rows, encoded again",
}


def table(found: dict[str, list[Any]]) -> str:
    """Write the table."""
    lines = [
        "| change | size of the version | shards | by LFS | share | by Xet | share | small files |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for lfs, xet in zip(found["lfs"], found["xet"], strict=True):
        cells = [WHAT[lfs.change], _mega(lfs.size), str(lfs.n_shards)]
        for one in (lfs, xet):
            cells += [_mega(one.large), f"{one.large / one.size:.1%}"]
        lines.append(f"| {' | '.join([*cells, _mega(lfs.small)])} |")
    return "\n".join(lines) + "\n"


def _mega(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.2f} MB"


def main() -> None:
    """Build, publish twice, print."""
    from hub.process import StandIn
    from wire_changes import make_changes, publish_changes

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pages", type=int, default=80_000)
    parser.add_argument("--folder", type=Path, default=None)
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="publishing-"))
    corpus = make_changes(folder, arguments.pages)
    found = {}
    for kind in ("lfs", "xet"):
        with StandIn(folder / kind, xet=kind == "xet") as hub:
            found[kind] = list(publish_changes(hub, corpus, "harbour/tides", folder / f"home-{kind}"))
    print(table(found))


if __name__ == "__main__":
    main()
