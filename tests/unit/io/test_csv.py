"""The source of comma-separated values."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.engines.guard import NullGuard
from builder.errors import RecipeError
from builder.io.csv import CsvSource
from builder.io.reading.csv_dialect import Dialect
from builder.io.reading.csv_rows import Row, read_rows
from builder.io.reading.lines import split_lines

if TYPE_CHECKING:
    from pathlib import Path


def read(
    tmp_path: Path, data: bytes, *, name: str = "a.csv", batch_rows: int = 100, **options: Any
) -> tuple[list[dict[str, Any]], list[tuple[str, int]]]:
    """Return rows and failures, and check that every record is counted."""
    (tmp_path / name).write_bytes(data)
    source = CsvSource(path=str(tmp_path / name), **options)
    (task,) = source.tasks()
    rows: list[dict[str, Any]] = []
    failed: list[tuple[str, int]] = []
    n_records = 0
    for reading in source.read(task, guard=NullGuard(), batch_rows=batch_rows):
        assert reading.n_records == reading.batch.num_rows + reading.rejected.num_rows
        ordinals = [
            r["_record"]["ordinal"] for r in (*reading.batch.to_pylist(), *reading.rejected.to_pylist())
        ]
        assert sorted(ordinals) == list(range(n_records, n_records + reading.n_records))
        n_records += reading.n_records
        rows += reading.batch.to_pylist()
        failed += [(r["reason"], r["_record"]["offset"]) for r in reading.rejected.to_pylist()]
    return rows, failed


def values(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "_record"} for row in rows]


def test_rows_are_strings_under_the_names_of_the_header(tmp_path: Path) -> None:
    """Blank lines are skipped; an empty value is null; the offset is that of the row's first byte."""
    rows, failed = read(tmp_path, b'\xef\xbb\xbfurl,n\r\nx,1\r\n\r\n"a ""b""\nc, d",\r\n')
    assert values(rows) == [{"url": "x", "n": "1"}, {"url": 'a "b"\nc, d', "n": None}]
    assert [row["_record"]["offset"] for row in rows] == [10, 17]
    assert not failed


@pytest.mark.parametrize("batch_rows", [1, 2, 50])
def test_a_broken_row_fails_and_the_next_is_read(tmp_path: Path, batch_rows: int) -> None:
    """Too few values, too many, unbalanced quotes, bytes that are not valid in the encoding."""
    data = b'a,b\n1,2\n3\n4,5,6\n"7"x,8\n\xff,9\nok,ok\n'
    rows, failed = read(tmp_path, data, batch_rows=batch_rows)
    assert values(rows) == [{"a": "1", "b": "2"}, {"a": "ok", "b": "ok"}]
    assert failed == [("csv_width", 8), ("csv_width", 10), ("csv_quotes", 16), ("csv_encoding", 23)]


def test_a_quote_that_is_never_closed_fails_only_one_line(tmp_path: Path) -> None:
    """The rest of the file is read, and memory stays within the limit of a row."""
    rows, failed = read(tmp_path, b'a,b\n"1,2\n3,4\n5,6\n')
    assert values(rows) == [{"a": "3", "b": "4"}, {"a": "5", "b": "6"}]
    assert failed == [("csv_quotes", 4)]
    rows, failed = read(tmp_path, b'a,b\n"1,2\n' + b"3,4\n" * 20, max_record_bytes=30)
    assert (len(rows), failed) == (20, [("record_too_big", 4)])


def test_a_row_over_the_limit_fails(tmp_path: Path) -> None:
    """A row of exactly the limit is accepted, whether or not the line fits into a block."""
    long = b"x" * (9 << 20)
    rows, failed = read(tmp_path, b"a\n12345\n123456\n" + long + b"\n1\n", max_record_bytes=5)
    assert values(rows) == [{"a": "12345"}, {"a": "1"}]
    assert failed == [("record_too_big", 8), ("record_too_big", 15)]


@pytest.mark.parametrize("header", [b"a,a\n", b",\n", b"a,_a\n", b'"a\n', b"\xff,b\n"])
def test_a_header_that_does_not_name_columns_fails_the_file(tmp_path: Path, header: bytes) -> None:
    """The file is one failed record, because values cannot be assigned to columns."""
    rows, failed = read(tmp_path, header + b"1,2\n3,4\n")
    assert not rows
    assert [offset for _, offset in failed] == [0]


def test_a_table_without_rows_has_no_record(tmp_path: Path) -> None:
    """With a header or without one."""
    assert read(tmp_path, b"") == read(tmp_path, b"a,b\n") == ([], [])


def test_leading_underscores_of_column_names_are_removed_or_renamed(tmp_path: Path) -> None:
    """Such names are reserved for the build's own columns."""
    rows, _ = read(tmp_path, b"_id,__x,y_\n1,2,3\n", rename={"_id": "key"})
    assert values(rows) == [{"key": "1", "x": "2", "y_": "3"}]


