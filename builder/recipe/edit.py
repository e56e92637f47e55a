"""Put values into the text of a recipe; every other byte stays as it is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from builder.errors import Fault, RecipeError
from builder.io.streams.replacing import write_replacing
from builder.recipe.text import (
    apply_settings,
    parse_setting,
    parse_text,
    read_document,
    read_text,
    select_entry,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))
"""Words that some versions of YAML read as something else than text."""

_BY_HAND = "edit the recipe by hand"
_MERGE = "<<"
_BLOCKS = ("|", ">")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One value that was written: its key, its line, and the text before and after; None if it was absent."""

    key: str
    line: int
    before: str | None
    after: str


def write_settings(path: Path, settings: Sequence[str]) -> list[Edit]:
    """Write ``KEY=VALUE`` texts into a recipe, as ``--set`` applies them.

    The text is changed at the places of the values only. The file is replaced at once and keeps its mode.

    Raises:
        RecipeError: if the file is TOML, or a value is in a place that cannot be edited without changing
            others. The file is not changed then.
    """
    if path.suffix == ".toml":
        what = "is TOML, and only recipes in YAML and JSON can be edited"
        raise RecipeError(Fault(where=str(path), what=what, advice=_BY_HAND))
    target = path.resolve()
    text = read_text(path)
    edits = []
    for setting in settings:
        text, edit = edit_text(text, setting, path=path)
        edits.append(edit)
    wanted = apply_settings(read_document(path), list(settings))
    if parse_text(text, path) != wanted:
        what = f"writing {', '.join(one.key for one in edits)} would change other values"
        raise RecipeError(Fault(where=str(path), what=what, advice=_BY_HAND))
    mode = target.stat().st_mode
    write_replacing(target, text.encode("utf-8"))
    target.chmod(mode)
    return edits


def edit_text(text: str, setting: str, *, path: Path) -> tuple[str, Edit]:
    """Return the text with one value changed or added, and what was done.

    Raises:
        RecipeError: as in ``write_settings``.
    """
    from ruamel.yaml import YAML

    key, value = parse_setting(setting)
    keys = key.split(".")
    node: Any = YAML(typ="safe", pure=True).compose(text)
    quotes = _has_quoted_keys(node)
    name: Any = None
    while keys:
        _refuse_shared(node, key, path=path)
        if _kind(node) == "sequence":
            entries = [_as_document(one) for one in node.value]
            entry = node.value[select_entry(entries, keys[0], setting=setting)]
            _refuse_shared(entry, key, path=path)
            if keys[0].isdigit():
                node, keys = entry, keys[1:]
                continue
            names = [one.value for one, _ in entry.value]
            node, keys = entry, [keys[0] if keys[0] in names else names[0], *keys[1:]]
            continue
        if _kind(node) != "mapping":
            break
        found = next((pair for pair in node.value if pair[0].value == keys[0]), None)
        if found is None:
            break
        (name, node), keys = found, keys[1:]
    _refuse_shared(node, key, path=path)
    new = _in_keys(keys, value)
    if keys and _kind(node) == "mapping":
        return _insert(text, node, keys[0], new[keys[0]], key=key, path=path, quotes=quotes)
    return _replace(text, (name, node), new, key=key, path=path, quotes=quotes)


def _in_keys(keys: Sequence[str], value: Any) -> Any:
    """Wrap a value into mappings for the keys that are not there yet."""
    for one in reversed(keys):
        value = {one: value}
    return value


# -- places ----------------------------------------------------------------------------------------


def _replace(
    text: str, pair: tuple[Any, Any], value: Any, *, key: str, path: Path, quotes: bool
) -> tuple[str, Edit]:
    """Replace a value that is in one place: a scalar, or a list or mapping in brackets."""
    name, node = pair
    start, stop = node.start_mark.index, node.end_mark.index
    if _is_empty(node) and name is not None:
        start = stop = _after_colon(text, name)
    if _kind(node) != "scalar" and not node.flow_style:
        raise _refused(path, node, key, "its value has lines of its own")
    if _kind(node) == "scalar" and node.style in _BLOCKS:
        raise _refused(path, node, key, "its value is a block of text")
    after = written(value, quotes=quotes)
    before = text[start:stop]
    gap = " " if start == stop and start and not text[start - 1].isspace() else ""
    edit = Edit(key=key, line=text.count("\n", 0, start) + 1, before=before or None, after=after)
    return text[:start] + gap + after + text[stop:], edit


