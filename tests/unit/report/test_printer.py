"""What leaves the process: lines, JSON and tracebacks, in any encoding."""

from __future__ import annotations

import io
import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from terminals import EVIL, escapes

from builder.domain.visible import visible, visible_json
from builder.errors import BuilderError, Fault
from builder.report.json_text import print_json
from builder.report.printer import print_bug, print_document, print_error, print_lines


@given(st.text())
def test_a_visible_text_is_one_line_without_control_characters(text: str) -> None:
    """Text with a glyph for each character stays as it is, and escaping twice changes nothing."""
    shown = visible(text)
    assert {unicodedata.category(one) for one in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"} == set()
    assert visible(shown) == shown
    assert shown == text or not text.isprintable()


@given(st.recursive(st.text(), lambda values: st.lists(values) | st.dictionaries(st.text(), values)))
def test_an_escaped_document_has_the_same_value(value: object) -> None:
    for indent in (None, 2):
        document = json.dumps(value, ensure_ascii=False, indent=indent)
        assert json.loads(visible_json(document)) == value
        assert visible(visible_json(document), keep="\n") == visible_json(document)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_stream_of_any_encoding_gets_a_document(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    """What the encoding does not have is an escape: of JSON in a document, of Python in a line."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    print_json({"a": "é日\U0001f600\x9b"})
    sys.stdout.flush()
    assert json.loads(raw.getvalue().decode(encoding)) == {"a": "é日\U0001f600\x9b"}
    print_lines(["é日"])
    assert raw.getvalue().decode(encoding).splitlines()[-1] in ("é日", "é\\u65e5", "\\xe9\\u65e5")


def test_the_name_of_a_file_may_be_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes that are not UTF-8 become lone surrogates, which JSON can only escape."""
    print_json({"path": "a\udcff"})
    assert json.loads(capsys.readouterr().out) == {"path": "a\udcff"}


def test_errors_and_bugs_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    """A fault is one line; a traceback keeps its lines."""
    print_error(BuilderError(Fault(where=EVIL, what=EVIL, advice=EVIL), EVIL))
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 2
    assert escapes(said) == []
    try:
        raise ValueError(EVIL.replace("\r\n", " "))
    except ValueError as error:
        print_bug(ValueError, error, error.__traceback__)
    said = capsys.readouterr().err
    assert said.startswith("Traceback")
    assert escapes(said) == []


def test_a_part_of_a_document_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """`diff --rows` prints a document row by row."""
    for part in ('{\n  "rows": [\n    ', '"a\u202e"', "\n  ]\n}\n"):
        print_document(part)
    assert json.loads(capsys.readouterr().out) == {"rows": ["a\u202e"]}
