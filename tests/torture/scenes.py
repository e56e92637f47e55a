"""The corpus that commands are tortured on, all commands, and how to see that nothing was lost or damaged."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import archives
import pyarrow.parquet as pq
from planted import sentence

from builder import Corpus, Recipe, build, takedown

STAGES = ("validate", "dedup_url", "dedup_exact", "dedup_near")
HTML_STAGES = (
    *STAGES[:1],
    "block_urls",
    "extract_text",
    "clean_text",
    "repair_text",
    "license",
    "language",
    "signals",
    "filter",
    "opt_out",
    *STAGES[1:],
)
"""The stages of the build of HTML."""

BECAUSE = "the owner asked"


def pages(first: int, last: int) -> list[dict[str, str]]:
    """Return pages, some of them duplicates of an earlier one by URL or by text."""
    return [
        {
            "url": f"https://{'a' if i % 3 else 'b'}.example/{i - i % 7 // 6}",
            "text": " ".join(sentence(j - (j % 11 == 5)) for j in range(i, i + 2)),
        }
        for i in range(first, last)
    ]


OPTIONS = {
    "block_urls": {"lists": ["blocked.txt"]},
    "filter": {"words": {"min": 3}, "dup_5gram": {"max": 0.9}},
}
"""Options of stages that do nothing without."""


def write_pages(path: Path, rows: Sequence[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))


def make_scene(folder: Path) -> None:
    """Make a folder with recipes and the corpus `corpus` in versions 1.0.0, 1.1.0 and 2.0.0.

    `base.json` has the inputs of the corpus, `fresh.json` builds `new`, `more.json` adds pages to `corpus`.
    """
    write_pages(folder / "feed/a.jsonl", [*pages(0, 20), {"url": "https://a.example/bad", "text": 7}])
    _recipe(folder, "base", sources=["feed/*.jsonl"])
    build(Recipe.load(folder / "base.json"), workers=1)
    write_pages(folder / "feed/b.jsonl", pages(20, 30))
    build(Recipe.load(folder / "base.json"), workers=1)
    takedown(folder / "corpus", urls=["https://a.example/4"], because=BECAUSE)
    write_pages(folder / "extra/c.jsonl", pages(30, 36))
    _recipe(folder, "more", sources=["feed/*.jsonl", "extra/*.jsonl"])
    _recipe(folder, "fresh", sources=["feed/*.jsonl"], corpus="new")
    for name in ("x", "y"):
        rows = [
            {**one, "html": f"<html><body><p>{one.pop('text')}</p></body></html>"} for one in pages(0, 25)
        ]
        write_pages(folder / f"html/{name}.jsonl", [{**one, "url": one["url"] + name} for one in rows])
    _recipe(
        folder,
        "html",
        sources=["html/*.jsonl"],
        corpus="new",
        stages=HTML_STAGES,
    )
    (folder / "blocked.txt").write_text("b.example/1\n")
    _add_site(folder)


def _add_site(folder: Path) -> None:
    """Add to the recipe of HTML a site that reserves its use, and of which a stage drops a page."""
    rules = archives.http_response(b"User-agent: *\nDisallow: /3", headers=[("Content-Type", "text/plain")])
    short = archives.http_response(b"<html><title>3</title><body><p>ja</body></html>")
    records = [
        archives.warc_record(body, uri=f"https://a.example/{name}")
        for name, body in (("robots.txt", rules), ("3x", short))
    ]
    (folder / "html/site.warc").write_bytes(b"".join(records))
    document = json.loads((folder / "html.json").read_text())
    document["sources"].append({"warc": {"path": "html/*.warc", "name": "archive"}})
    (folder / "html.json").write_text(json.dumps(document))


def litter(corpus: Path) -> None:
    """Leave what killed commands leave: a scratch folder, and an object of no version."""
    (corpus / ".spool/takedown-left/deep").mkdir(parents=True)
    (corpus / ".objects/sha256/00").mkdir(exist_ok=True)
    (corpus / ".objects/sha256/00/left").write_bytes(b"x" * 100)


def _recipe(
    folder: Path,
    name: str,
    *,
    sources: Sequence[str],
    corpus: str = "corpus",
    stages: Sequence[str] = STAGES,
) -> None:
    document = {
        "name": "tortured",
        "sources": [{"jsonl": {"path": one, "name": one.split("/")[0]}} for one in sources],
        "stages": [{stage: OPTIONS.get(stage, {})} for stage in stages],
        "splits": {"train": 0.8, "test": 0.2},
        "corpus": corpus,
    }
    (folder / f"{name}.json").write_text(json.dumps(document))


def copy_scene(pristine: Path, folder: Path) -> Path:
    """Copy a scene, with its links and modes, to a folder that does not exist yet."""
    subprocess.run(["cp", "-a", str(pristine), str(folder)], check=True)
    return folder


def remove_scene(folder: Path) -> None:
    if folder.exists():
        subprocess.run(["chmod", "-R", "u+rwX", str(folder)], check=True)
        shutil.rmtree(folder)


WRITERS: dict[str, list[str]] = {
    "build": ["build", "fresh.json", "--workers", "1"],
    "build of HTML": ["build", "html.json", "--workers", "2", "--allow-code"],
    "addition": ["build", "more.json", "--workers", "1"],
    "build --full": ["build", "base.json", "--workers", "1", "--full", "--version", "3.0.0"],
    "build --compact": ["build", "base.json", "--workers", "1", "--compact"],
    "takedown": ["takedown", "corpus", "--url", "https://a.example/8", "--because", BECAUSE],
    "purge": ["takedown", "corpus", "--url", "https://a.example/8", "--because", BECAUSE, "--purge"],
    "yank": ["yank", "corpus@1.1.0", "--because", BECAUSE],
    "drop": ["drop", "corpus@1.0.0"],
    "gc": ["gc", "corpus", "--spool-days", "0"],
    "dedup": ["dedup", "feed/a.jsonl", "--output", "deduplicated", "--workers", "1"],
    "fetch": ["fetch", "harbour/tortured@2.0.0", "fetched"],
    "publish": ["publish", "corpus", "--repo", "harbour/tortured"],
}
"""Commands that change a corpus or the Hub."""

READERS: dict[str, list[str]] = {
    "verify": ["verify", "corpus"],
    "versions": ["versions", "corpus"],
    "optout": ["optout", "corpus", "--write", "urls.txt"],
    "why": ["why", "corpus", "https://a.example/7"],
    "diff": ["diff", "corpus", "1.0.0", "2.0.0"],
    "rejected": ["rejected", "corpus", "--output", "rejected.jsonl"],
    "show": ["show", "corpus"],
    "report": ["report", "corpus", "-o", "page.html"],
    "check": ["check", "base.json"],
    "tune": ["tune", "base.json", "--workers", "1", "--html", "tune.html"],
    "check version": ["check", "corpus"],
    "gc --dry-run": ["gc", "corpus", "--dry-run"],
    "validate": ["validate", "feed/a.jsonl", "--contract", "page-1", "--rejected", "invalid.jsonl"],
    "init": ["init", "started"],
    "schema": ["schema", "page-1"],
    "plugin": ["plugin", "check", "repair_text"],
}
"""Commands that leave a corpus as it is."""

COMMANDS = {**WRITERS, **READERS}
WITH_HUB = ("publish", "fetch")


@dataclass(frozen=True)
class State:
    """What a corpus says: its versions with their rows, and the rows that can be read."""

    versions: tuple[tuple[str, str, str, bool, tuple[str, ...]], ...]

    @classmethod
    def of(cls, folder: Path) -> State:
        if not folder.exists():
            return cls(())
        corpus = Corpus(folder)
        return cls(
            tuple(
                (
                    version,
                    corpus.manifest(version).data_digest,
                    str(corpus.yanked(version)),
                    corpus.dropped(version),
                    _rows(corpus, version),
                )
                for version in corpus.versions()
            )
        )


def _rows(corpus: Corpus, version: str) -> tuple[str, ...]:
    if corpus.dropped(version):
        return ()
    files = corpus.data_files(version)
    return tuple(
        f"{split} {one}"
        for split, paths in files.items()
        for path in paths
        for one in pq.read_table(path, columns=["id"])["id"].to_pylist()
    )


def corpus_of(name: str) -> str:
    """Return the folder, in the scene, of the corpus that a command changes or reads."""
    return {"build": "new", "build of HTML": "new", "dedup": "deduplicated", "fetch": "fetched"}.get(
        name, "corpus"
    )


def leftovers(folder: Path) -> list[str]:
    """List what a finished command must not leave behind in a corpus: scratch folders, temporary files."""
    if not folder.is_dir():
        return []
    spool = folder / ".spool"
    scratch = [f".spool/{one.name}" for one in spool.iterdir() if one.is_dir()] if spool.is_dir() else []
    return scratch + [str(one.relative_to(folder)) for one in folder.rglob("*.tmp")]
