"""Write the YAML front matter of a card from facts, read it back and check it.

The Hub's clients read it as YAML 1.1 and silently ignore malformed YAML. So the YAML written here must have
the same meaning in YAML 1.1 and 1.2.
"""

from __future__ import annotations

import io
import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from builder.assets import schemas_folder
from builder.card.features import yaml_features
from builder.card.text import one_line
from builder.domain.visible import visible
from builder.errors import BuilderError, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from builder.card.facts import CardFacts, SplitFacts, VersionFacts

DEFAULT_CONFIG = "default"
TOOL_TAG = "nlp-corpus-builder"

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*([ ./_-][A-Za-z0-9_]+)*")
_WORDS_OF_YAML_1_1 = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def version_front_matter(facts: CardFacts) -> dict[str, Any]:
    """Return the front matter of one version: its metadata and its files, in the Hub's keys."""
    config, info = _config_and_info(
        DEFAULT_CONFIG, facts.version, columns=facts.columns, splits=facts.splits, folder=""
    )
    tags = [*facts.tags, *_stage_tags(facts), TOOL_TAG]
    return {
        **_license(facts.license, link=facts.license_link),
        **({"language": list(facts.language)} if facts.language else {}),
        "pretty_name": one_line(facts.title) or facts.name,
        "size_categories": [size_category(facts.rows)],
        "tags": list(dict.fromkeys(tags)),
        "configs": [config],
        "dataset_info": info,
    }


