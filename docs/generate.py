"""Write the pages that follow from the code, and the recipe's schema; ``--check`` says which are stale.

A page on a command is its help; a page on a stage or a source is its docstring, its options and its reason
codes. So the docs cannot say something else than the code does.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.cli.main import COMMANDS, cli
from builder.domain.contract import arrow_values
from builder.domain.json import text as json_text
from builder.recipe import recipe_schema
from builder.registry import SOURCES, STAGES, source_class, stage_class
from builder.release.reasons import BUILD_REASONS
from builder.stages.publishable import Publishable

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent.parent
MADE = "<!-- Made by docs/generate.py from the code; `make docs` writes it anew. -->\n"

SCHEMAS = ROOT / "schemas"
STATUSES = "../exit-statuses.md"
JSON_OF = {"dedup": "build"}
"""Commands that print the document of another."""

PATHS = {
    "jsonl": "feed/*.jsonl.zst",
    "json": "pages/*.json",
    "warc": "crawl/*.warc.gz",
    "html": "site/**/*.html",
    "text": "notes/*.txt",
    "parquet": "dump/*.parquet",
    "csv": "tables/*.csv",
    "dataset": "user/name",
}
"""An example of each source's path."""

JUDGES = (("validate", stage_class("validate")), ("publishable", Publishable))

REASONS_INTRO = """\
Every row of the ledger that was not kept has an `outcome`, a `stage` and a `reason`. Reasons are stable
codes to count by; `message`, beside them, is for people and may change. `failed` means that a record
could not be read or worked on, `rejected` that it was read and refused, `merged` that another document
stands for it."""
READING = """\
What sources say. `stage` is the kind of the source. All are `failed`, but for `record_type`,
`http_status`, `content_type` and `revisit`, which are `rejected`; a `revisit` whose original is in the
same build is `merged` into it. `crash`, `memory` and `timeout` are what only the guard caught:
`run.json` lists them as not reproducible."""
PARSING = """\
What a record is that cannot be parsed. `validate` finds these, but as they are faults of the input,
`stage` in the ledger is the kind of the source (`jsonl`, `json`, `parquet` and so on), and the outcome
is `failed`."""
JUDGING = """\
What contracts say, on the way in (`validate`) and on the way out (`publishable`): outcome `rejected`.
Most are keywords of JSON Schema in lower_snake_case. The ledger tells the first fault;
`rejected.parquet` has all of them. The first is the one with the smallest pointer, parents before
children, so a record that fits no alternative of an `anyOf` says `any_of` first and then why each
alternative does not fit."""
WORKING = """\
What other stages say. `no_text` is `rejected`; `same_url`, `same_text` and `near_duplicate` are
`merged`; all others are `failed`."""
WHOLE = "What only the whole of a build can tell: outcome `merged`, with a null `kept_id`."


def pages() -> dict[str, str]:
    """Return every generated file, by its path below the project's folder."""
    made = {"schemas/recipe.schema.json": json.dumps(recipe_schema(), indent=2, ensure_ascii=False) + "\n"}
    made |= {f"docs/commands/{name}.md": command_page(name) for name in COMMANDS}
    made |= {f"docs/stages/{name}.md": part_page(stage_class(name), name) for name in STAGES}
    made["docs/stages/publishable.md"] = part_page(Publishable, "publishable")
    made |= {f"docs/sources/{kind}.md": part_page(source_class(kind), kind) for kind in SOURCES}
    made["docs/reasons.md"] = reasons_page()
    made["docs/README.md"] = index_page()
    return made


def command_page(name: str) -> str:
    """Show the help of a command as a terminal of 100 columns does."""
    import click

    command = cli.get_command(click.Context(cli), name)
    shape = {"max_content_width": 100, "terminal_width": 100, "help_option_names": ["-h", "--help"]}
    with click.Context(command, info_name=f"builder {name}", **shape) as ctx:
        text = command.get_help(ctx)
    lines = [f"{MADE}# builder {name}", "", "```", text, "```", "", f"[Exit statuses]({STATUSES})."]
    if (SCHEMAS / f"json-{JSON_OF.get(name, name)}.schema.json").exists():
        schema = f"json-{JSON_OF.get(name, name)}.schema.json"
        lines += ["", f"What `--json` prints: [{schema}](../../schemas/{schema})."]
    return "\n".join(lines) + "\n"


def part_page(found: type, name: str) -> str:
    """Tell what a stage or a source does, how a recipe names it, its options and its reason codes."""
    parts = [
        [f"{MADE}# {name}", "", prose(found), ""],
        snippet(found, name),
        options(found),
        reason_lines(found),
    ]
    return "\n".join("\n".join(part) for part in parts if part).rstrip() + "\n"


