"""``init --from``: write a contract and a recipe from a sample of files."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.corpus.place import corpus_folder
from builder.domain.contract.inferred import RecordSample, is_instant
from builder.errors import Fault, RecipeError
from builder.operations.init import (
    CLEANING_LINES,
    JUDGING_LINES,
    InitResult,
    dataset_name,
    refuse_existing,
    write_files,
)
from builder.operations.sample_files import sample_file
from builder.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.operations.sample_files import SampledFile

_PAGES = frozenset(("warc", "html", "text"))
"""Kinds of sources whose records are pages: ``page-1`` is their contract."""

ROLE_NAMES: Mapping[str, Sequence[str]] = {
    "url": ("url", "link", "uri", "permalink", "page_url", "source_url", "sourceurl", "loadedurl", "href"),
    "html": ("html", "raw_html", "rawhtml", "page_html", "body", "content"),
    "text": ("text", "body", "content", "markdown", "article", "article_body", "selftext", "maintext"),
    "fetched_at": ("fetched_at", "crawled_at", "fetch_time", "scraped_at", "timestamp", "date_download"),
}
"""Names that members with a role often have, the most usual first; the values must look like it too."""

_RESERVED = "id"
_RENAMED_ID = "source_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """What the files need: the members of the contract, the roles, and new names."""

    sample: RecordSample
    roles: Mapping[str, str]
    renames: Mapping[str, str]


def init_from(folder: str | Path, files: Sequence[str | Path], *, preset: str = "none") -> InitResult:
    """Write a contract and a recipe that builds ``files``. You can build the recipe without a change.

    The contract has the members of the first records of each file: their types, which are required, and which
    are instants. The recipe names the columns that look like text, HTML, URL and time of the fetch.

    Args:
        preset: what the recipe does to texts, one of ``PRESETS_OF_RECIPES``.

    Raises:
        RecipeError: if a file cannot be read, no member looks like text or HTML, or one of the files to write
            already exists. No file is overwritten.
    """
    corpus_folder(f"{folder}/corpus", where="FOLDER")
    folder = Path(folder).expanduser()
    name = dataset_name(folder)
    sampled = [sample_file(Path(file).expanduser()) for file in files]
    if all(one.kind in _PAGES for one in sampled):
        texts = {"recipe.yaml": _recipe(name, "page-1", sampled, None, folder, preset=preset)}
    else:
        draft = _draft(sampled)
        contract = f"{name}.schema.json"
        texts = {
            "recipe.yaml": _recipe(name, contract, sampled, draft, folder, preset=preset),
            contract: json.dumps(_contract(name, draft), indent=2, ensure_ascii=False) + "\n",
        }
    refuse_existing(folder, texts)
    write_files(folder, texts)
    Recipe.load(folder / "recipe.yaml")
    return InitResult(folder=folder, recipe=folder / "recipe.yaml", files=[folder / one for one in texts])


def _draft(sampled: Sequence[SampledFile]) -> _Draft:
    sample = RecordSample(text_only=all(one.kind == "csv" for one in sampled))
    renames = _renames(sampled)
    for file in sampled:
        for record in file.records:
            sample.add(_renamed(record, renames))
    roles = _roles(sample)
    if "text" not in roles and "html" not in roles:
        names = ", ".join(sample.members) or "none"
        raise RecipeError(
            Fault(
                where=", ".join(str(one.path) for one in sampled),
                what=f"no member looks like text or HTML; the members are {names}",
                advice="name other files, or write a recipe with columns: {text: NAME}",
            )
        )
    return _Draft(sample=sample, roles=roles, renames=renames)


def _renames(sampled: Sequence[SampledFile]) -> dict[str, str]:
    """Return new names for members whose names are reserved, and lift a URL or a time out of an object."""
    names = {name: None for one in sampled for record in one.records for name in record}
    renames: dict[str, str] = {}
    for name in names:
        if name == _RESERVED or name.startswith("_"):
            values = [record[name] for one in sampled for record in one.records if record.get(name)]
            is_oid = bool(values) and all(
                isinstance(value, dict) and set(value) == {"$oid"} for value in values
            )
            fresh = _RENAMED_ID if name.strip("_") in ("", _RESERVED) else name.lstrip("_")
            while fresh in names or fresh in renames.values():
                fresh += "_"
            renames[f"{name}.$oid" if is_oid else name] = fresh
    if not any(name.lower() in ROLE_NAMES["url"] for name in names):
        renames |= _lifted_url(sampled)
    return renames


def _lifted_url(sampled: Sequence[SampledFile]) -> dict[str, str]:
    for one in sampled:
        for name, value in one.records[0].items():
            for member, inner in value.items() if isinstance(value, dict) else ():
                if str(member).lower() in ROLE_NAMES["url"] and str(inner).startswith("http"):
                    return {f"{name}.{member}": "url"}
    return {}


def _renamed(record: Mapping[str, Any], renames: Mapping[str, str]) -> dict[str, Any]:
    fresh = dict(record)
    for path, name in renames.items():
        first, dot, member = path.partition(".")
        if not dot and first in fresh:
            fresh[name] = fresh.pop(first)
        elif isinstance(inner := fresh.get(first), dict) and member in inner:
            fresh[name] = inner[member]
            fresh[first] = {key: value for key, value in inner.items() if key != member}
            if not fresh[first]:
                del fresh[first]
    return fresh


# -- roles -----------------------------------------------------------------------------------------


def _roles(sample: RecordSample) -> dict[str, str]:
    """Return the member for each role, by what most of its values look like, then by its name."""
    strings = {
        name: found
        for name, found in sample.members.items()
        if found.kind is not None and found.kind.kind == "string" and found.n_values
    }
    html = {name for name, found in strings.items() if found.mostly("html")}
    urls = {name for name, found in strings.items() if found.mostly("url") and name not in html}
    times = {name for name, found in sample.members.items() if is_instant(name, found)}
    plain = {
        name: found.mean_chars if found.mostly("words") else 0.0
        for name, found in strings.items()
        if name not in html | urls | times
    }
    roles = {
        "url": _best("url", urls, {}),
        "html": _best("html", html, {name: strings[name].mean_chars for name in html}),
        "text": _best("text", {name for name, size in plain.items() if size}, plain),
        "fetched_at": _best("fetched_at", {name for name in times if _named(name, "fetched_at") < 99}, {}),
    }
    return {role: name for role, name in roles.items() if name is not None}


def _best(role: str, names: set[str], sizes: Mapping[str, float]) -> str | None:
    """Return the member with the most usual name, else the one with the longest values."""
    return min(names, key=lambda name: (_named(name, role), -sizes.get(name, 0.0), name), default=None)


def _named(name: str, role: str) -> int:
    known = ROLE_NAMES[role]
    return known.index(name.lower()) if name.lower() in known else 99


# -- files -----------------------------------------------------------------------------------------


def _contract(name: str, draft: _Draft) -> dict[str, Any]:
    sample, roles = draft.sample, draft.roles
    properties = {one: sample.schema_of(one) for one in sample.members}
    if "text" not in roles:
        properties.setdefault("text", {"type": ["string", "null"]})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": name,
        "description": f"Inferred from {sample.n_records} records by builder init --from.",
        "type": "object",
        "required": [one for one in sample.members if sample.is_required(one)],
        "properties": properties,
    }


def _recipe(
    name: str,
    contract: str,
    sampled: Sequence[SampledFile],
    draft: _Draft | None,
    folder: Path,
    *,
    preset: str,
) -> str:
    roles = draft.roles if draft else {"html": "html", "url": "url"}
    lines = [
        "# Written by builder init --from. Look at the contract and at `columns`; then run",
        "# `builder check recipe.yaml` and `builder build recipe.yaml`.",
        f"name: {json.dumps(name)}",
        f"contract: {json.dumps(contract, ensure_ascii=False)}",
    ]
    if draft and (named := {role: one for role, one in roles.items() if one != role}):
        lines += ["columns:", *(f"  {role}: {_quoted(one)}" for role, one in named.items())]
    lines.append("sources:")
    for one in sampled:
        options = {"path": _relative(one.path, folder), **one.options}
        if draft and (renames := _present(draft.renames, one)):
            options["rename"] = renames
        lines.append(f"  - {one.kind}: {json.dumps(options, ensure_ascii=False)}")
    lines.append("stages:")
    if "html" in roles:
        lines.append("  - extract_text: {keep_text: true}" if "text" in roles else "  - extract_text: {}")
    lines += CLEANING_LINES.splitlines() if preset != "none" else []
    lines.append("  - repair_text: {}")
    lines += JUDGING_LINES.splitlines() if preset == "web" else []
    lines += ["  - dedup_url: {}"] if "url" in roles else []
    lines += ["  - dedup_exact: {}", "  - dedup_near: {}"]
    if carried := list(dict.fromkeys(one for file in sampled for one in file.carried)):
        lines.append(f"publish: {json.dumps(carried, ensure_ascii=False)}")
    if draft and "html" in roles:
        lines.append(f"drop: [{_quoted(roles['html'])}]")
    return "\n".join([*lines, "corpus: corpus", ""])


def _present(renames: Mapping[str, str], file: SampledFile) -> dict[str, str]:
    """Return the new names of members that a file has."""
    names = {name for record in file.records for name in record}
    return {old: new for old, new in renames.items() if old in names or old.partition(".")[0] in names}


def _relative(path: Path, folder: Path) -> str:
    """Return the path of a file below the folder of the recipe, else its absolute path."""
    here, there = path.resolve(), folder.resolve()
    return os.path.relpath(here, there) if here.is_relative_to(there.parent) else str(here)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
