"""Write the generated pages and the schema of recipes; with ``--check`` list the stale files.

The page of a command is its help text. The page of a stage or source is its docstring, its options and its
reason codes. So the generated pages always agree with the code.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import builder
from builder.charts.examples import example_files
from builder.cli.main import COMMANDS, cli
from builder.domain.contract import arrow_values
from builder.domain.json import text as json_text
from builder.domain.rejection import CODE_REASONS, SOURCE_CODE_REASONS
from builder.recipe import recipe_schema
from builder.registry import SOURCES, STAGES, source_class, stage_class
from builder.release.reasons import BUILD_REASONS
from builder.stages.publishable import Publishable
from builder.stages.quality.dialects import DIALECTS
from builder.stages.quality.presets import PRESETS
from builder.stages.quality.signals import SIGNALS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parent.parent
MADE = "<!-- docs/generate.py generates this page from the code. Do not edit it; run `make docs`. -->\n"

SCHEMAS = ROOT / "schemas"
STATUSES = "../exit-statuses.md"
JSON_OF = {"dedup": "build"}
"""Commands that print the JSON document of another command."""

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
"""An example path for each source."""

EXAMPLES: dict[str, Any] = {"lists": ["lists/*.txt"]}
"""An example value for each required option of a stage."""

JUDGES = (("validate", stage_class("validate")), ("publishable", Publishable))

REASONS_INTRO = """\
This page lists every reason code of the [ledger](ledger.md). To see the reason for one page, run:

```
builder why my-corpus/corpus https://example.org/tides
```

Each ledger row of a record that was not kept has an `outcome`, a `stage` and a `reason`. Reasons are stable
codes: count by them. `message` is for people and may change.

| outcome | meaning |
|---|---|
| `failed` | The record could not be read or processed. |
| `rejected` | The record was read and refused. |
| `merged` | Another document represents the record. |"""
READING = """\
Sources give these reasons. `stage` is the kind of the source. The outcome is `failed` if the record could not
be read, and `rejected` if it was read and refused. A `revisit` whose original
is in the same build is `merged` into it. `crash`, `memory` and `timeout` come from the guard: they depend on
the machine, so `run.json` lists them as not reproducible."""
PARSING = """\
`validate` gives these reasons to records that it cannot parse. They are faults of the input, so `stage` in
the ledger is the kind of the source (`jsonl`, `json`, `parquet` and so on). The outcome is `failed`."""
JUDGING = """\
`validate` gives these reasons for the incoming contract, and `publishable` for the outgoing contract. The
outcome is `rejected`. Most reasons are keywords of JSON Schema in lower_snake_case. The ledger has the first
fault of a record; `rejected.parquet` has all faults. The first fault is the one with the smallest pointer,
parents before children. So a record that matches no alternative of an `anyOf` has `any_of` first, followed
by the faults of each alternative."""
WORKING = """\
The other stages give these reasons. The outcome of `same_url`, `same_text` and `near_duplicate` is `merged`.
A row that was processed and refused is `rejected`, and one that could not be processed is `failed`."""
INDEX_INTRO = """\
This page links every page of the documentation. To start, run:

```
builder init my-corpus
builder build my-corpus/recipe.yaml
```

| I want to | read |
|---|---|
| write a recipe | [Recipe](recipe.md) |
| read an export of a scraper, a database or a library | [Exports](exports.md) |
| publish more columns, or fewer | [Columns](columns.md) |
| validate my own records | [Contracts](contracts.md) |
| look at a version, or show it to others | [Reports](report.md), [Charts](charts.md) |
| know why a page is not in the dataset | [Ledger](ledger.md), [Reason codes](reasons.md) |
| add pages, or take pages down | [Further versions](further-versions.md) |
| drop texts of low quality | [Quality](quality.md), [Signals](signals.md) |
| choose a threshold | [Choosing thresholds](thresholds.md) |
| honour reservations of rights, and prove it | [Reservations](opt-out.md) |
| be left out, as the owner of a site | [How to be left out](left-out.md) |
| load a version | [The corpus folder](corpus-folder.md) |
| publish a version | [The Hugging Face Hub](hub.md) |
| call builder from Python | [Python](python.md) |
| write a stage of my own | [Your own stage](your-own-stage.md) |"""
COMMON_OPTIONS = [
    "Each stage also takes [`name`](../recipe.md#names-of-stages), its name in the ledger, and",
    "[`where`](../recipe.md#rows-that-a-stage-works-on), the rows that it works on.",
    "",
]
GENERATED = ("README.md", "reasons.md", "signals.md")

SIGNALS_INTRO = """\
This page lists what the stages [`signals`](stages/signals.md) and [`filter`](stages/filter.md) measure.

```yaml
stages:
  - signals: {columns: [words, dup_5gram]}
  - filter: {preset: gopher, words: {min: 60}}
```

