"""Read labels: which documents people would keep, and which they would drop."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from builder.domain.document_ids import is_id
from builder.domain.url import canonical_url
from builder.errors import Fault, RecipeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

KEEP_LABEL, DROP_LABEL = "keep", "drop"
LABEL_KEYS = ("record", "id", "url")
"""The columns that name a document; the first one that a line has counts."""

MAX_LABEL_BYTES = 256 << 20
_MAX_FAULTS = 10
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_LINES = (".jsonl", ".ndjson")
_EXAMPLE = '{"url": "https://example.org/tides", "label": "keep"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Labels by record id, document id and canonical URL; true is ``drop``."""

    path: Path
    n_lines: int
    by_key: Mapping[str, Mapping[str, bool]] = field(repr=False)

    def of(self, rows: pa.Table, *, url_rules: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Find the labelled rows: int64[n_labelled], their numbers, and bool[n_labelled], who is to drop."""
        found: dict[int, bool] = {}
        records, ids, urls = (self.by_key[name] for name in LABEL_KEYS)
        for row, (record, identity, url) in enumerate(
            zip(rows["record"].to_pylist(), rows["id"].to_pylist(), rows["url"].to_pylist(), strict=True)
        ):
            label = records.get(record)
            if label is None and ids:
                label = ids.get(identity.hex())
            if label is None and urls and url:
                label = urls.get(canonical_url(url, url_rules) or url)
            if label is not None:
                found[row] = label
        return np.array(list(found), np.int64), np.array(list(found.values()), np.bool_)


def read_labels(path: str | Path, *, url_rules: int) -> Labels:
    """Read a file of labels: JSONL, CSV or TSV, by the end of its name.

    Raises:
        RecipeError: if the file cannot be read, or a line does not name a document and its label.
    """
    path = Path(path)
    faults: list[Fault] = []
    by_key: dict[str, dict[str, bool]] = {name: {} for name in LABEL_KEYS}
    n_lines = 0
    for number, line in _lines(path):
        n_lines += 1
        label = _label(line)
        key = next((name for name in LABEL_KEYS if _text(line.get(name))), None)
        where = f"{path}:{number}"
        if key is None:
            advice = f"write for example {_EXAMPLE}"
            faults.append(Fault(where=where, what="names no url, id or record", advice=advice))
        elif label is None:
            what = f"the label {line.get('label')!r:.60} is not {KEEP_LABEL} or {DROP_LABEL}"
            faults.append(Fault(where=where, what=what, advice=f"write {KEEP_LABEL} or {DROP_LABEL}"))
        elif key == "id" and not is_id(line[key]):
            what = f"the id {line[key]!r:.60} does not have 32 hexadecimal digits"
            advice = "give the id of a published row, or name the document by url or record"
            faults.append(Fault(where=where, what=what, advice=advice))
        else:
            value = line[key]
            value = (canonical_url(value, url_rules) or value) if key == "url" else value
            if by_key[key].setdefault(value, label) != label:
                what = f"the {key} {line[key]!r:.100} has another label in an earlier line"
                faults.append(Fault(where=where, what=what, advice="remove one of the two lines"))
        if len(faults) >= _MAX_FAULTS:
            break
    if not n_lines and not faults:
        faults.append(Fault(where=str(path), what="has no labels", advice=f"write for example {_EXAMPLE}"))
    if faults:
        raise RecipeError(*faults)
    return Labels(path=path, n_lines=n_lines, by_key=by_key)


def _lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the number of each line, and what it says."""
    text = _read(path)
    suffix = path.suffix.lower()
    if suffix in _LINES:
        yield from _json_lines(path, text)
        return
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=_DELIMITERS[suffix])
    try:
        names = reader.fieldnames or []
        if "label" not in names or not set(LABEL_KEYS) & set(names):
            what = f"the first line has the columns {', '.join(map(repr, names)) or '(none)'}"[:200]
            advice = "name the columns in the first line: label, and url, id or record"
            raise RecipeError(Fault(where=str(path), what=what, advice=advice))
        for line in reader:
            yield reader.line_num, line
    except csv.Error as error:
        where = f"{path}:{reader.line_num}"
        raise RecipeError(
            Fault(where=where, what=f"is not a line of a table: {error}", advice="quote it")
        ) from None


def _read(path: Path) -> str:
    if path.suffix.lower() not in (*_LINES, *_DELIMITERS):
        what = f"the name ends in {path.suffix!r}, which is not a format of labels"
        advice = "give a file whose name ends in .jsonl, .csv or .tsv"
        raise RecipeError(Fault(where=str(path), what=what, advice=advice))
    try:
        if path.is_file() and path.stat().st_size > MAX_LABEL_BYTES:
            what = f"is larger than {MAX_LABEL_BYTES:,} bytes, the limit of a file of labels"
            raise RecipeError(Fault(where=str(path), what=what, advice="give fewer labels"))
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        advice = "check the path"
        raise RecipeError(Fault(where=str(path), what="no such file", advice=advice)) from None
    except (OSError, UnicodeDecodeError) as error:
        advice = "give the path of a UTF-8 file that you may read"
        raise RecipeError(Fault(where=str(path), what=f"cannot be read: {error}", advice=advice)) from None


def _json_lines(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = orjson.loads(line)
        except ValueError as error:
            what = f"is not JSON: {error}"
            raise RecipeError(
                Fault(where=f"{path}:{number}", what=what, advice=f"write for example {_EXAMPLE}")
            ) from None
        if not isinstance(value, dict):
            raise RecipeError(
                Fault(where=f"{path}:{number}", what="is not an object", advice=f"write {_EXAMPLE}")
            )
        yield number, value


def _label(line: Mapping[str, Any]) -> bool | None:
    """Return whether the label is ``drop``; None if it is neither ``keep`` nor ``drop``."""
    label = line.get("label")
    return (
        {KEEP_LABEL: False, DROP_LABEL: True}.get(label.strip().lower()) if isinstance(label, str) else None
    )


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)
