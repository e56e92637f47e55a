"""Publish with a fault at each request in turn, then publish again; print what went wrong, or how many cases.

Arguments: the corpus, the old version and the new one, which case of how many (``0/1`` for all), attempts.
A case is a repository of its own that holds the old version; only the small files behind it are copied.
"""

import json
import os
import sys
import urllib.request
from pathlib import Path

from hub.faults import KINDS
from hub.looks import commit_at, digest_at
from hub.store import Store

import builder
from builder.errors import BuilderError
from builder.publish.patience import Patience

MANY = 200


class Place:
    """The stand-in as this program sees it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ask(self, path: str, document: object = None) -> object:
        """Ask the stand-in itself."""
        data = None if document is None else json.dumps(document).encode()
        with urllib.request.urlopen(os.environ["HF_ENDPOINT"] + path, data=data) as answer:
            return json.loads(answer.read())


def main() -> None:
    folder, corpus, old, new, part, attempts = sys.argv[1:]
    place = Place(Path(folder))
    builder.publish(f"{corpus}@{old}", "harbour/tides") if old else None
    known = set((place.folder / "objects").iterdir())
    place.ask("/-/plan", [])
    begin(place, "harbour/count", bool(old), known)
    builder.publish(f"{corpus}@{new}", "harbour/count")
    n_requests = len(place.ask("/-/log"))
    cases = [(kind, at) for at in range(1, n_requests + 1) for kind in KINDS]
    at, of = map(int, part.split("/"))
    n_failed_first = 0
    for number, (kind, request) in list(enumerate(cases))[at::of]:
        name = f"harbour/case-{number}"
        begin(place, name, bool(old), known)
        place.ask("/-/plan", [{"kind": kind, "at": request}])
        try:
            builder.publish(
                f"{corpus}@{new}", name, patience=Patience(attempts=int(attempts), first_wait_s=0.01)
            )
        except BuilderError as error:
            n_failed_first += 1
            assert str(error), (kind, request)
        if Store(place.folder).repo(name):
            assert digest_at(place, "main", name) in (old or None, new), (kind, request)
        place.ask("/-/plan", [])
        done = builder.publish(f"{corpus}@{new}", name)
        assert done.main, (kind, request)
        assert digest_at(place, "main", name) == digest_at(place, f"v{new}", name) == new, (kind, request)
        assert commit_at(place, f"v{new}", name) == commit_at(place, "main", name), (kind, request)
    print(json.dumps({"requests": n_requests, "cases": len(cases[at::of]), "first_failed": n_failed_first}))


def begin(place: Place, name: str, has_old: bool, known: set[Path]) -> None:
    """Make a repository that holds the old version, and forget what came for the new one."""
    for path in set((place.folder / "objects").iterdir()) - known:
        path.unlink()
    if has_old:
        source = place.folder / "repos" / "harbour" / "tides.json"
        copy = json.loads(source.read_text()) | {"id": name}
        (place.folder / "repos" / f"{name}.json").write_text(json.dumps(copy))


if __name__ == "__main__":
    main()
