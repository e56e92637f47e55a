"""Write the README.md of a version and of a corpus folder, from facts and DATASET_CARD.md."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.assets import card_template
from builder.card import text as words
from builder.card.front_matter import (
    DEFAULT_CONFIG,
    check_front_matter,
    root_front_matter,
    version_front_matter,
    write_front_matter,
)
from builder.card.funnel import funnel
from builder.card.licenses import license_url
from builder.errors import BuilderError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from jinja2 import Template

    from builder.card.facts import CardFacts, SplitFacts, StageFacts, VersionFacts

ROWS_ARE_GONE = "the rows of this version were dropped.parquet"
"""Name of a file that does not exist: ``load_dataset`` prints it as the error for a dropped version."""

MAX_DOMAINS = 20
"""Number of domains that the card lists; the others are only counted."""

_ALWAYS = (
    "The pages are published as fetched, with the opinions, errors and gaps of their authors.",
    "Names and other personal data in the pages were not removed.",
)
_BY_STAGE = {
    "extract_text": "Rules, not people, find the main text of each HTML page. "
    "Some menus and captions remain, and some text is lost.",
    "dedup_near": "MinHash finds candidate pairs of near-duplicates. It misses about 1 % of the pairs "
    "exactly at the threshold. A document is merged only after an exact comparison.",
}


def render_card(facts: CardFacts) -> str:
    """Write the README.md of one version.

    The front matter is read back, compared with the facts, and checked with ``schemas/card-1.schema.json``.

    Raises:
        BuilderError: if the Hub or ``load_dataset`` would refuse the front matter; lists all faults.
        ContractError: if a column has a type that ``load_dataset`` cannot open.
    """
    front = _checked(version_front_matter(facts))
    read = facts.read
    names = [stage.name for stage in facts.stages]
    steps = funnel(read.records, names, read.counts, sources=facts.source_kinds)
    body = _template(card_template()).render(
        f=facts,
        front_matter=front,
        title=facts.title or facts.name,
        description=facts.description,
        file_bytes=sum(split.file_bytes for split in facts.filled.values()),
        columns=_columns(facts),
        steps=steps,
        kept=steps[-1].went_on if steps else read.records,
        reasons=[count for step in steps for count in step.reasons],
        merged=sum(step.merged for step in steps),
        new_reasons=sorted(facts.added.counts, key=lambda one: -one.records) if facts.added else [],
        deduplicates=any(_deduplicates(stage) and not _tags(stage) for stage in facts.stages),
        tagging=[stage.name for stage in facts.stages if _tags(stage) and _deduplicates(stage)],
        marking=[
            (stage.name, stage.options.get("column", "filter_reason"))
            for stage in facts.stages
            if _tags(stage) and not _deduplicates(stage)
        ],
        languages=_shares(facts.languages, of=facts.rows),
        domains=_shares(facts.domains, of=facts.rows)[:MAX_DOMAINS],
        more_domains=max(0, (facts.n_domains or len(facts.domains)) - MAX_DOMAINS),
        limits=_limits(facts),
        licence_url=facts.license_link or license_url(facts.license or ""),
    )
    return _with_front_matter(body, front)


def _tags(stage: StageFacts) -> bool:
    """Return whether a stage only marks documents (``mode: tag``)."""
    return stage.options.get("mode") == "tag"


def _deduplicates(stage: StageFacts) -> bool:
    return stage.kind.startswith("dedup_")


def render_root_card(
    name: str,
    versions: Sequence[VersionFacts],
    *,
    title: str = "",
    license: str | None = None,  # noqa: A002 - the card's own word
    language: Sequence[str] = (),
) -> str:
    """Write the README.md of a corpus folder: one config for each version.

    ``load_dataset(folder)`` loads the newest version that is not yanked, and ``load_dataset(folder,
    "1.0.0")`` loads version 1.0.0. If all versions are yanked, the card has no default and the caller
    must name a version; `datasets` loads a single version without a name. Without any version nothing can
    be loaded, and the error of `datasets` says why.

    Args:
        versions: the versions that have rows, in any order; without dropped versions.
    """
    if not versions:
        nothing = {"pretty_name": title or name, "configs": [_config_without_rows("0.0.0")]}
        front = write_front_matter(nothing)
        return f"{front}# {words.cell(title or name)}\n\nThe rows of all versions were deleted.\n"
    newest_first = sorted(versions, key=lambda v: version_key(v.version), reverse=True)
    default = next((v.version for v in newest_first if v.yanked is None), "")
    front = _checked(
        root_front_matter(
            name, newest_first, default=default, title=title, license=license, language=language
        )
    )
    body = _template(Path(__file__).with_name("root_card.md")).render(
        front_matter=front,
        title=title or name,
        versions=newest_first,
        default=default,
        dated=any(version.date for version in newest_first),
    )
    return _with_front_matter(body, front)


def render_dropped_card(name: str, version: str, *, digest: str, rows: int) -> str:
    """Write the README.md of a version without rows; ``load_dataset`` prints that the rows were dropped."""
    front = {"configs": [_config_without_rows(version)]}
    body = _template(Path(__file__).with_name("dropped_card.md")).render(
        front_matter=write_front_matter(front), name=name, version=version, digest=digest, rows=rows
    )
    return body.rstrip("\n") + "\n"


def _config_without_rows(version: str) -> dict[str, Any]:
    files = [{"split": "train", "path": [ROWS_ARE_GONE]}]
    return {"config_name": DEFAULT_CONFIG, "version": version, "data_files": files}


def version_key(version: str) -> tuple[int, ...]:
    """Order version numbers.

    >>> sorted(["1.10.0", "1.9.0"], key=version_key)
    ['1.9.0', '1.10.0']
    """
    return tuple(int(part) for part in version.split("."))


def _checked(front: dict[str, Any]) -> str:
    if faults := check_front_matter(front):
        raise BuilderError(*faults)
    return write_front_matter(front)


def _with_front_matter(body: str, front: str) -> str:
    """Check that the page begins with the front matter as it was written, and return the page."""
    body = body.rstrip("\n") + "\n"
    if not body.startswith(front):
        raise BuilderError("README.md: the template must begin with {{ front_matter }}")
    return body


@cache
def _template(path: Path) -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    environment.filters |= {
        "cell": words.cell,
        "code": words.code,
        "codes": words.codes,
        "paragraphs": words.paragraphs,
        "prose": words.prose,
        "number": words.number,
        "size": words.size,
        "options": words.options,
        "splits": _split_sizes,
    }
    return environment.from_string(path.read_text(encoding="utf-8"))


def _columns(facts: CardFacts) -> list[dict[str, str]]:
    id_column = facts.columns.names[0] if len(facts.columns) else "id"
    notes = {**facts.column_notes, id_column: "id of the document, unique in a version"}
    return [
        {"name": field.name, "type": str(field.type), "note": notes.get(field.name, "")}
        for field in facts.columns
    ]


def _shares(rows_by_name: Mapping[str, int], *, of: int) -> list[tuple[str, int, str]]:
    """Sort by number of rows, largest first, and add the share of all rows."""
    ordered = sorted(rows_by_name.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(name, rows, f"{100 * rows / max(of, 1):.1f} %") for name, rows in ordered if rows]


def _split_sizes(splits: Mapping[str, SplitFacts]) -> str:
    return ", ".join(
        f"{words.code(name)} {words.number(split.rows)}" for name, split in splits.items() if split.rows
    )


def _limits(facts: CardFacts) -> Iterable[str]:
    kinds = dict.fromkeys(stage.kind for stage in facts.stages)
    by_stage = [_BY_STAGE[kind] for kind in kinds if kind in _BY_STAGE]
    return [*_ALWAYS, *by_stage, *facts.limits]
