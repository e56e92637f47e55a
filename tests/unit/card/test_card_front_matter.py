"""The YAML at the head of a card: written so that every reader takes it for what was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st

from builder.card.front_matter import (
    check_front_matter,
    license_ids,
    read_front_matter,
    split_front_matter,
    version_front_matter,
    write_front_matter,
)
from builder.errors import BuilderError

if TYPE_CHECKING:
    from collections.abc import Callable

    from builder.card.facts import CardFacts

TRAPS = [
    "no", "NO", "y", "on", "Off", "~", "null", "1.0", "1.10", "0x1F", "1e3", "+1", "1_000", "1:30", ".inf",
    "2024-01-01", "---", "a\n---\nb", "...", "", " lead", "trail ", "\t", "a\r\nb", "a\u2028b", "a\x85b",
    "\x07", "# x", "a #b", "a: b", "- z", "? k", "@x", "%y", "`", "[a]", "{b}", "'q'", '"d"', "\\", "*a",
    "&b", "!t", "|", ">", "=", "<<", "\ufeff", "é", "日本", "😀", "x" * 3000 + " " + "y" * 300,
]  # fmt: skip


def read_as_the_hub_does(text: str) -> Any:
    """Read front matter like the clients of the Hub: cut at lines of ---, then YAML 1.1."""
    lines = text.splitlines()
    assert lines[0] == "---"
    return pyyaml.safe_load("\n".join(lines[1 : lines.index("---", 1)]))


def test_traps_survive() -> None:
    """What looks like a number, a date, a truth value or a line of --- in YAML is still a string."""
    meant = {"values": TRAPS, "keys": dict.fromkeys(TRAPS, 1)}

    text = write_front_matter(meant)

    assert read_front_matter(text) == meant
    assert read_as_the_hub_does(text) == meant


@given(
    st.recursive(
        st.text(st.characters(exclude_categories=["Cs"])) | st.integers() | st.booleans(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=8,
    )
)
def test_any_value_survives(value: Any) -> None:
    """Whatever is written is read again as it was meant, by readers of YAML 1.1 and 1.2."""
    text = write_front_matter({"value": value})

    assert read_front_matter(text) == {"value": value}
    assert read_as_the_hub_does(text) == {"value": value}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("# A card\n", "no front matter"),
        ("\n---\na: 1\n---\n", "no front matter"),
        ("---\na: 1\n", "no front matter"),
        ("---\na: 1---\n", "no front matter"),
        ("---\na: 1\na: 2\n---\n", "not YAML"),
        ("---\na: [1\n---\n", "not YAML"),
        ("---\n- a\n---\n", "not a mapping"),
    ],
)
def test_what_clients_ignore_in_silence_is_an_error(text: str, what: str) -> None:
    """Front matter that the Hub's clients would pass over without a word is refused, with its place."""
    with pytest.raises(BuilderError, match=what) as caught:
        read_front_matter(text)

    assert all(fault.where.startswith("README.md") for fault in caught.value.faults)


def test_windows_line_ends() -> None:
    """A card that was edited on Windows is read like any other."""
    assert read_front_matter("---\r\na: 1\r\n---\r\n# T\r\n") == {"a": 1}
    assert split_front_matter("---\r\na: 1\r\n---\r\n# T\r\n") == ("a: 1\n", "# T\n")


def test_version_stands_in_the_config(full_facts: CardFacts) -> None:
    """`datasets` takes the version from the config and ignores it anywhere else."""
    front = version_front_matter(full_facts)

    assert front["configs"] == [
        {
            "config_name": "default",
            "version": "1.1.0",
            "data_files": [
                {"split": "train", "path": ["data/train-00000-of-00001.parquet"]},
                {"split": "test", "path": ["data/test-00000-of-00001.parquet"]},
            ],
        }
    ]
    assert front["dataset_info"]["splits"] == [
        {"name": "train", "num_bytes": 5000, "num_examples": 9},
        {"name": "test", "num_bytes": 600, "num_examples": 1},
    ]
    assert front["dataset_info"]["download_size"] == 1200
    assert front["dataset_info"]["dataset_size"] == 5600