@pytest.mark.parametrize(
    ("header", "rename", "message"),
    [
        (
            "url,text,text",
            {},
            "columns 2 and 3 are both named 'text': give each column of the file",
        ),
        ("_a,_a", {}, "columns 1 and 2 are both named '_a': give each column of the file its own name"),
        (
            "_id,id",
            {},
            "columns '_id' and 'id' are both named 'id' without underscores: add _id: NAME",
        ),
        ("_x,x", {"_x": "y"}, None),
        (
            "_b,text",
            {"_b": "text"},
            "columns '_b' and 'text' are both named 'text' by `rename`",
        ),
        ("_,a", {}, "column '_' has no name without its underscores: add _: NAME to `rename`"),
        ("_k,a", {"_k": "_m"}, "`rename` gives column '_k' the name '_m', which is reserved"),
    ],
)
def test_a_header_that_cannot_be_used_says_what_to_change(
    tmp_path: Path, header: str, rename: dict[str, str], message: str | None
) -> None:
    """The advice helps: `rename` does not help with two columns of the same name."""
    (tmp_path / "a.csv").write_text(f"{header}\n" + ",".join("x" for _ in header.split(",")) + "\n")
    source = CsvSource(path=str(tmp_path / "a.csv"), rename=rename)
    (task,) = source.tasks()
    (reading,) = source.read(task, guard=NullGuard(), batch_rows=100)
    found = [row["message"] for row in reading.rejected.to_pylist()]
    assert (found == []) if message is None else (len(found) == 1 and found[0].startswith(message))


def test_delimiter_and_encoding_are_options(tmp_path: Path) -> None:
    """A tab is the default for .tsv; the option overrides it."""
    assert values(read(tmp_path, b"a\tb\n1,5\t2\n", name="a.tsv")[0]) == [{"a": "1,5", "b": "2"}]
    assert values(read(tmp_path, b"a;b\n1;2\n", delimiter=";")[0]) == [{"a": "1", "b": "2"}]
    assert values(read(tmp_path, b"a\n\xe9\n", encoding="windows-1252")[0]) == [{"a": "é"}]
    assert values(read(tmp_path, b"a,b\n,x\n", empty_is_null=False)[0]) == [{"a": "", "b": "x"}]


UNUSABLE: tuple[dict[str, Any], ...] = (
    {"delimiter": ""},
    {"delimiter": '"'},
    {"quote": "''"},
    {"escape": ","},
    {"encoding": "utf-7"},
    {"encoding": "no-such"},
    {"header": False},
    {"columns": ["a", "a"]},
    {"timezone": "Mars/Base"},
)


@pytest.mark.parametrize("options", UNUSABLE)
def test_options_that_cannot_be_used_are_a_recipe_error(tmp_path: Path, options: dict[str, Any]) -> None:
    """The error comes before any file is read, and names usable values."""
    with pytest.raises(RecipeError) as caught:
        read(tmp_path, b"a\n", **options)
    assert caught.value.faults[0].advice


cells = st.text(st.sampled_from('ab",\n é'), max_size=5)


@given(
    table=st.lists(st.lists(cells, min_size=2, max_size=4), max_size=8), ends=st.sampled_from(["\n", "\r\n"])
)
def test_tables_written_by_the_csv_module_are_read_back(table: list[list[str]], ends: str) -> None:
    """Any cells, quoted where necessary; offsets are those of the rows' first bytes."""
    text = io.StringIO(newline="")
    offsets = []
    for row in table:
        offsets.append(len(text.getvalue().encode()))
        csv.writer(text, lineterminator=ends).writerow(row)
    pieces = split_lines([text.getvalue().encode()], max_bytes=1 << 20)
    found = list(read_rows(pieces, dialect=Dialect(delimiter=","), encoding="utf-8", max_bytes=1 << 20))
    assert [(row.offset, row.values) for row in found if isinstance(row, Row)] == list(
        zip(offsets, table, strict=True)
    )


# -- tables as programs write them -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "expected", "n_unnamed"),
    [
        (b",url,text\n0,a,x\n1,b,y\n", [{"url": "a", "text": "x"}, {"url": "b", "text": "y"}], 1),
        (b"url,text,\na,x,\nb,y,\n", [{"url": "a", "text": "x"}, {"url": "b", "text": "y"}], 1),
        (b"url,text,\na,x\nb,y\n", [{"url": "a", "text": "x"}, {"url": "b", "text": "y"}], 1),
        (b"url,text\na,x,\nb,y,,\n", [{"url": "a", "text": "x"}, {"url": "b", "text": "y"}], 0),
        (b"url,,text,\na,1,x,2\n", [{"url": "a", "text": "x"}], 2),
    ],
)
def test_a_column_without_a_name_is_left_out_and_counted(
    tmp_path: Path, data: bytes, expected: list[dict[str, str]], n_unnamed: int
) -> None:
    """pandas writes its index so, spreadsheets a comma at the end; an empty value too many is no fault."""
    rows, failed = read(tmp_path, data)
    assert (values(rows), failed) == (expected, [])
    source = CsvSource(path=str(tmp_path / "a.csv"))
    (reading,) = source.read(source.tasks()[0], guard=NullGuard(), batch_rows=9)
    assert reading.counts == ({"unnamed_columns": n_unnamed} if n_unnamed else {})


