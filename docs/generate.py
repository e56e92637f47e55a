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
from typing import Any

from builder.build.reasons import BUILD_REASONS
from builder.cli.main import COMMANDS, cli
from builder.recipe import recipe_schema
from builder.registry import SOURCES, STAGES, source_class, stage_class
from builder.stages.publishable import Publishable

ROOT = Path(__file__).resolve().parent.parent
MADE = "<!-- Made by docs/generate.py from the code; `make docs` writes it anew. -->\n"


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
    with click.Context(
        command, info_name=f"builder {name}", max_content_width=100, terminal_width=100
    ) as ctx:
        text = command.get_help(ctx)
    return f"{MADE}# builder {name}\n\n```\n{text}\n```\n"


def part_page(found: type, name: str) -> str:
    """Tell what a stage or a source does, its options and its reason codes."""
    return (
        "\n".join(
            [f"{MADE}# {name}", "", prose(found), "", *options(found), "", *reason_lines(found)]
        ).rstrip()
        + "\n"
    )


def prose(found: type) -> str:
    """Return the docstring, with double backquotes as Markdown has them."""
    return (inspect.getdoc(found) or "").replace("``", "`")


def options(found: type) -> list[str]:
    """Return a table of the options."""
    fields = [field for field in dataclasses.fields(found) if "help" in field.metadata]
    if not fields:
        return ["It has no options."]
    rows = ["| option | default | what |", "|---|---|---|"]
    return ["## Options", "", *rows, *(f"| `{f.name}` | {default(f)} | {option_text(f)} |" for f in fields)]


def default(field: dataclasses.Field[Any]) -> str:
    """Return the default as a recipe would write it."""
    if field.default is not dataclasses.MISSING:
        return f"`{json.dumps(field.default)}`"
    if field.default_factory is not dataclasses.MISSING:
        return f"`{json.dumps(field.default_factory())}`"
    return "required"


def option_text(field: dataclasses.Field[Any]) -> str:
    """Return the help, with the choices."""
    choices = field.metadata["choices"]
    text = field.metadata["help"].replace("|", "\\|")
    return text + (" One of " + ", ".join(f"`{choice}`" for choice in choices) + "." if choices else "")


def reason_lines(found: type) -> list[str]:
    """Return a table of the reason codes."""
    reasons = getattr(found, "reasons", {})
    if not reasons:
        return []
    rows = ["## Reason codes", "", "| reason | meaning |", "|---|---|"]
    return [
        *rows,
        *(f"| `{code}` | {text.replace('|', chr(92) + '|')} |" for code, text in sorted(reasons.items())),
    ]


def reasons_page() -> str:
    """List every reason code of the ledger, with who gives it."""
    lines = [
        f"{MADE}# Reason codes",
        "",
        "Stable codes to count by; `message` in the ledger is for people.",
        "",
    ]
    lines += ["| stage | reason | meaning |", "|---|---|---|"]
    found = [(n, source_class(n)) for n in SOURCES] + [(n, stage_class(n)) for n in STAGES]
    for name, one in [*found, ("publishable", Publishable)]:
        for code, text in sorted(getattr(one, "reasons", {}).items()):
            lines.append(f"| `{name}` | `{code}` | {text.replace('|', chr(92) + '|')} |")
    lines += [f"| any | `{code}` | {text} |" for code, text in sorted(BUILD_REASONS.items())]
    return "\n".join(lines) + "\n"


def index_page() -> str:
    """Link every page."""
    lines = [f"{MADE}# Documentation", ""]
    lines += [f"- [{path.stem.replace('-', ' ').capitalize()}]({path.name})" for path in _written_pages()]
    lines += ["- [Reason codes](reasons.md)", "", "## Commands", ""]
    lines += [f"- [builder {name}](commands/{name}.md): {text}" for name, (_, text) in COMMANDS.items()]
    lines += ["", "## Stages", "", *(f"- [{n}](stages/{n}.md): {_first(stage_class(n))}" for n in STAGES)]
    lines += [f"- [publishable](stages/publishable.md): {_first(Publishable)}"]
    lines += ["", "## Sources", "", *(f"- [{n}](sources/{n}.md): {_first(source_class(n))}" for n in SOURCES)]
    return "\n".join(lines) + "\n"


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