Counts are integers, also inside of ratios. Ratios are rounded to six digits, and rules compare the rounded
value. A ratio is null if its denominator is 0, and a rule never rejects a null. [Quality](quality.md)
explains words, lines and duplicates."""
PRESETS_INTRO = """\
A preset is a set of rules with a date. A rule of the recipe replaces the rule of the preset with the same
name; null turns it off. A preset with words of its own measures the signals that it names in the way of its
system."""

WHOLE = """\
The build as a whole gives these reasons, after all stages have run. The outcome is `merged`, and `kept_id`
is null."""


REFERENCE = "## Functions and classes"
REFERENCE_INTRO = """\
docs/generate.py generates this part from the signatures and docstrings. The examples run next to the corpus
of `builder init my-corpus` and `builder build my-corpus/recipe.yaml`."""
PUBLIC_METHODS = {
    "Corpus": ("versions", "newest", "manifest", "digest", "rows", "ledger", "clusters", "data_files"),
    "Recipe": ("load", "from_dict"),
    "BuildResult": ("document",),
}
"""The methods that the page of the Python API lists."""

SIGNATURE_CHARS = 90


def pages() -> dict[str, str]:
    """Return the text of every generated file, by its path below the project folder."""
    made = {"schemas/recipe.schema.json": json.dumps(recipe_schema(), indent=2, ensure_ascii=False) + "\n"}
    made |= {f"docs/commands/{name}.md": command_page(name) for name in COMMANDS}
    made |= {f"docs/stages/{name}.md": part_page(stage_class(name), name) for name in STAGES}
    made["docs/stages/publishable.md"] = part_page(Publishable, "publishable")
    made |= {f"docs/sources/{kind}.md": part_page(source_class(kind), kind) for kind in SOURCES}
    made["docs/reasons.md"] = reasons_page()
    made["docs/signals.md"] = signals_page()
    made["docs/README.md"] = index_page()
    made["docs/python.md"] = python_page()
    made |= {f"docs/charts/{name}": text for name, text in example_files().items()}
    return made


def command_page(name: str) -> str:
    """Return the page of a command: its purpose, its example, its help at 100 columns, and links."""
    import click

    command = cli.get_command(click.Context(cli), name)
    shape = {"max_content_width": 100, "terminal_width": 100, "help_option_names": ["-h", "--help"]}
    with click.Context(command, info_name=f"builder {name}", **shape) as ctx:
        text = command.get_help(ctx)
    example = (command.epilog or "").removeprefix("Example: ").replace(" && ", "\n")
    lines = [f"{MADE}# builder {name}", "", COMMANDS[name][1], "", "```", example, "```", ""]
    lines += ["## Usage", "", "```", text, "```", ""]
    for part, help_text in _parts(command, name, shape):
        lines += [f"## {part}", "", "```", help_text, "```", ""]
    lines.append(f"[Exit statuses]({STATUSES}).")
    if (SCHEMAS / f"json-{JSON_OF.get(name, name)}.schema.json").exists():
        schema = f"json-{JSON_OF.get(name, name)}.schema.json"
        lines += ["", f"`--json` prints one document with this schema: [{schema}](../../schemas/{schema})."]
    return "\n".join(lines) + "\n"


def _parts(command: Any, name: str, shape: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the name and the help of each command in a group of commands."""
    import click

    for inner in getattr(command, "commands", {}):
        part = f"builder {name} {inner}"
        with click.Context(command.commands[inner], info_name=part, **shape) as ctx:
            yield part, ctx.command.get_help(ctx)


def part_page(found: type, name: str) -> str:
    """Return the page of a stage or source: its purpose, recipe entry, options, reasons, and details."""
    parts = [
        [f"{MADE}# {name}", "", _first(found), ""],
        snippet(found, name),
        options(found),
        reason_lines(found),
        details(found),
    ]
    return "\n".join("\n".join(part) for part in parts if part).rstrip() + "\n"


