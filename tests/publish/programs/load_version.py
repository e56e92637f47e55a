"""Load versions in each way, and print the row ids by version, way and split as JSON."""

import json
import sys

import datasets

import builder


def load(repo: str, version: str) -> dict[str, object]:
    revision = None if version == "main" else f"v{version}"
    loaded = datasets.load_dataset(repo, revision=revision)
    streamed = datasets.load_dataset(repo, revision=revision, streaming=True)
    found = {
        "version": str(next(iter(loaded.values())).info.version),
        "loaded": {name: list(part["id"]) for name, part in loaded.items()},
        "streamed": {name: [row["id"] for row in part] for name, part in streamed.items()},
    }
    if revision:
        own = builder.load(repo, version)
        found["own"] = {name: list(part["id"]) for name, part in own.items()}
    return found


def main() -> None:
    datasets.disable_progress_bars()
    repo, *versions = sys.argv[1:]
    print(json.dumps({version: load(repo, version) for version in versions}))


if __name__ == "__main__":
    main()
