"""``init``: write an example recipe, pages and contract."""

from __future__ import annotations

import errno
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from builder.corpus.place import corpus_folder
from builder.errors import Fault, RecipeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_RECIPE = """\
# A recipe names the inputs, the stages that process them, and the folder of the versions.
# `builder check recipe.yaml` checks that it can be built; `builder build recipe.yaml` builds it.
name: {name}
title: A corpus to start from
license: cc0-1.0
language: [en]

# A built-in contract (`builder schema page-1` prints it), or the path of your own JSON Schema.
# To use the example next to this file, write `contract: article.schema.json`.
contract: page-1

sources:
  - jsonl: {{path: pages/*.jsonl}}
  - html: {{path: pages/*.html}}

stages:
  - validate: {{}}
  - extract_text: {{}}
{cleaning}  - repair_text: {{}}
{judging}  - dedup_url: {{}}
  - dedup_exact: {{}}
  - dedup_near: {{threshold: 0.8}}

splits: {{train: 0.9, test: 0.1}}
corpus: corpus
"""

_PAGES = (
    {
        "url": "https://example.org/tides",
        "text": (
            "The tide turns twice a day. Twice a day the harbour empties, the boats lean on their keels, "
            "and the gulls walk where the fish were."
        ),
        "fetched_at": "2024-03-01T06:00:00Z",
    },
    {
        "url": "https://example.org/tides?utm_source=letter",
        "text": "The tide turns twice a day.",
        "fetched_at": "2024-02-01T06:00:00Z",
    },
    {
        "url": "https://example.org/lamps",
        "text": (
            "A lamp keeper writes down three things each night: the hour of lighting, the weather, and the "
            "name of every ship that passes."
        ),
        "fetched_at": "2024-03-02T06:00:00Z",
    },
    {
        "url": "https://mirror.example.net/lamps",
        "text": (
            "A lamp keeper writes down three things each night: the hour of lighting, the weather, and the "
            "name of every ship that passes."
        ),
        "fetched_at": "2024-03-03T06:00:00Z",
    },
    {"url": "https://example.org/broken", "text": 7},
)

_HTML = """\
<!doctype html>
<html lang="en">
<head>
<title>How to read a barometer</title>
<link rel="canonical" href="https://example.org/barometer">
</head>
<body>
<nav><a href="/">Home</a> <a href="/about">About</a></nav>
<article>
<h1>How to read a barometer</h1>
<p>Tap the glass once and watch which way the needle moves. A needle that falls slowly tells of rain that
will stay; a needle that falls fast tells of wind.</p>
<p>Write the figure down at the same hour each day. One reading says little, a week of readings says much.</p>
</article>
<footer>Subscribe to our letter!</footer>
</body>
</html>
"""

_CONTRACT = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "article",
    "description": "A contract of your own: change the recipe to `contract: article.schema.json` to use it.",
    "type": "object",
    "required": ["url", "text"],
    "properties": {
        "url": {"type": "string", "minLength": 1},
        "text": {"type": "string", "minLength": 1},
        "fetched_at": {"type": ["string", "null"], "format": "date-time"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
}


PRESETS_OF_RECIPES = ("web", "clean", "none")
"""What a recipe to start from does to texts: cleaning, language and the filter ``web``; cleaning; neither."""

CLEANING_LINES = "  - clean_text: {}\n"

JUDGING_LINES = """\
  # The model of the language comes with the extra `lang`: pip install 'nlp-corpus-builder[lang]'
  - language: {}
  - filter: {preset: web}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class InitResult:
    """The files that ``init`` wrote."""

    folder: Path
    recipe: Path
    files: Sequence[Path]


def init(folder: str | Path, *, preset: str = "clean") -> InitResult:
    """Write an example recipe with pages and a contract. You can build the recipe without a change.

    Args:
        preset: one of ``PRESETS_OF_RECIPES``; ``web`` needs the extra ``lang``.

    Raises:
        RecipeError: if one of the files already exists, the folder cannot be written, or no library could
            load a corpus in this folder. No file is overwritten, and an incomplete example is removed.
    """
    corpus_folder(f"{folder}/corpus", where="FOLDER")
    folder = Path(folder).expanduser()
    texts = {
        "recipe.yaml": _RECIPE.format(
            name=dataset_name(folder),
            cleaning="" if preset == "none" else CLEANING_LINES,
            judging=JUDGING_LINES if preset == "web" else "",
        ),
        "pages/pages.jsonl": "".join(json.dumps(page) + "\n" for page in _PAGES),
        "pages/barometer.html": _HTML,
        "article.schema.json": json.dumps(_CONTRACT, indent=2) + "\n",
    }
    refuse_existing(folder, texts)
    write_files(folder, texts)
    return InitResult(folder=folder, recipe=folder / "recipe.yaml", files=[folder / name for name in texts])


def refuse_existing(folder: Path, names: Iterable[str]) -> None:
    """Refuse to overwrite a file.

    Raises:
        RecipeError: if one of the files already exists.
    """
    existing = [folder / name for name in names if (folder / name).exists()]
    if existing:
        raise RecipeError(
            Fault(where=str(existing[0]), what="already exists", advice="choose another folder")
        )


def write_files(folder: Path, texts: Mapping[str, str]) -> None:
    """Write all files, or none of them."""
    written: list[Path] = []
    try:
        for name, text in texts.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            written.append(folder / name)
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        what = f"cannot be written: {error.strerror or error}"
        advice = "free some space, or choose another folder" if is_full else "choose another folder"
        raise RecipeError(Fault(where=str(folder), what=what, advice=advice)) from error


def dataset_name(folder: Path) -> str:
    """Turn the name of a folder into a name that the recipe's schema accepts."""
    letters = [c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in folder.resolve().name]
    return "".join(letters).strip("._-")[:96] or "corpus"
