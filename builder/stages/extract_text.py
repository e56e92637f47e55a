"""``extract_text``: extract the main text from the HTML of each page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.record import RECORD
from builder.domain.rejection import Rejection, rejection_batch
from builder.errors import Fault, RecipeError
from builder.protocols import Outcome
from builder.registry import option
from builder.stages.binding.required_columns import contract_column_faults
from builder.stages.extraction.model import MODEL_PATH
from builder.stages.extraction.page_facts import page_facts
from builder.stages.extraction.page_text import PageText, import_extractor, read_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from builder.protocols import Guard, Resources

METHODS = ("builtin", "resiliparse", "trafilatura")
FAVORS = ("balance", "precision", "recall")
TEXT_FORMATS = ("text", "markdown")
TITLES = ("keep", "drop")
COMMENT_CHOICES: tuple[Any, ...] = ("drop", "keep", "column", True, False, None)
FACTS = ("title", "author", "date", "language", "canonical_url", "license_url", "robots")
EXTRACTED = "_extracted"
"""Internal column: whether the text of a row came from its HTML."""

COMMENTS = "comments"
"""The column of comments with ``comments: column``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractText:
    """Extract the main text from the HTML of each page.

    ``builtin`` reads a page in one pass over its bytes, and a model of this package chooses the blocks of
    the main text. ``resiliparse`` and ``trafilatura`` are libraries: slower, and less accurate on most kinds
    of pages. If the extractor finds no main text, the stage uses the whole text of the page and counts it as
    ``whole_text``. A record with text continues unchanged (``passed_on``) if it has no HTML, or HTML without
    text; with ``keep_text``, every record with text keeps it. The stage fills in title, author, date and
    language if the contract has these columns, the record has no value and the page has one. ``builtin``
    also fills in ``canonical_url``, ``license_url`` and ``robots``.

    Comments are the threads under an article. The posts of a forum are its main text. ``comments: column``
    writes the comments to a column ``comments``.

    Parsers take quadratic time on pages with deep nesting or with very many attributes in one tag. Such pages
    fail before the parser runs. ``timeout_s`` stops the extractor on pages that pass these limits.
    """

    name: ClassVar[str] = "extract_text"
    untrusted: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("html",)
    rules: ClassVar[int] = 1  # a new default is another option, and a new model is another file
    edits_text: ClassVar[bool] = True
    reasons: ClassVar[Mapping[str, str]] = {
        "no_text": "The page has no text: its HTML contains none, and the record has no text of its own.",
        "html_too_big": "The HTML has more bytes than `max_html_bytes`.",
        "html_too_deep": "The HTML is nested deeper than `max_nesting`; parsers take quadratic time on it.",
        "html_too_many_attributes": "One tag has more attributes than `max_attributes`.",
        "extractor_error": "The extractor raised an error on this page; `message` is the error.",
        "timeout": "The extractor took longer than `timeout_s` on this page and was stopped.",
        "crash": "The extractor crashed its process on this page.",
        "memory": "The extractor took more memory than a worker may use.",
    }

    method: str = option("builtin", help="The extractor.", choices=METHODS)
    keep_text: bool = option(
        False, help="Keep a text that came with the record, such as Markdown, and extract only the facts."
    )
    comments: str | bool | None = option(
        None,
        help="`drop` the comments under an article, `keep` them in the text, or write them to a `column` of "
        "their own (builtin only). Default: `drop` for builtin, `keep` for the libraries. `true` is `keep`, "
        "`false` is `drop`.",
        choices=COMMENT_CHOICES,
    )
    links: bool = option(False, help="Write the URL of a link after its text.")
    format: str = option(
        "text",
        help="Write plain text, or headings, lists, quotes, code and tables as `markdown` (builtin only).",
        choices=TEXT_FORMATS,
    )
    title: str = option(
        "keep",
        help="Keep headings that repeat the title of the page, or drop them (builtin only).",
        choices=TITLES,
    )
    alt_texts: bool = option(False, help="Keep the alternative texts of images (resiliparse only).")
    list_bullets: bool = option(True, help="Start list items with a bullet or number (not trafilatura).")
    tables: bool = option(True, help="Keep tables (not resiliparse).")
    favor: str = option(
        "balance",
        help="Favour precision (drop doubtful text) or recall (keep doubtful text); not resiliparse.",
        choices=FAVORS,
    )
    max_html_bytes: int = option(16 << 20, help="Maximum bytes of HTML; larger pages fail.", minimum=1)
    max_nesting: int = option(1000, help="Maximum depth of nested elements; deeper pages fail.", minimum=1)
    max_attributes: int = option(
        5000, help="Maximum number of attributes in one tag; pages with more fail.", minimum=1
    )
    timeout_s: float = option(30.0, help="Maximum seconds per page; slower pages fail.", above=0)

    def __post_init__(self) -> None:
        """Give `comments` one value for each meaning; versions that only knew booleans stay comparable."""
        kept = self.comments
        if kept is None:
            kept = self.method != "builtin"
        if self.method == "builtin" and isinstance(kept, bool):
            kept = "keep" if kept else "drop"
        elif self.method != "builtin" and kept in ("keep", "drop"):
            kept = kept == "keep"
        object.__setattr__(self, "comments", kept)

    @property
    def libraries(self) -> tuple[str, ...]:
        """The libraries that decide on the text; resiliparse also reads pages without main text."""
        return () if self.method == "builtin" else tuple(sorted({"resiliparse", self.method}))

    def files(self, folder: Path) -> dict[str, Path]:  # noqa: ARG002 - the model is part of the package
        """Return the model that decides on the text."""
        return {MODEL_PATH.name: MODEL_PATH} if self.method == "builtin" else {}

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Check the columns for HTML and text, and the extractor's library; add the column of comments.

        Raises:
            RecipeError: if a column is missing, the method does not know an option, or the extractor cannot
                be imported.
        """
        faults = contract_column_faults(self.name, schema, resources, "html", "text")
        faults += self._option_faults()
        try:
            import_extractor(self.method)
        except ImportError as error:  # otherwise every page would fail with it
            what = f"{self.method} cannot be imported: {' '.join(str(error).split())}"
            faults.append(Fault(where=self.name, what=what, advice="install builder again"))
        if faults:
            raise RecipeError(*faults)
        if EXTRACTED not in schema.names:
            schema = schema.append(_EXTRACTED_FIELD)
        if self.comments == "column" and COMMENTS not in schema.names:
            return schema.append(pa.field(COMMENTS, pa.string()))
        return schema

    @property
    def column_notes(self) -> dict[str, str]:
        """The descriptions of the columns that the stage writes."""
        return {COMMENTS: "The comments of readers on the page."}

    def _option_faults(self) -> list[Fault]:
        """Return the options that the method does not know."""
        if self.method == "builtin":
            return []
        wrong = {"comments": "column", "format": "markdown", "title": "drop"}
        return [
            Fault(
                where=self.name,
                what=f"{self.method} does not know `{name}: {value}`",
                advice="use method: builtin, or remove the option",
            )
            for name, value in wrong.items()
            if getattr(self, name) == value
        ]

    def _reader(self) -> Callable[[bytes], PageText]:
        """Return the function that reads a page with these options."""
        if self.method == "builtin":
            from builder.stages.extraction.builtin_text import BuiltinReader, compile_kernels
            from builder.stages.extraction.main_text import Extractor

            compile_kernels()
            extractor = Extractor(
                favor=self.favor,
                comments=str(self.comments),
                tables=self.tables,
                links=self.links,
                markdown=self.format == "markdown",
                bullets=self.list_bullets,
                title=self.title == "keep",
            )
            return BuiltinReader(extractor).read
        return partial(
            read_page,
            method=self.method,
            comments=self.comments is True,
            links=self.links,
            alt_texts=self.alt_texts,
            list_bullets=self.list_bullets,
            tables=self.tables,
            favor=self.favor,
        )

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:
        """Extract the text of each page; a page that fails becomes a failed row."""
        columns = resources.columns
        came_with_text = _has_text(batch.column(columns.text))
        pages: list[PageText | None] = [None] * batch.num_rows
        faults: dict[int, dict[str, Any]] = {}
        counts = {"extracted": 0, "whole_text": 0, "passed_on": 0}
        read = self._reader()
        for row, html, fault in self._measured(batch.column(columns.html)):
            keeps_text = self.keep_text and came_with_text[row]
            reader = _read_facts if keeps_text else read
            if html is not None and not fault:
                pages[row], fault = self._read(html, batch[RECORD][row], read=reader, guard=guard)
            elif keeps_text:
                fault = None
            page = pages[row]
            if fault is not None:
                faults[row] = fault
            elif page is not None and page.text:
                counts["whole_text" if page.is_whole else "extracted"] += 1
            elif came_with_text[row]:
                counts["passed_on"] += 1
            else:
                faults[row] = {"reason": "no_text"}
        return _outcome(
            batch, pages, faults, counts, resources=resources, has_comments=self.comments == "column"
        )

    def _measured(self, column: pa.Array) -> Iterator[tuple[int, bytes | None, dict[str, Any] | None]]:
        """Yield each row number with its HTML, or with None and the fault of a page over a limit."""
        from builder.kernels.html.scan import measure

        column = column.cast(pa.large_string())
        _, offset_buffer, data = column.buffers()
        offsets = np.frombuffer(offset_buffer, np.int64)[column.offset : column.offset + len(column) + 1]
        view = np.frombuffer(data, np.uint8) if data is not None and data.size else _NO_BYTES
        depth, widest = np.zeros(len(column), np.int64), np.zeros(len(column), np.int64)
        measure(view, offsets, depth, widest)
        is_given = column.is_valid().to_numpy(zero_copy_only=False)
        for row in range(len(column)):
            start, stop = int(offsets[row]), int(offsets[row + 1])
            if not is_given[row] or start == stop:
                yield row, None, None
                continue
            fault = self._limit(stop - start, int(depth[row]), int(widest[row]))
            yield row, None if fault else view[start:stop].tobytes(), fault

    def _limit(self, n_bytes: int, depth: int, n_attributes: int) -> dict[str, Any] | None:
        for reason, value, limit in (
            ("html_too_big", n_bytes, self.max_html_bytes),
            ("html_too_deep", depth, self.max_nesting),
            ("html_too_many_attributes", n_attributes, self.max_attributes),
        ):
            if value > limit:
                return _failed(reason, value=str(value), limit=str(limit))
        return None

    def _read(
        self, html: bytes, record: pa.StructScalar, *, read: Callable[[bytes], PageText], guard: Guard
    ) -> tuple[PageText | None, dict[str, Any] | None]:
        ordinal = record["ordinal"].as_py()
        refused = guard.enter(self.name, ordinal, limit_s=self.timeout_s)
        if refused is not None:
            limit = f"{self.timeout_s:g} s" if refused == "timeout" else None
            return None, _failed(refused, limit=limit)
        try:
            page = read(html)
        except Exception as error:  # noqa: BLE001 - any error becomes a failed row
            return None, _failed("extractor_error", message=f"{type(error).__name__}: {error}")
        finally:
            guard.leave()
        return page, None


_EXTRACTED_FIELD = pa.field(EXTRACTED, pa.bool_())

_NO_BYTES = np.frombuffer(bytes(1), np.uint8)[:0]


def _read_facts(html: bytes) -> PageText:
    """Return the facts of a page whose text came with the record."""
    return PageText(text="", is_whole=False, facts=page_facts(html))


def _has_text(column: pa.Array) -> list[bool]:
    answer: list[bool] = pc.not_equal(pc.utf8_ltrim_whitespace(column), "").fill_null(False).to_pylist()
    return answer


def _failed(
    reason: str, *, value: str | None = None, limit: str | None = None, message: str | None = None
) -> dict[str, Any]:
    return {"reason": reason, "outcome": "failed", "value": value, "limit": limit, "message": message}


def _outcome(
    batch: pa.RecordBatch,
    pages: list[PageText | None],
    faults: dict[int, dict[str, Any]],
    counts: dict[str, int],
    *,
    resources: Resources,
    has_comments: bool,
) -> Outcome:
    columns = resources.columns
    urls = batch.column(columns.url).to_pylist() if columns.url in batch.schema.names else None
    rejections = [
        Rejection(
            record=batch[RECORD][row].as_py(),
            stage=ExtractText.name,
            url=urls[row] if urls else None,
            **fault,
        )
        for row, fault in sorted(faults.items())
    ]
    texts = [page.text or None if page else None for page in pages]
    kept = _filled(batch, columns.text, texts, replace=True)
    for fact in FACTS:
        if fact in batch.schema.names and fact not in (columns.text, columns.html, columns.url):
            kept = _filled(kept, fact, [getattr(page.facts, fact) if page else None for page in pages])
    kept = _marked(kept, [text is not None for text in texts])
    if has_comments:
        kept = _with_comments(kept, [page.comments if page else None for page in pages])
    if faults:
        stays = np.ones(batch.num_rows, dtype=np.bool_)
        stays[list(faults)] = False
        kept = kept.filter(pa.array(stays))
    return Outcome(kept=kept, rejected=rejection_batch(rejections), counts=counts)


def _marked(batch: pa.RecordBatch, extracted: list[bool]) -> pa.RecordBatch:
    """Mark the rows whose text came from their HTML, now or at an earlier stage of this kind."""
    place = batch.schema.get_field_index(EXTRACTED)
    if place < 0:
        return batch.append_column(_EXTRACTED_FIELD, pa.array(extracted, pa.bool_()))
    marks = pc.or_(pc.fill_null(batch.column(place), False), pa.array(extracted, pa.bool_()))
    return batch.set_column(place, _EXTRACTED_FIELD, marks)


def _with_comments(batch: pa.RecordBatch, comments: list[str | None]) -> pa.RecordBatch:
    if COMMENTS in batch.schema.names:
        return _filled(batch, COMMENTS, comments)
    return batch.append_column(pa.field(COMMENTS, pa.string()), pa.array(comments, pa.string()))


def _filled(
    batch: pa.RecordBatch, name: str | None, values: list[Any], *, replace: bool = False
) -> pa.RecordBatch:
    """Write the values that are not None into a column; without ``replace``, only where it is null."""
    place = batch.schema.get_field_index(name)
    field = batch.schema.field(place)
    if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
        values = [value if value is None else str(value) for value in values]
    elif not (pa.types.is_date(field.type) and name == "date"):
        return batch
    found, given = pa.array(values, field.type), batch.column(place)
    merged = found.fill_null(given) if replace else given.fill_null(found)
    return batch.set_column(place, field, merged)