@pytest.mark.parametrize(
    ("given_license", "expected"),
    [
        (None, {}),
        ("cc-by-4.0", {"license": "cc-by-4.0"}),
        ("CC-BY-4.0", {"license": "cc-by-4.0"}),
        ("Our House Terms 2", {"license": "other", "license_name": "our-house-terms-2"}),
        ("other", {"license": "other", "license_name": "other"}),
    ],
)
def test_licences(
    given_license: str | None, expected: dict[str, str], make_facts: Callable[..., CardFacts]
) -> None:
    """A licence that the Hub has no id for is `other` with a name, never an id that it does not know."""
    front = version_front_matter(make_facts(license=given_license))

    assert {key: value for key, value in front.items() if key.startswith("license")} == expected
    assert check_front_matter(front) == []


def test_licence_ids_are_the_hubs() -> None:
    """The schema names the licences that the Hub names; some of them, as a sample."""
    assert {"apache-2.0", "cc0-1.0", "cc-by-sa-4.0", "odc-by", "other", "unknown"} <= set(license_ids())


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"license": "my-own"}, "license"),
        ({"license": "other"}, ""),
        ({"language": ["en-GB"]}, "language/0"),
        ({"language": [False]}, "language/0"),
        ({"size_categories": ["1K<n"]}, "size_categories/0"),
        ({"pretty_name": "two\nlines"}, "pretty_name"),
        ({"configs": []}, "configs"),
    ],
)
def test_schema_refuses(changes: dict[str, Any], where: str, make_facts: Callable[..., CardFacts]) -> None:
    """Licences, languages and size categories that the Hub does not know are faults with their place."""
    front = version_front_matter(make_facts()) | changes

    assert [fault.where for fault in check_front_matter(front)] == [where]


@pytest.mark.parametrize(
    ("config", "where"),
    [
        ({"config_name": "a/b"}, "configs/0/config_name"),
        ({"version": "1.0"}, "configs/0/version"),
        ({"data_files": []}, "configs/0/data_files"),
        ({"data_files": [{"split": "all", "path": ["a.parquet"]}]}, "configs/0/data_files/0/split"),
        ({"data_files": [{"split": "train-clean", "path": ["a.parquet"]}]}, "configs/0/data_files/0/split"),
        ({"data_files": [{"split": "train", "path": ["data/*.parquet"]}]}, "configs/0/data_files/0/path/0"),
        ({"data_files": [{"split": "train", "path": ["../a.parquet"]}]}, "configs/0/data_files/0/path/0"),
        ({"data_files": [{"split": "train", "path": ["/a.parquet"]}]}, "configs/0/data_files/0/path/0"),
    ],
)
def test_schema_refuses_configs(
    config: dict[str, Any], where: str, make_facts: Callable[..., CardFacts]
) -> None:
    """Config and split names that `load_dataset` refuses, and paths that are patterns, are faults."""
    front = version_front_matter(make_facts())
    front["configs"][0] |= config

    assert [fault.where for fault in check_front_matter(front)] == [where]


def test_keys_of_people_are_allowed(make_facts: Callable[..., CardFacts]) -> None:
    """What people add on the Hub is not ours to judge."""
    front = version_front_matter(make_facts()) | {"task_categories": ["text-generation"], "viewer": False}

    assert check_front_matter(front) == []


def test_a_split_without_rows_has_no_entry(make_facts: Callable[..., CardFacts]) -> None:
    """`load_dataset` fails on a split without rows, so the front matter does not know it."""
    facts = make_facts()
    empty = type(facts.splits["test"])(rows=0, raw_bytes=0, shards=())

    front = version_front_matter(make_facts(splits={**facts.splits, "test": empty}))

    assert [entry["split"] for entry in front["configs"][0]["data_files"]] == ["train"]
    assert [entry["name"] for entry in front["dataset_info"]["splits"]] == ["train"]


def test_every_kind_of_feature_meets_the_schema(make_facts: Callable[..., CardFacts]) -> None:
    """The schema of the front matter knows every type that `load_dataset` opens."""
    inner = pa.struct([("a", pa.list_(pa.list_(pa.int64()))), ("b", pa.timestamp("us", tz="UTC"))])
    kinds = {
        "id": pa.string(),
        "n": pa.decimal128(38, 0),
        "l": pa.list_(inner),
        "s": inner,
        "d": pa.date32(),
        "f": pa.list_(pa.float32(), 3),
        "b": pa.binary(16),
        "name": pa.bool_(),
    }
    columns = pa.schema(list(kinds.items()))

    assert check_front_matter(version_front_matter(make_facts(columns=columns))) == []
