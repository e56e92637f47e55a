"""The file of labels: its formats, its faults, and what it suggests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from planted import write_lines

from builder import Recipe, build, tune
from builder.errors import RecipeError
from builder.operations.tune import RuleFacts
from builder.operations.tune.labels import read_labels


def test_the_formats_say_the_same(tmp_path: Path) -> None:
    """The end of the name decides; other columns are ignored, and so is the case of a label."""
    lines = [("https://a.example/1", "keep"), ("https://a.example/2?utm_source=x", "DROP")]
    write_lines(tmp_path / "a.jsonl", [{"url": url, "label": label, "note": 1} for url, label in lines])
    (tmp_path / "a.csv").write_text(
        "note,url,label\n" + "".join(f"x,{url},{label}\n" for url, label in lines)
    )
    (tmp_path / "a.tsv").write_bytes(
        b"\xef\xbb\xbfurl\tlabel\r\n" + b"".join(f"{url}\t{label}\r\n".encode() for url, label in lines)
    )
    found = [read_labels(tmp_path / f"a.{end}", url_rules=1) for end in ("jsonl", "csv", "tsv")]
    assert [dict(one.by_key["url"]) for one in found] == 3 * [
        {"https://a.example/1": False, "https://a.example/2": True}
    ]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.txt", "x", "give a file whose name ends in .jsonl, .csv or .tsv"),
        ("a.jsonl", "", "has no labels"),
        ("a.jsonl", "[1]\n", "a.jsonl:1: is not an object"),
        ("a.jsonl", "{\n", "a.jsonl:1: is not JSON"),
        ("a.jsonl", '{"url": "u", "label": "good"}\n', "a.jsonl:1: the label 'good' is not keep or drop"),
        ("a.jsonl", '{"url": "u", "label": 1}\n', "the label 1 is not keep or drop"),
        ("a.jsonl", '\n{"label": "keep"}\n', "a.jsonl:2: names no url, id or record"),
        ("a.jsonl", '{"id": "7", "label": "keep"}\n', "does not have 32 hexadecimal digits"),
        ("a.csv", "link,label\nu,keep\n", "name the columns in the first line"),
        ("a.csv", "", "name the columns in the first line"),
        ("a.csv", "url,label\nu,keep\nu,drop\n", "a.csv:3: the url 'u' has another label"),
        ("absent.csv", None, "no such file"),
    ],
)
def test_a_fault_names_its_line_and_the_next_step(
    name: str, text: str | None, expected: str, tmp_path: Path
) -> None:
    """Labels are written by hand, so faults are usual."""
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(RecipeError) as error:
        read_labels(tmp_path / name, url_rules=1)
    assert expected in str(error.value)


def test_labels_find_documents_by_url_id_and_record_and_suggest_a_limit(tmp_path: Path) -> None:
    """Short pages are labelled drop, with one exception: the limit that loses none of the others is found."""
    records = [
        {"url": f"https://a.example/{i}", "text": " ".join(f"w{i}x{j}" for j in range(5 + 2 * i))}
        for i in range(40)
    ]
    write_lines(tmp_path / "a.jsonl", records)
    document = {
        "name": "harbour",
        "sources": [{"jsonl": {"path": "a.jsonl"}}],
        "stages": [{"filter": {"words": {"min": 1}}}],
        "corpus": "corpus",
    }
    recipe = Recipe.from_dict(document, folder=tmp_path)
    build(recipe, workers=1)
    (split,) = (tmp_path / "corpus" / "1.0.0" / "data").glob("*.parquet")
    import pyarrow.parquet as pq

    ids = dict(zip(*(pq.read_table(split)[name].to_pylist() for name in ("url", "id")), strict=True))
    labels = []
    offset = 0
    for i, (line, one) in enumerate(
        zip((tmp_path / "a.jsonl").read_bytes().splitlines(True), records, strict=True)
    ):
        key = (
            {"url": one["url"]},
            {"id": ids[one["url"]]},
            {"record": f"jsonl/a.jsonl@{offset}"},
        )[i % 3]
        labels.append({**key, "label": "drop" if i < 15 and i != 4 else "keep"})
        offset += len(line)
    (tmp_path / "labels.jsonl").write_text("".join(json.dumps(one) + "\n" for one in labels))
    (facts,) = tune(recipe, labels=tmp_path / "labels.jsonl", workers=1).stages
    assert isinstance(facts, RuleFacts)
    assert facts.n_labels == {"keep": 26, "drop": 14}
    (limit,) = facts.limits
    assert limit.suggestion is not None
    assert limit.suggestion.bound == 35, "page 15 is the first to keep; one of 26 may be lost"
    assert (limit.suggestion.scores.n_keep, limit.suggestion.scores.n_drop) == (1, 14)
    assert limit.suggestion.scores.recall.value == 1.0
    (signal,) = facts.signals
    assert signal.auc is not None
    assert signal.auc.low > 0.5
    (strict,) = tune(recipe, labels=tmp_path / "labels.jsonl", workers=1, max_lost=0).stages
    assert isinstance(strict, RuleFacts)
    assert strict.limits[0].suggestion is not None
    assert strict.limits[0].suggestion.bound == 13, "page 4 has 13 words and is to be kept"
