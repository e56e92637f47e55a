"""The way of one page through the ledger, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from builder.report.json_text import print_json

if TYPE_CHECKING:
    from builder.build.why import Explanation, Fate


def print_why(explanation: Explanation, *, as_json: bool) -> int:
    """Print what became of a page; exit status 1 if no version has heard of it."""
    if as_json:
        print_json(
            {
                "corpus": explanation.corpus,
                "page": explanation.page,
                "fates": [_document(f) for f in explanation.fates],
            }
        )
    elif not explanation.known:
        click.echo(f"{explanation.page}: no version of {explanation.corpus} has read such a record", err=True)
    else:
        for fate in explanation.fates:
            click.echo("\n".join(_lines(fate)))
    return 0 if explanation.known else 1


def _document(fate: Fate) -> dict[str, Any]:
    return {"version": fate.version, "records": fate.records, "duplicates": fate.duplicates}


def _lines(fate: Fate) -> list[str]:
    lines = [f"version {fate.version}"]
    if not fate.records:
        return [*lines, "  not read"]
    for record in fate.records:
        lines += [f"  {record['record_id']}", f"    {_sentence(record)}"]
        if record["url"]:
            lines.append(f"    url {record['url']}")
    if fate.duplicates:
        lines.append(f"  {len(fate.duplicates)} more records stand under the same document:")
        lines += [f"    {_sentence(row)}  {row['record_id']}" for row in fate.duplicates]
    return lines


def _sentence(row: dict[str, Any]) -> str:
    if row["outcome"] == "kept":
        return f"kept as {row['document_id']} in {row['shard']}"
    by = f"{row['stage']}/{row['reason']}"
    if row["outcome"] == "merged":
        likeness = "" if row["similarity"] is None else f", similarity {row['similarity']:.3f}"
        end = row["kept_id"] or "nothing: that document was rejected later"
        return f"merged by {by} into {row['merged_into']}{likeness}; published as {end}"
    facts = [f"{name} {row[name]}" for name in ("pointer", "value", "limit") if row[name] is not None]
    facts += [row["message"]] if row["message"] else []
    return f"{row['outcome']} by {by}" + (f": {', '.join(facts)}" if facts else "")