def snippet(found: type, name: str) -> list[str]:
    """Return the recipe entry, with the default of every option and an example for required options."""
    if found is Publishable:
        return ["The build adds this stage to every chain. A recipe does not name it.", ""]
    given = {field.name: _value(field, name) for field in _options(found)}
    place = "sources" if name in SOURCES else "stages"
    if not given:
        return ["## In a recipe", "", "```yaml", f"{place}:", f"  - {name}: {{}}", "```", ""]
    lines = [f"      {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in given.items()]
    required = next((one for one in ("path", *EXAMPLES) if one in given), None)
    text = f"`{required}` is required. The other options are" if required else "Each option is"
    text += " optional and shown with the default value."
    return ["## In a recipe", "", "```yaml", f"{place}:", f"  - {name}:", *lines, "```", "", text, ""]


def _value(field: dataclasses.Field[Any], name: str) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return EXAMPLES.get(field.name) or PATHS[name]


def _options(found: type) -> list[dataclasses.Field[Any]]:
    return [field for field in dataclasses.fields(found) if "help" in field.metadata]


def details(found: type) -> list[str]:
    """Return the section with the rest of the docstring, after its first line."""
    text = prose(found).partition("\n")[2].strip()
    return ["## Details", "", text, ""] if text else []


def prose(found: type) -> str:
    """Return the docstring, with the double backquotes replaced by Markdown's single ones."""
    return (inspect.getdoc(found) or "").replace("``", "`")


def options(found: type) -> list[str]:
    """Return the section with the table of options."""
    fields = _options(found)
    common = COMMON_OPTIONS if hasattr(found, "apply") or hasattr(found, "resolve") else []
    if found is Publishable:
        common = []
    if not fields:
        return ["## Options", "", *(common or ["It does not have options.", ""])]
    rows = ["| option | default | meaning |", "|---|---|---|"]
    rows += [f"| `{f.name}` | {default(f)} | {option_text(f)} |" for f in fields]
    return ["## Options", "", *rows, "", *common]


def default(field: dataclasses.Field[Any]) -> str:
    """Return the default value as in a recipe."""
    if field.default is not dataclasses.MISSING:
        return f"`{json.dumps(field.default)}`"
    if field.default_factory is not dataclasses.MISSING:
        return f"`{json.dumps(field.default_factory())}`"
    return "required"


def option_text(field: dataclasses.Field[Any]) -> str:
    """Return the help of an option, with its choices and bounds."""
    facts = field.metadata
    text = _cell(facts["help"])
    if facts["choices"]:
        text += " One of " + ", ".join(f"`{choice}`" for choice in facts["choices"]) + "."
    bounds = [(facts["above"], "above"), (facts["minimum"], "at least"), (facts["maximum"], "at most")]
    said = [f"{word} {bound:,}" for bound, word in bounds if bound is not None]
    return text + (f" {', '.join(said).capitalize()}." if said else "")


def reason_lines(found: type) -> list[str]:
    """Return the section with the table of reason codes."""
    reasons = getattr(found, "reasons", {})
    if not reasons:
        return []
    rows = [f"| `{code}` | {_cell(text)} |" for code, text in sorted(reasons.items())]
    return ["## Reason codes", "", "| reason | meaning |", "|---|---|", *rows, ""]


def reasons_page() -> str:
    """Return the page of all reason codes, with the stages and sources that give them."""
    sources = [(kind, source_class(kind).reasons) for kind in SOURCES]
    sources += [("any source of another package", SOURCE_CODE_REASONS)]
    parsing = {**json_text.REASONS, **arrow_values.REASONS}
    judging = [(n, {c: t for c, t in found.reasons.items() if c not in parsing}) for n, found in JUDGES]
    working = [(n, stage_class(n).reasons) for n in STAGES if n != "validate"]
    working += [("any stage of another package", CODE_REASONS)]
    lines = [f"{MADE}# Reason codes", "", REASONS_INTRO, "", "## Reasons of sources", "", READING, ""]
    lines += [*reason_table(sources), "", "## Reasons of parsing", "", PARSING, ""]
    lines += [*reason_table([("validate", parsing)]), "", "## Reasons of contracts", "", JUDGING, ""]
    lines += [*reason_table(judging), "", "## Reasons of stages", "", WORKING, ""]
    lines += [*reason_table(working), "", "## Reasons of the whole build", "", WHOLE, ""]
    lines += reason_table([("any deduplication", BUILD_REASONS)])
    return "\n".join(lines) + "\n"


def signals_page() -> str:
    """Return the page of all signals and presets."""
    rows = [
        f"| `{name}` | {_cell(one.help)} | {one.source} | {', '.join(_presets_with(name)) or '–'} |"
        for name, one in SIGNALS.items()
    ]
    lines = [f"{MADE}# Signals", "", SIGNALS_INTRO, "", "## Table of signals", ""]
    lines += ["| signal | formula | source | presets |", "|---|---|---|---|", *rows, "", "## Presets", ""]
    lines += [PRESETS_INTRO, ""]
    for name, preset in PRESETS.items():
        dialect = DIALECTS[preset.dialect] if preset.dialect else None
        words = dialect.words if dialect else "`words-1`"
        fired = f" `min_fired`: {preset.min_fired}." if preset.min_fired > 1 else ""
        lines += [f"### {name}", "", f"{preset.help} Date: {preset.date}. Words: {words}.{fired}", ""]
        lines += ["| signal | limits |", "|---|---|"]
        lines += [f"| `{signal}` | {_limits(rule)} |" for signal, rule in preset.rules.items()] + [""]
    return "\n".join(lines).rstrip() + "\n"


def _limits(rule: Any) -> str:
    if isinstance(rule, list):
        return ", ".join(f"`{json.dumps(one)}`" for one in rule)
    limits = ", ".join(f"{name} {rule[name]:,}" for name in ("min", "max") if name in rule)
    needed = " and ".join(f"`{name}` {_limits(one)}" for name, one in rule.get("where", {}).items())
    weight = f"; weight {rule['weight']}" if "weight" in rule else ""
    return limits + (f", where {needed}" if needed else "") + weight


def _presets_with(signal: str) -> list[str]:
    return [f"`{name}`" for name, one in PRESETS.items() if signal in one.rules]


def reason_table(givers: list[tuple[str, Mapping[str, str]]]) -> list[str]:
    """Return one row for each code and meaning, with all stages and sources that give it."""
    by: dict[tuple[str, str], list[str]] = {}
    for name, reasons in givers:
        for code, text in reasons.items():
            by.setdefault((code, text), []).append(f"`{name}`" if " " not in name else name)
    rows = [
        f"| `{code}` | {', '.join(names)} | {_cell(text)} |" for (code, text), names in sorted(by.items())
    ]
    return ["| reason | given by | meaning |", "|---|---|---|", *rows]


def python_page() -> str:
    """Return the page of the Python API: what is written before the reference, and the reference."""
    written = (ROOT / "docs/python.md").read_text(encoding="utf-8").partition(REFERENCE)[0]
    parts = [f"{written}{REFERENCE}", "", REFERENCE_INTRO, ""]
    for name in sorted(builder.__all__, key=str.lower):
        parts += _reference(name, getattr(builder, name))
    return "\n".join(parts).rstrip() + "\n"


def _reference(name: str, found: Any) -> list[str]:
    """Return the section of a function, or of a class with its own methods."""
    if inspect.isclass(found) and issubclass(found, Exception):
        return [f"### {name}", "", prose(found), ""]
    if not inspect.isclass(found):
        return [f"### {name}", *_signature(name, found)]
    lines = [f"### {name}", "", _first(found), ""]
    if dataclasses.is_dataclass(found):
        lines += ["Attributes: " + ", ".join(f"`{one.name}`" for one in dataclasses.fields(found)) + ".", ""]
    for method in PUBLIC_METHODS.get(name, ()):
        lines += _signature(f"{name}.{method}", getattr(found, method))
    return lines


def _signature(name: str, function: Any) -> list[str]:
    """Return the signature of a function as code, and its docstring as Markdown."""
    signature = inspect.signature(function)
    given = [one for one in signature.parameters.values() if one.name not in ("self", "cls")]
    arguments = [_argument(one) for one in given]
    named = [i for i, one in enumerate(given) if one.kind is one.KEYWORD_ONLY]
    if named:
        arguments.insert(named[0], "*")
    shown = f"{name}({', '.join(arguments)}) -> {signature.return_annotation}"
    if len(shown) > SIGNATURE_CHARS:
        inner = "".join(f"    {one},\n" for one in arguments)
        shown = f"{name}(\n{inner}) -> {signature.return_annotation}"
    return ["", "```", shown, "```", "", *_docstring(inspect.getdoc(function) or ""), ""]


def _argument(one: inspect.Parameter) -> str:
    """Return an argument with its type and default; a default that is a function is not shown."""
    if one.default is one.empty:
        return f"{one.name}: {one.annotation}"
    return f"{one.name}: {one.annotation} = {'...' if callable(one.default) else repr(one.default)}"


def _docstring(text: str) -> list[str]:
    """Return a docstring with the entries of its sections as list items."""
    lines: list[str] = []
    text, _, example = text.partition("\n\n>>> ")
    for line in text.replace("``", "`").splitlines():
        depth = len(line) - len(line.lstrip())
        if line in ("Args:", "Raises:"):
            lines += [f"**{'Arguments' if line == 'Args:' else 'Errors'}**", ""]
        elif depth == 4 and ": " in line:
            name, _, rest = line.strip().partition(": ")
            lines.append(f"- `{name}`: {rest}")
        else:
            lines.append(f"  {line.strip()}" if depth > 4 else line.strip())
    return [*lines, "", "```pycon", f">>> {example}", "```"] if example else lines


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def index_page() -> str:
    """Return the index of all pages."""
    lines = [f"{MADE}# Documentation", "", INDEX_INTRO, "", "## Topics", ""]
    lines += [f"- [{_title(path)}]({path.name})" for path in _written_pages()]
    lines += ["- [Signals](signals.md)", "- [Reason codes](reasons.md)", "", "## Commands", ""]
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
    return [p for p in sorted((ROOT / "docs").glob("*.md")) if p.name not in GENERATED]


def _first(found: type) -> str:
    return prose(found).split("\n")[0]


def main() -> int:
    """Write all stale files; with ``--check`` only list them."""
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