def _insert(
    text: str, node: Any, name: str, value: Any, *, key: str, path: Path, quotes: bool
) -> tuple[str, Edit]:
    """Add a key to the end of a mapping."""
    entry = f"{written(name, quotes=quotes)}: {written(value, quotes=quotes)}"
    if node.flow_style:
        at = _end(text, node, None) if node.value else node.start_mark.index + 1
        added = f", {entry}" if node.value else entry
    else:
        leaf, _ = _last_leaf(node, None)
        if _kind(leaf) == "scalar" and leaf.style in _BLOCKS:
            raise _refused(path, leaf, key, "the value before it is a block of text")
        end = _end(text, node, None)
        at = text.find("\n", end)
        at = len(text) if at < 0 else at
        line_end = "\r\n" if at and text[at - 1 : at + 1] == "\r\n" else "\n"
        at -= line_end == "\r\n"
        added = f"{line_end}{' ' * node.value[0][0].start_mark.column}{entry}"
    line = text.count("\n", 0, at) + 1 + added.count("\n")
    return text[:at] + added + text[at:], Edit(key=key, line=line, before=None, after=entry)


def _last_leaf(node: Any, name: Any) -> tuple[Any, Any]:
    """Return the last value in a mapping or list, a scalar or one in brackets, and its key if it has one."""
    first = node
    while _kind(node) != "scalar" and node.value:
        if node is not first and node.flow_style:
            break
        if _kind(node) == "mapping":
            name, node = node.value[-1]
        else:
            name, node = None, node.value[-1]
    return node, name


def _end(text: str, node: Any, name: Any) -> int:
    """Return where the last value of a mapping or list ends."""
    leaf, name = _last_leaf(node, name)
    return _after_colon(text, name) if _is_empty(leaf) and name is not None else int(leaf.end_mark.index)


def _is_empty(node: Any) -> bool:
    """Return whether a value is not written; its mark is then that of what follows."""
    return _kind(node) == "scalar" and node.start_mark.index == node.end_mark.index


def _after_colon(text: str, name: Any) -> int:
    return text.index(":", name.end_mark.index) + 1


def _refuse_shared(node: Any, key: str, *, path: Path) -> None:
    """Refuse a place that an anchor, an alias or a merge key shares with another one.

    Raises:
        RecipeError: if it is shared.
    """
    if getattr(node, "anchor", None):
        raise _refused(path, node, key, f"the anchor &{node.anchor} shares its value with other places")
    if _kind(node) == "mapping" and any(name.value == _MERGE for name, _ in node.value):
        raise _refused(path, node, key, "the merge key << adds values of another place")


def _refused(path: Path, node: Any, key: str, why: str) -> RecipeError:
    where = f"{path}:{node.start_mark.line + 1}"
    return RecipeError(Fault(where=where, what=f"{key} cannot be written, because {why}", advice=_BY_HAND))


def _kind(node: Any) -> str:
    return {"ScalarNode": "scalar", "SequenceNode": "sequence", "MappingNode": "mapping"}[type(node).__name__]


def _as_document(node: Any) -> Any:
    """Return what selects an entry of a list: its keys, and the option ``name`` of the first one."""
    if _kind(node) != "mapping":
        return None
    found: dict[str, Any] = {}
    for name, value in node.value:
        inner = value.value if _kind(value) == "mapping" else []
        found[name.value] = {k.value: v.value for k, v in inner if _kind(v) == "scalar"}
    return found


def _has_quoted_keys(node: Any) -> bool:
    """Return whether the keys of the recipe are in double quotes, as in JSON."""
    return _kind(node) == "mapping" and bool(node.value) and all(name.style == '"' for name, _ in node.value)


# -- values ----------------------------------------------------------------------------------------


def written(value: Any, *, quotes: bool = False) -> str:
    """Return a value as YAML on one line.

    Args:
        quotes: put all text in quotes, as JSON does.

    >>> written({"words": {"min": 40}}), written(["en", "no"]), written("a b")
    ('{words: {min: 40}}', '[en, "no"]', '"a b"')
    """
    if isinstance(value, dict):
        pairs = (
            f"{written(name, quotes=quotes)}: {written(one, quotes=quotes)}" for name, one in value.items()
        )
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(written(one, quotes=quotes) for one in value)}]"
    if isinstance(value, str) and not quotes and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
