"""``filter`` in a build: signals of rejected documents, dropped lines, ``why``, laws of order, and purges."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from planted import write_lines

from builder import BuildResult, Corpus, verify
from builder.operations.takedown import takedown
from builder.operations.why import why
from builder.stages.quality.signals import SIGNALS

Make = Callable[..., BuildResult]
WEB: list[Any] = ["validate", {"filter": {"preset": "web"}}]
C4: list[Any] = ["validate", {"filter": {"preset": "c4"}}]


def page(number: int, *, is_noise: bool = False) -> dict[str, Any]:
    """Return a page of prose, or one that says the same again and again."""
    prose = (
        f"Before the railway came, all that village {number} could not grow was carried over the pass.\n"
        "Carters left at midnight with salt, iron and cloth, and slept in a hut below the glacier. In winter "
        "nobody went.\nThose who were caught by snow burned their wagons to keep warm, and walked home with "
        "the horses when the weather allowed it, to families that had given up waiting."
    )
    text = f"Buy shoes number {number} now. " * 40 if is_noise else f"Menu\n{prose}"
    return {"url": f"https://a.example/{number}", "text": text}


def signals_of(result: BuildResult) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(result.ledger.with_name("signals.parquet")).to_pylist()
    return found


def test_why_has_all_signals_of_a_rejected_page(make: Make, tmp_path: Path) -> None:
    """The reason, value and limit are in the ledger, and the values that no rule looks at in the audit."""
    write_lines(tmp_path / "feed/a.jsonl", [page(1), page(2, is_noise=True)])
    result = make(stages=WEB)
    (row,) = signals_of(result)
    values = {one["name"]: one["value"] for one in row["signals"]}
    assert list(values) == list(SIGNALS)
    assert values["words"] == 200
    (history,) = why(str(result.corpus), page(2)["url"]).histories
    (record,) = history.records
    assert (record["stage"], record["outcome"]) == ("filter", "rejected")
    assert record["reason"] in ("top_2gram_above", "dup_5gram_above")
    assert list(history.signals) == [row]
    (kept,) = why(str(result.corpus), page(1)["url"]).histories
    assert not kept.signals


def test_a_build_that_rejects_nothing_has_no_file(make: Make, tmp_path: Path) -> None:
    """Nothing is there to explain."""
    write_lines(tmp_path / "feed/a.jsonl", [page(1)])
    assert not make(stages=WEB).ledger.with_name("signals.parquet").exists()


def test_workers_and_batches_change_neither_rows_nor_audit(make: Make, tmp_path: Path) -> None:
    """Each document is judged by itself, also where lines are dropped."""
    pages = [page(number, is_noise=number % 3 == 0) for number in range(30)]
    write_lines(tmp_path / "feed/a.jsonl", pages)
    for stages in (WEB, C4):
        found = set()
        for name, options in (("one", {"workers": 1}), ("two", {"workers": 2, "batch_rows": 7})):
            result = make(stages=stages, corpus=f"{name}{len(str(stages))}", **options)
            audit = [
                pq.read_table(path).to_pylist()
                for file in ("signals.parquet", "removed.parquet")
                if (path := result.ledger.with_name(file)).exists()
            ]
            found.add((Corpus(result.corpus).manifest(result.version).data_digest, json.dumps(audit)))
        assert len(found) == 1


def test_dropped_lines_are_in_the_audit(make: Make, tmp_path: Path) -> None:
    """The published text and the spans together are the text that came."""
    write_lines(tmp_path / "feed/a.jsonl", [page(1)])
    result = make(stages=C4)
    (history,) = why(str(result.corpus), page(1)["url"]).histories
    assert [(one["class"], one["text"], one["start"]) for one in history.removed] == [
        ("no_end_mark", "Menu", 0)
    ]


def test_a_purge_removes_the_signals_of_a_page(make: Make, tmp_path: Path) -> None:
    """Rows of other pages stay."""
    write_lines(tmp_path / "feed/a.jsonl", [page(1), page(2, is_noise=True), page(3, is_noise=True)])
    result = make(stages=WEB)
    assert len(signals_of(result)) == 2
    takedown(result.corpus, urls=[page(2)["url"]], because="asked", purge=True)
    audits = sorted(Path(result.corpus).rglob("signals.parquet"))
    rows = [row["record_id"] for path in audits for row in pq.read_table(path).to_pylist()]
    (history,) = why(str(result.corpus), page(3)["url"]).histories[:1]
    assert rows == [history.records[0]["record_id"]]
    assert verify(result.corpus).clean