def snippet(found: type, name: str) -> list[str]:
    """Return the entry of a recipe, with every option and its default; required ones have an example."""
    if found is Publishable:
        return ["No recipe names it: it is there by itself.", ""]
    given = {field.name: _value(field, name) for field in _options(found)}
    place = "sources" if name in SOURCES else "stages"
    if not given:
        return ["## In a recipe", "", "```yaml", f"{place}:", f"  - {name}: {{}}", "```", ""]
    lines = [f"      {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in given.items()]
    text = "`path` has to be given; the rest" if "path" in given else "Each option"
    text += " is shown with the value that it has if it is left out."
    return ["## In a recipe", "", "```yaml", f"{place}:", f"  - {name}:", *lines, "```", "", text, ""]


def _value(field: dataclasses.Field[Any], name: str) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else PATHS[name]


def _options(found: type) -> list[dataclasses.Field[Any]]:
    return [field for field in dataclasses.fields(found) if "help" in field.metadata]


def prose(found: type) -> str:
    """Return the docstring, with double backquotes as Markdown has them."""
    return (inspect.getdoc(found) or "").replace("``", "`")


def options(found: type) -> list[str]:
    """Return a table of the options."""
    fields = _options(found)
    if not fields:
        return ["It has no options.", ""]
    rows = ["| option | default | what |", "|---|---|---|"]
    rows += [f"| `{f.name}` | {default(f)} | {option_text(f)} |" for f in fields]
    return ["## Options", "", *rows, ""]


def default(field: dataclasses.Field[Any]) -> str:
    """Return the default as a recipe would write it."""
    if field.default is not dataclasses.MISSING:
        return f"`{json.dumps(field.default)}`"
    if field.default_factory is not dataclasses.MISSING:
        return f"`{json.dumps(field.default_factory())}`"
    return "required"


def option_text(field: dataclasses.Field[Any]) -> str:
    """Return the help, with the choices and bounds."""
    facts = field.metadata
    text = _cell(facts["help"])
    if facts["choices"]:
        text += " One of " + ", ".join(f"`{choice}`" for choice in facts["choices"]) + "."
    bounds = [(facts["above"], "above"), (facts["minimum"], "at least"), (facts["maximum"], "at most")]
    said = [f"{word} {bound:,}" for bound, word in bounds if bound is not None]
    return text + (f" {', '.join(said).capitalize()}." if said else "")


def reason_lines(found: type) -> list[str]:
    """Return a table of the reason codes."""
    reasons = getattr(found, "reasons", {})
    if not reasons:
        return []
    rows = [f"| `{code}` | {_cell(text)} |" for code, text in sorted(reasons.items())]
    return ["## Reason codes", "", "| reason | meaning |", "|---|---|", *rows]


def reasons_page() -> str:
    """List every reason code of the ledger, with who gives it."""
    sources = [(kind, source_class(kind).reasons) for kind in SOURCES]
    parsing = {**json_text.REASONS, **arrow_values.REASONS}
    judging = [(n, {c: t for c, t in found.reasons.items() if c not in parsing}) for n, found in JUDGES]
    working = [(n, stage_class(n).reasons) for n in STAGES if n != "validate"]
    lines = [f"{MADE}# Reason codes", "", REASONS_INTRO, "", "## Reading", "", READING, ""]
    lines += [*reason_table(sources), "", "## Parsing", "", PARSING, ""]
    lines += [*reason_table([("validate", parsing)]), "", "## Judging", "", JUDGING, ""]
    lines += [*reason_table(judging), "", "## Stages", "", WORKING, ""]
    lines += [*reason_table(working), "", "## Whole builds", "", WHOLE, ""]
    lines += reason_table([("any deduplication", BUILD_REASONS)])
    return "\n".join(lines) + "\n"


def reason_table(givers: list[tuple[str, Mapping[str, str]]]) -> list[str]:
    """Make one row of each code and meaning, with all who give it."""
    by: dict[tuple[str, str], list[str]] = {}
    for name, reasons in givers:
        for code, text in reasons.items():
            by.setdefault((code, text), []).append(f"`{name}`" if " " not in name else name)
    rows = [
        f"| `{code}` | {', '.join(names)} | {_cell(text)} |" for (code, text), names in sorted(by.items())
    ]
    return ["| reason | given by | meaning |", "|---|---|---|", *rows]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def index_page() -> str:
    """Link every page."""
    lines = [f"{MADE}# Documentation", ""]
    lines += [f"- [{path.stem.replace('-', ' ').capitalize()}]({path.name})" for path in _written_pages()]
    lines += ["- [Reason codes](reasons.md)", "", "## Commands", ""]
    lines += [f"- [builder {name}](commands/{name}.md): {text}" for name, (_, text) in COMMANDS.items()]
    lines += ["", "## Stages", "", *(f"- [{n}](stages/{n}.md): {_first(stage_class(n))}" for n in STAGES)]
    lines += [f"- [publishable](stages/publishable.md): {_first(Publishable)}"]
    lines += ["", "## Sources", "", *(f"- [{n}](sources/{n}.md): {_first(source_class(n))}" for n in SOURCES)]
    lines += ["", "## Decisions", "", *(f"- [{_title(p)}](decisions/{p.name})" for p in _decisions())]
    return "\n".join(lines) + "\n"


def _decisions() -> list[Path]:
    return sorted((ROOT / "docs" / "decisions").glob("*.md"))


def _title(page: Path) -> str:
    return page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")


def _written_pages() -> list[Path]:
    return [p for p in sorted((ROOT / "docs").glob("*.md")) if p.name not in ("README.md", "reasons.md")]


def _first(found: type) -> str:
    return prose(found).split("\n")[0]


def main() -> int:
    """Write all pages, or with ``--check`` name the stale ones."""
    stale = [name for name, text in pages().items() if _read(ROOT / name) != text]
    if "--check" in sys.argv:
        print("\n".join(stale) or "all fresh")
        return 1 if stale else 0
    for name in stale:
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(pages()[name], encoding="utf-8")
        print(name)
    return 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