def root_front_matter(
    name: str,
    versions: Sequence[VersionFacts],
    *,
    default: str,
    title: str = "",
    license: str | None = None,  # noqa: A002 - the card's own word
    language: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the front matter of a corpus folder: one config for each version, named by its number."""
    pairs = [
        _config_and_info(v.version, v.version, columns=v.columns, splits=v.splits, folder=f"{v.version}/")
        for v in versions
    ]
    for config, _ in pairs:
        if config["config_name"] == default:
            config["default"] = True
    rows = next((version.rows for version in versions if version.version == default), 0)
    return {
        **_license(license, link=None),
        **({"language": list(language)} if language else {}),
        "pretty_name": one_line(title) or name,
        "size_categories": [size_category(rows)],
        "tags": [TOOL_TAG],
        "configs": [config for config, _ in pairs],
        "dataset_info": [info for _, info in pairs],
    }


def size_category(rows: int) -> str:
    """Name the Hub's size category of a number of rows.

    >>> [size_category(n) for n in (0, 999, 1_000, 9_999, 10_000, 10**12)]
    ['n<1K', 'n<1K', '1K<n<10K', '1K<n<10K', '10K<n<100K', 'n>1T']
    """
    names = ["1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T"]
    at = sum(rows >= 10 ** (3 + i) for i in range(len(names)))
    if at == 0:
        return f"n<{names[0]}"
    return f"n>{names[-1]}" if at == len(names) else f"{names[at - 1]}<n<{names[at]}"


def write_front_matter(meant: Mapping[str, Any]) -> str:
    r"""Write YAML between two lines of ``---``, each with its newline.

    The result is read back as YAML 1.1, by the reader that the Hub's clients use, and as YAML 1.2. Both
    must return ``meant``.

    >>> print(write_front_matter({"language": ["no", "en"], "version": "1.0.0"}), end="")
    ---
    language:
    - "no"
    - en
    version: "1.0.0"
    ---
    """
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 1 << 30
    stream = io.StringIO()
    yaml.dump(_quoted(meant), stream)
    text = f"---\n{_escaped(stream.getvalue())}---\n"
    if _read_as_the_hub_does(text) != meant or read_front_matter(text) != meant:
        raise BuilderError(
            Fault(where="README.md", what="the front matter changes when it is read back", advice=text)
        )
    return text


def _read_as_the_hub_does(text: str) -> Any:
    import yaml

    front, _ = split_front_matter(text)
    return yaml.load(front or "", Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def read_front_matter(text: str) -> dict[str, Any]:
    """Read the front matter of a card as YAML 1.2.

    Raises:
        BuilderError: if the front matter is missing or not closed, is not YAML, or has a key twice. Clients
            of the Hub ignore such front matter and load the dataset without its configs.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    front, _ = split_front_matter(text)
    if front is None:
        raise BuilderError(
            Fault(where="README.md:1", what="no front matter", advice="add YAML between two lines of ---")
        )
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    try:
        found = yaml.load(front)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"README.md:{mark.line + 2}" if mark else "README.md"
        raise BuilderError(Fault(where=place, what=f"not YAML: {getattr(error, 'problem', error)}")) from None
    if not isinstance(found, dict):
        raise BuilderError(Fault(where="README.md:1", what="the front matter is not a mapping of keys"))
    return found


def split_front_matter(text: str) -> tuple[str | None, str]:
    r"""Split a card into front matter (None without one) and body.

    >>> split_front_matter("---\na: 1\n---\n# Title\n")
    ('a: 1\n', '# Title\n')
    """
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[0] != "---" or "---" not in lines[1:]:
        return None, "\n".join(lines)
    end = lines.index("---", 1)
    return "\n".join([*lines[1:end], ""]), "\n".join(lines[end + 1 :])


def check_front_matter(found: Mapping[str, Any]) -> list[Fault]:
    """List the faults for which the Hub or ``load_dataset`` would refuse the front matter.

    The rules are in ``schemas/card-1.schema.json``.
    """
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(_schema()).iter_errors(found)
    faults = [Fault(where="/".join(map(str, e.absolute_path)), what=e.message[:300]) for e in errors]
    return sorted(faults, key=lambda fault: (fault.where, fault.what))


@cache
def _schema() -> Any:
    return json.loads((schemas_folder() / "card-1.schema.json").read_text(encoding="utf-8"))


def license_ids() -> list[str]:
    """List the licence ids that the Hub knows."""
    return list(_schema()["$defs"]["license"]["enum"])


def _license(license_id: str | None, *, link: str | None) -> dict[str, str]:
    """Return the licence keys; a licence without an id on the Hub becomes ``other`` with its name."""
    if not license_id:
        return {}
    known = license_id.lower()
    if known in license_ids() and known != "other":
        return {"license": known}
    name = re.sub(r"[^a-z0-9.+_]+", "-", known).strip("-.+_") or "custom"
    return {"license": "other", "license_name": name, **({"license_link": link} if link else {})}


def _stage_tags(facts: CardFacts) -> list[str]:
    return ["deduplicated"] if any(s.kind.startswith("dedup_") for s in facts.stages) else []


def _config_and_info(
    config_name: str, version: str, *, columns: pa.Schema, splits: Mapping[str, SplitFacts], folder: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    filled = {name: split for name, split in splits.items() if split.rows}
    config = {
        "config_name": config_name,
        "version": version,
        "data_files": [
            {"split": name, "path": [f"{folder}{shard.path}" for shard in split.shards]}
            for name, split in filled.items()
        ],
    }
    info = {
        "config_name": config_name,
        "features": yaml_features(columns),
        "splits": [
            {"name": name, "num_bytes": split.raw_bytes, "num_examples": split.rows}
            for name, split in filled.items()
        ],
        "download_size": sum(split.file_bytes for split in filled.values()),
        "dataset_size": sum(split.raw_bytes for split in filled.values()),
    }
    return config, info


def _escaped(text: str) -> str:
    """Escape characters without a glyph as YAML does. Only quoted strings contain such characters."""
    if text.isascii():
        return text
    return "".join(one if one == "\n" or visible(one) == one else _escape(ord(one)) for one in text)


def _escape(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _quoted(value: Any) -> Any:
    """Quote each string that a YAML reader could read as another type."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    if isinstance(value, str):
        safe = _PLAIN.fullmatch(value) and value.lower() not in _WORDS_OF_YAML_1_1
        return value if safe else DoubleQuotedScalarString(value)
    if isinstance(value, dict):
        return {_quoted(key): _quoted(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_quoted(part) for part in value]
    return value
