"""Publish with a fault at each request in turn, then publish again; print the failures or the case counts.

Arguments: folder of the stand-in, corpus, version on the Hub (or nothing), version to publish,
the part of the cases (``0/1`` for all), the number of attempts, the kinds of faults. Each case has its own
repository with the version on the Hub; only the small files of the repository are copied. ``ctrl-c`` is not a
fault of the Hub: this process receives the signal during the request.
"""

import json
import os
import signal
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from hub.faults import SLOW
from hub.looks import commit_at, digest_at
from hub.store import Store

import builder
from builder.errors import BuilderError
from builder.hub.retry_policy import RetryPolicy

CTRL_C = "ctrl-c"


class Control:
    """A client of the stand-in's control requests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ask(self, path: str, document: object = None) -> object:
        """Send a control request to the stand-in."""
        data = None if document is None else json.dumps(document).encode()
        with urllib.request.urlopen(os.environ["HF_ENDPOINT"] + path, data=data) as answer:
            return json.loads(answer.read())


def main() -> None:
    folder, corpus, old, new, part, attempts, kinds = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    place = Control(Path(folder))
    builder.publish(f"{corpus}@{old}", "harbour/tides") if old else None
    known = set((place.folder / "objects").iterdir())
    place.ask("/-/plan", [])
    begin(place, "harbour/count", bool(old), known)
    builder.publish(f"{corpus}@{new}", "harbour/count")
    n_requests = len(place.ask("/-/log"))
    cases = [(kind, at) for at in range(1, n_requests + 1) for kind in kinds.split(",")]
    at, of = map(int, part.split("/"))
    n_failed_first = 0
    newest = max(old, new)
    for number, (kind, request) in list(enumerate(cases))[at::of]:
        name = f"harbour/case-{number}"
        begin(place, name, bool(old), known)
        try:
            with failing(place, kind, request):
                builder.publish(
                    f"{corpus}@{new}",
                    name,
                    retry_policy=RetryPolicy(attempts=int(attempts), first_wait_s=0.01),
                )
        except (BuilderError, KeyboardInterrupt) as error:
            n_failed_first += 1
            assert str(error) or kind == CTRL_C, (kind, request)
        if Store(place.folder).repo(name):
            assert digest_at(place, "main", name) in (old or None, newest), (kind, request)
        place.ask("/-/plan", [])
        done = builder.publish(f"{corpus}@{new}", name)
        assert done.main == (newest == new), (kind, request)
        assert digest_at(place, "main", name) == newest, (kind, request)
        assert digest_at(place, f"v{new}", name) == new, (kind, request)
        assert list(Store(place.folder).repo(name).branches) == ["main"], (kind, request)
        same = commit_at(place, f"v{new}", name) == commit_at(place, "main", name)
        assert same == done.main, (kind, request)
    print(json.dumps({"requests": n_requests, "cases": len(cases[at::of]), "first_failed": n_failed_first}))


@contextmanager
def failing(place: Control, kind: str, request: int):
    """Make one request fail."""
    place.ask("/-/plan", [{"kind": SLOW if kind == CTRL_C else kind, "at": request}])
    if kind != CTRL_C:
        yield
        return
    over = threading.Event()

    def interrupt() -> None:
        while not over.is_set() and len(place.ask("/-/log")) < request:
            time.sleep(0.005)
        if not over.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    watcher = threading.Thread(target=interrupt)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def begin(place: Control, name: str, has_old: bool, known: set[Path]) -> None:
    """Create a repository with the old version, and delete uploaded files of the new version."""
    for path in set((place.folder / "objects").iterdir()) - known:
        path.unlink()
    if has_old:
        source = place.folder / "repos" / "harbour" / "tides.json"
        copy = json.loads(source.read_text()) | {"id": name}
        (place.folder / "repos" / f"{name}.json").write_text(json.dumps(copy))


if __name__ == "__main__":
    main()