def test_a_column_without_a_name_can_be_renamed(tmp_path: Path) -> None:
    """Then it is kept."""
    assert values(read(tmp_path, b",a\n7,x\n", rename={"": "row"})[0]) == [{"row": "7", "a": "x"}]


def test_columns_name_the_values_of_a_file_without_a_header(tmp_path: Path) -> None:
    """The first row is a record; with `header: true`, the names replace those of the file."""
    data = b"https://a.example/0,x\nhttps://a.example/1,y\n"
    rows, failed = read(tmp_path, data, columns=["url", "text"])
    assert [row["url"] for row in values(rows)] == ["https://a.example/0", "https://a.example/1"]
    assert [row["_record"]["offset"] for row in rows] == [0, 22]
    assert not failed
    assert values(read(tmp_path, b"a,a\n1,2\n", columns=["b", "c"], header=True)[0]) == [{"b": "1", "c": "2"}]
    assert read(tmp_path, b"a,a\n1,2\n", columns=["b"], header=True)[1] == [("csv_header", 0)]
    assert read(tmp_path, b"1,2\n", columns=["b"])[1] == [("csv_width", 0)]


def message(tmp_path: Path, data: bytes, **options: Any) -> str:
    (tmp_path / "a.csv").write_bytes(data)
    source = CsvSource(path=str(tmp_path / "a.csv"), **options)
    (reading,) = source.read(source.tasks()[0], guard=NullGuard(), batch_rows=9)
    return str(reading.rejected["message"][0])


def test_a_message_names_the_option_to_use(tmp_path: Path) -> None:
    """A file without a header, another delimiter, quotes escaped by a backslash, no quoting."""
    assert "columns: [url, text]" in message(tmp_path, b"https://a.example/0,x\n")
    assert "set delimiter: ';'" in message(tmp_path, b"url;text\na;x\n")
    assert r"set escape: '\'" in message(tmp_path, b'url,text\na,"x \\"y\\" z"\n')
    assert "set quote: null" in message(tmp_path, b'url,text\na,"x" y\n')


def test_quotes_escaped_by_a_backslash_are_read(tmp_path: Path) -> None:
    """Spark and MySQL write them; a backslash before any other character stays."""
    data = rb'''url,text,n
a,"He said \"go, now\" and went",1
b,plain \d text,2
c,"C:\new\\ dir
second line \"",\N
d,"doubled ""quotes""",NULL
'''
    rows, failed = read(tmp_path, data, escape="\\", null_values=[r"\N", "NULL"])
    assert not failed
    assert [(row["text"], row["n"]) for row in rows] == [
        ('He said "go, now" and went', "1"),
        (r"plain \d text", "2"),
        ('C:\\new\\ dir\nsecond line "', None),
        ('doubled "quotes"', None),
    ]
    assert [row["_record"]["offset"] for row in rows] == [11, 46, 64, 99]


def test_unbalanced_escaped_quotes_fail_one_line(tmp_path: Path) -> None:
    """Reading resumes at the next line."""
    rows, failed = read(tmp_path, b'a,b\n"x\\",1\n2,3\n"y" z,4\n5,6\n', escape="\\")
    assert values(rows) == [{"a": "2", "b": "3"}, {"a": "5", "b": "6"}]
    assert failed == [("csv_quotes", 4), ("csv_quotes", 15)]


def test_a_table_without_quoting_keeps_its_quotes(tmp_path: Path) -> None:
    """In TSV a quote has no meaning; MySQL writes line ends and tabs behind a backslash."""
    data = b'url\ttext\na\t"x" y\nb\t"z\n'
    assert [row["text"] for row in read(tmp_path, data, name="a.tsv", quote=None)[0]] == ['"x" y', '"z']
    data = b"url\ttext\na\tone\\\ntwo\\\tthree \\\\ x\nb\t\\N\n"
    rows, failed = read(tmp_path, data, name="b.tsv", quote=None, escape="\\", null_values=["\\N"])
    assert not failed
    assert [row["text"] for row in rows] == ["one\ntwo\tthree \\ x", None]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_read_by_its_mark_or_by_option(tmp_path: Path, encoding: str) -> None:
    """PowerShell and Excel write it; offsets are those of the text in UTF-8."""
    data = "url,text\r\na,é 🌊\r\n".encode(encoding)
    rows, failed = read(tmp_path, "\ufeff".encode(encoding) + data)
    assert (values(rows), failed) == ([{"url": "a", "text": "é 🌊"}], [])
    assert rows[0]["_record"]["offset"] == 10
    assert values(read(tmp_path, data, encoding=encoding)[0]) == [{"url": "a", "text": "é 🌊"}]


def test_null_values_are_null(tmp_path: Path) -> None:
    """In addition to empty values."""
    rows, _ = read(tmp_path, b"a,b\nNA,x\nNULL,\n", null_values=["NA", "NULL"])
    assert values(rows) == [{"a": None, "b": "x"}, {"a": None, "b": None}]


@given(
    table=st.lists(
        st.lists(st.text(st.sampled_from('ab",\n\\ é'), max_size=5), min_size=2, max_size=4), max_size=8
    )
)
def test_tables_with_an_escape_are_read_back(table: list[list[str]]) -> None:
    """Any cells, written as MySQL does: all in quotes, each quote and backslash behind a backslash."""
    lines = []
    for row in table:
        cells = [cell.replace("\\", "\\\\").replace('"', '\\"') for cell in row]
        lines.append(",".join(f'"{cell}"' for cell in cells) + "\n")
    pieces = split_lines(["".join(lines).encode()], max_bytes=1 << 20)
    dialect = Dialect(delimiter=",", escape="\\")
    found = list(read_rows(pieces, dialect=dialect, encoding="utf-8", max_bytes=1 << 20))
    assert [row.values for row in found if isinstance(row, Row)] == table


@pytest.mark.parametrize(
    ("first", "options"), [(b"#TYPE System.Object\r\n", {}), (b"sep=;\r\n", {"delimiter": ";"})]
)
def test_a_line_before_the_header_is_not_a_row(tmp_path: Path, first: bytes, options: Any) -> None:
    """PowerShell writes the type of its objects, spreadsheets the delimiter; offsets count these lines."""
    table = b"a,b\n1,2\n".replace(b",", options.get("delimiter", ",").encode())
    rows, failed = read(tmp_path, first + table, **options)
    assert (values(rows), failed) == ([{"a": "1", "b": "2"}], [])
    assert rows[0]["_record"]["offset"] == len(first) + 4


@pytest.mark.parametrize(
    "row",
    [
        "https://a.example/1,b",
        "a,2024-05-01",
        "7,2024-05-01 10:00:00",
        "0.25,b",
        "x,This is a text of eight words or more.",
    ],
)
def test_a_first_row_of_values_is_not_a_header(tmp_path: Path, row: str) -> None:
    """Its record would be in no ledger."""
    rows, failed = read(tmp_path, f"{row}\n{row}\n".encode())
    assert (rows, failed) == ([], [("csv_header", 0)])


@pytest.mark.parametrize("header", ["2021,2022", "a b c,d", "date,1", "v1.2,b", "What is your name?,b"])
def test_a_header_may_have_numbers_and_words(tmp_path: Path, header: str) -> None:
    """Years and questions are names of columns."""
    rows, failed = read(tmp_path, f"{header}\n1,2\n".encode())
    assert (len(rows), failed) == (1, [])


@pytest.mark.parametrize(
    ("data", "advice"),
    [
        (b'"a","b"\n"r","1","2"\n', "set columns: [row, a, b] and header: true"),
        (b"a,b\n1,\xe9\n", "set encoding to that of the file"),
        ("a,b\r\n1,2\r\n".encode("utf-16-le"), "set encoding: utf-16-le"),
        (b"a,b\r1,2\r", "convert them to line feeds"),
        (b'a,b\n1,"x \\"y\\", z"\n', "set escape: '\\'"),
        (b"a,a\n1,2\n", "columns: [...] and header: true"),
    ],
)
def test_the_message_names_the_option_that_helps(tmp_path: Path, data: bytes, advice: str) -> None:
    """A newcomer reads the message, not the page on CSV."""
    (tmp_path / "a.csv").write_bytes(data)
    source = CsvSource(path=str(tmp_path / "a.csv"))
    (task,) = source.tasks()
    (reading,) = source.read(task, guard=NullGuard(), batch_rows=9)
    assert [advice in row["message"] for row in reading.rejected.to_pylist()] == [True]


def test_columns_may_name_the_rows_that_have_no_name_in_the_header(tmp_path: Path) -> None:
    """R writes a header with one value less than each row."""
    rows, failed = read(tmp_path, b'"a","b"\n"r","1","2"\n', columns=["row", "a", "b"], header=True)
    assert (values(rows), failed) == ([{"row": "r", "a": "1", "b": "2"}], [])
