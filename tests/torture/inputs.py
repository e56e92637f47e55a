"""What is fuzzed: each source, each grammar of a file, each kernel; with inputs to mutate."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import archives
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from kernel_calls import packed, sets_of, sketches_of, tidied
from planted import sentence
from stage_runs import RESOURCES, batches_of, resolved

from builder.errors import BuilderError
from torture.scenes import pages

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "corpus-1"


@dataclass(frozen=True)
class Fuzzed:
    """A function that takes the bytes of a mutant, and a folder for files.

    Attributes:
        modules: modules of builder that it tests.
        seeds: returns the inputs to mutate.
        call: raises AssertionError if a record is lost, BuilderError if the input is refused in a sentence,
            and nothing else.
        tries_at_once: mutants for each process.
    """

    modules: tuple[str, ...]
    seeds: Callable[[], Sequence[bytes]]
    call: Callable[[bytes, Path], object]
    tries_at_once: int = 250


# -- sources ---------------------------------------------------------------------------------------


def _lines() -> bytes:
    rows: list[Any] = [
        *pages(0, 6),
        {"text": sentence(1) * 9, "headers": {"a": 1}},
        [1, 2.5, "x"],
        "é\U0001f600",
    ]
    return b"".join(json.dumps(one).encode() + b"\n" for one in rows)


def _html() -> bytes:
    head = b'<!doctype html><meta charset="windows-1252"><link rel=canonical href="https://a.example/x">'
    return head + b"<title>T</title><body><p>" + sentence(3).encode() * 5 + b"<!-- x --><script>1<2</script>"


def _csv() -> bytes:
    return b'url,text\r\nhttps://a.example/1,"one, ""two""\nthree"\r\nx,y\r\n' + b"a,b\n" * 5


def _warcs() -> list[bytes]:
    bodies = [archives.http_response(_html()), archives.http_response(b"x" * 90, status="404 Not Found")]
    made = [archives.make_records(bodies, form=form) for form in ("warc", "arc")]
    return [archives.pack(one, packing=packing) for one in made for packing in ("plain", "gzip")]


def _parquets() -> list[bytes]:
    table = pa.Table.from_pylist([{**one, "n": 7, "tags": ["a"]} for one in pages(0, 8)])
    found = []
    for options in ({}, {"compression": "zstd", "use_dictionary": False}, {"row_group_size": 3}):
        out = io.BytesIO()
        pq.write_table(table, out, **options)
        found.append(out.getvalue())
    return found


def _arrows() -> list[bytes]:
    out = io.BytesIO()
    table = pa.Table.from_pylist(pages(0, 8))
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return [out.getvalue()]


def _read(kind: str, name: str) -> Callable[[bytes, Path], None]:
    """Return a function that reads a file with a source, and checks that each record is counted."""

    def call(data: bytes, folder: Path) -> None:
        from builder.engines.guard import NullGuard
        from builder.registry import source_class

        path = folder / name
        path.write_bytes(data)
        source: Any = source_class(kind)(path=str(path.parent if kind == "dataset" else path))
        for task in source.tasks():
            for reading in source.read(task, guard=NullGuard(), batch_rows=5):
                assert reading.n_records == reading.batch.num_rows + reading.rejected.num_rows
                reading.batch.validate(full=True)

    return call


def _read_dataset(data: bytes, folder: Path) -> None:
    """Read a folder as `Dataset.save_to_disk` writes it, with a mutated Arrow file."""
    (folder / "state.json").write_text('{"_data_files": [{"filename": "data.arrow"}], "_split": null}')
    (folder / "dataset_info.json").write_text("{}")
    _read("dataset", "data.arrow")(data, folder)


def _text_seeds() -> list[bytes]:
    return [
        sentence(1).encode() * 3,
        "naïve 日本語 \u202e".encode("utf-16"),
        "тест".encode("koi8-r") * 20,
        _html(),
    ]


SOURCES: dict[str, Fuzzed] = {
    "jsonl": Fuzzed(("io.jsonl",), lambda: [_lines()], _read("jsonl", "a.jsonl")),
    "json": Fuzzed(
        ("io.json",), lambda: [json.dumps(pages(0, 5)).encode(), b'{"a": 1}'], _read("json", "a.json")
    ),
    "warc": Fuzzed(("io.warc",), _warcs, _read("warc", "a.warc")),
    "html": Fuzzed(("io.html",), lambda: [_html(), *_text_seeds()], _read("html", "a.html")),
    "text": Fuzzed(("io.text",), _text_seeds, _read("text", "a.txt")),
    "parquet": Fuzzed(("io.parquet",), _parquets, _read("parquet", "a.parquet"), tries_at_once=100),
    "csv": Fuzzed(("io.csv",), lambda: [_csv()], _read("csv", "a.csv")),
    "dataset": Fuzzed(("io.dataset",), _arrows, _read_dataset, tries_at_once=40),
}
"""By the name of the source in recipes."""


# -- codecs and grammars ---------------------------------------------------------------------------


def _packed_lines(packing: str) -> Callable[[], list[bytes]]:
    return lambda: [archives.compress(_lines(), packing), archives.compress(b"", packing)]


def _codec(packing: str, suffix: str) -> Fuzzed:
    return Fuzzed(
        ("io.streams.streams", "io.jsonl"), _packed_lines(packing), _read("jsonl", f"a.jsonl{suffix}")
    )


def _corpus_files(*patterns: str) -> Callable[[], list[bytes]]:
    return lambda: [
        path.read_bytes() for one in patterns for path in sorted(GOLDEN.glob(one)) if path.is_file()
    ]


def _decode(data: bytes, folder: Path) -> None:
    from builder.io.charset.decode import decode

    for is_html in (False, True):
        decode(data, is_html=is_html).text.encode()


def _url(data: bytes, folder: Path) -> None:
    from builder.domain.url import canonical_url, domain

    text = data.decode(errors="replace")
    canonical = canonical_url(text)
    domain(text)
    assert canonical is None or canonical_url(canonical) == canonical


def _json(data: bytes, folder: Path) -> None:
    from builder.domain.json.text import parse, parse_slowly

    fast, slow = parse(data), parse_slowly(data)
    assert type(fast) is type(slow)


def _recipe(name: str) -> Callable[[bytes, Path], None]:
    def call(data: bytes, folder: Path) -> None:
        from builder.recipe import Recipe

        (folder / name).write_bytes(data)
        Recipe.load(folder / name)

    return call


def _contract(data: bytes, folder: Path) -> None:
    from builder.io.contracts import load_contract

    (folder / "mine.schema.json").write_bytes(data)
    load_contract("mine.schema.json", folder=folder)


def _resealed(data: bytes) -> bytes:
    """Give a mutated seal the digest that it should hold, so that its content is read."""
    from builder.corpus.seals import seal_document

    try:
        document = json.loads(data)
        document.pop("seal", None)
        return seal_document(document)
    except (ValueError, AttributeError, TypeError, RecursionError, BuilderError):
        return data


def _seal(data: bytes, folder: Path) -> None:
    from builder.corpus.seals import RootSeal, VersionSeal

    for one in (data, _resealed(data)):
        for kind in (RootSeal, VersionSeal):
            _refusable(lambda kind=kind, one=one: kind.parse(one, where="seal"))


def _manifest(data: bytes, folder: Path) -> None:
    from builder.corpus.purged import Purged
    from builder.domain.manifest import Manifest

    _refusable(lambda: Manifest.parse(data).columns)
    _refusable(lambda: Purged.parse(data, where="purged.json"))


def _journal(data: bytes, folder: Path) -> None:
    from builder.corpus.journal import read_journal

    staged = folder / ".spool/.commit-1.0.0"
    staged.mkdir(parents=True, exist_ok=True)
    (staged / "commit.json").write_bytes(data)
    read_journal(folder, staged)


def _index(data: bytes, folder: Path) -> None:
    from builder.history.index import Segment

    (folder / "index.json").write_bytes(data)
    Segment.read(folder)


def _tombstones(data: bytes, folder: Path) -> None:
    from builder.pipeline.tombstones import Tombstones

    Tombstones.parse(data)


def _refusable(action: Callable[[], object]) -> None:
    with suppress(BuilderError):
        action()


def _journals() -> list[bytes]:
    steps = [
        ["move", ".spool/.commit-1.0.0/version", "1.0.0"],
        ["remove", ".spool/abc"],
        ["point", "latest", "1.0.0"],
    ]
    return [json.dumps(steps).encode(), json.dumps(steps[:1]).encode()]


def _recipes() -> list[bytes]:
    text = "name: a\nsources:\n  - jsonl: {path: feed/*.jsonl}\n"
    text += "stages:\n  - validate: {}\n  - dedup_near: {threshold: 0.8}\n"
    return [text.encode(), text.encode() + b"splits: {train: 0.9, test: 0.1}\ncorpus: out\nlicense: mit\n"]


def _contracts() -> list[bytes]:
    folder = GOLDEN.parents[2] / "schemas"
    return [(folder / f"{name}.schema.json").read_bytes() for name in ("page-1", "document-1")]


def _urls() -> list[bytes]:
    return [
        b"https://user:pass@www.Example.ORG:8443/a/../b/%7Ex;p?utm_source=x&b=2&a=1#frag",
        "http://bücher.example/ä?q=ü".encode(),
        b"https://[2001:db8::1]/",
    ]


def _site_file(kind: str) -> Callable[[bytes, Path], None]:
    def call(data: bytes, folder: Path) -> None:
        from builder.domain.reservations.site_signals import parse_site_file, site_signals
        from builder.domain.reservations.tokens import Tokens

        file = parse_site_file(kind, status=200, body=data)
        for signal in site_signals(file, "/a/b.html?c=1", Tokens.of(["train-ai", "search", "ai-input"])):
            assert len(signal.text) <= 500

    return call


def _own_signals(data: bytes, folder: Path) -> None:
    """Give a mutant to each header and each tag that states something about the use of a page."""
    from builder.engines.guard import NullGuard
    from builder.stages.license import License
    from builder.stages.opt_out import OptOut

    text = data.decode("utf-8", "replace")
    names = ("X-Robots-Tag", "Content-Usage", "Content-Signal", "TDM-Reservation", "Link")
    tags = ("<meta name=robots content='{}'>", "<script type=application/ld+json>{}</script>")
    html = [text, *(one.format(text) for one in tags), f"<script type=application/rsl+xml>{text}</script>"]
    batch = pa.record_batch(
        {
            "url": ["https://a.example/x"] * len(html),
            "html": html,
            "headers": [json.dumps(dict.fromkeys(names, text))] * len(html),
        }
    )
    OptOut().sketch(batch, resources=RESOURCES)
    rows = _with_records(batch)
    kept = License(allow=["cc-by"]).apply(rows, resources=RESOURCES, guard=NullGuard())
    assert kept.kept.num_rows + kept.rejected.num_rows == len(html)


def _blocked(data: bytes, folder: Path) -> None:
    from builder.stages.blocking.list_files import RULE_KINDS
    from builder.stages.blocking.list_lines import read_list

    for kind in RULE_KINDS:
        list(read_list(data.decode("utf-8", "surrogateescape").splitlines(), rules=kind))


def _robots() -> list[bytes]:
    return [
        b"\xef\xbb\xbfUser-agent: *\nDisallow: /a/*.html$\nAllow: /a\nContent-Usage: /a train-ai=n;x=1\n",
        b"Content-Signal: search=yes,ai-train=no\r\nLicense: https://a.example/l.xml\rUser-agent: GPTBot # x",
    ]


def _tdm_rules() -> list[bytes]:
    return [b'[{"location": "/a*", "tdm-reservation": 1, "tdm-policy": "https://a.example/p"}]']


def _statements() -> list[bytes]:
    rsl = b'<rsl><content url="/"><license><prohibits type="usage">all</prohibits></license></content></rsl>'
    node = b'{"@type": "Article", "license": {"@id": "https://creativecommons.org/licenses/by/4.0/"}}'
    header = b'noai, bot: noindex; train-ai=n, "a"=?1, <https://a.example/l>; rel="license"'
    return [rsl, node, header, b"train-ai=n;exceptions=cc-cr", b"unavailable_after: 1 Jun 2030, noai"]


def _lists() -> list[bytes]:
    return [
        "0.0.0.0 a.example b.example # x\n||c.example^\n*.bücher.example\nd.example/x?y\nfree w\n".encode()
    ]


GRAMMARS: dict[str, Fuzzed] = {
    "robots.txt": Fuzzed(("domain.reservations.robots",), _robots, _site_file("robots.txt")),
    "tdmrep.json": Fuzzed(("domain.reservations.tdm",), _tdm_rules, _site_file("tdmrep.json")),
    "ai.txt": Fuzzed(("domain.reservations.ai_txt",), _robots, _site_file("ai.txt")),
    "statements of pages": Fuzzed(
        ("domain.reservations.page_signals", "stages.license"), _statements, _own_signals
    ),
    "lists of URLs": Fuzzed(("stages.blocking.list_lines",), _lists, _blocked),
    "gzip": _codec("gzip", ".gz"),
    "zstd": _codec("zstd", ".zst"),
    "bz2": _codec("bz2", ".bz2"),
    "lz4": _codec("lz4", ".lz4"),
    "charsets": Fuzzed(("io.charset.decode",), _text_seeds, _decode),
    "JSON": Fuzzed(("domain.json.text",), lambda: [*_lines().splitlines(), b"[1e400, -0.0, 1]"], _json),
    "URL": Fuzzed(("domain.url",), _urls, _url),
    "recipe": Fuzzed(("recipe.text", "recipe.recipe"), _recipes, _recipe("recipe.yaml")),
    "recipe in TOML": Fuzzed(
        ("recipe.text", "recipe.recipe"), lambda: [b'name = "a"\ncorpus = "b"\n'], _recipe("a.toml")
    ),
    "contract": Fuzzed(("io.contracts",), _contracts, _contract),
    "seal": Fuzzed(("corpus.seals",), _corpus_files(".seals/*.json"), _seal),
    "manifest": Fuzzed(
        ("domain.manifest", "corpus.purged"), _corpus_files("*/manifest.json", "*/purged.json"), _manifest
    ),
    "journal": Fuzzed(("corpus.journal",), _journals, _journal),
    "index": Fuzzed(("history.index",), _corpus_files(".index/*/index.json"), _index),
    "tombstones": Fuzzed(("pipeline.tombstones",), _corpus_files("tombstones.jsonl"), _tombstones),
}
"""Files and texts that are read with a grammar of their own."""


# -- kernels ---------------------------------------------------------------------------------------


def _texts(data: bytes) -> list[str]:
    """Cut the bytes of a mutant into texts; some are empty."""
    return [one.decode(errors="replace") for one in data.split(b"\n")][:40]


def _near(data: bytes, folder: Path) -> None:
    from builder.stages.dedup_near import DedupNear

    texts = _texts(data)
    resolved(DedupNear(threshold=0.5, shingle_words=3), batches_of([*texts, *texts[::2]], batch_rows=7))


def _sketches(data: bytes, folder: Path) -> None:
    texts = _texts(data)
    sketches_of(
        texts, width=1 + len(data) % 7, bands=1 + len(data) % 20, rows=1 + len(data) % 9, skip=len(data) % 5
    )
    sets_of(texts, width=1 + len(data) % 7)


def _known_sets(data: bytes, folder: Path) -> None:
    from builder.kernels.dedup.near_sets import KnownSets

    words = np.frombuffer(data[: len(data) // 4 * 4], np.uint32)
    half = len(words) // 2
    known = [np.unique(one) for one in np.array_split(words[:half] % 50, 3) if len(one)]
    if known:
        starts = np.unique(np.clip(np.arange(0, half + 5, 3), 0, len(words) - half))
        starts = np.append(starts[starts < len(words) - half], len(words) - half)
        KnownSets.of(known, threshold=0.3).near((words[half:] % 50).astype(np.uint32), starts)


def _keyed(data: bytes, folder: Path) -> None:
    from builder.kernels.dedup.keyed import keyed_words

    keyed_words(np.frombuffer(data[: len(data) // 8 * 8], np.uint64), (data + bytes(16))[:16])


def _tidy(data: bytes, folder: Path) -> None:
    texts = _texts(data)
    tidied(texts, wanted=[bool((len(one) + len(data)) % 2) for one in texts], skip=len(data) % 3)


def _repair(data: bytes, folder: Path) -> None:
    from builder.engines.guard import NullGuard
    from builder.stages.repair_text import RepairText

    (batch,) = batches_of(_texts(data), batch_rows=100)
    schema = RepairText().bind(batch.schema, RESOURCES)
    assert schema
    RepairText().apply(_with_records(batch), resources=RESOURCES, guard=NullGuard())


def _language(data: bytes, folder: Path) -> None:
    from builder.engines.guard import NullGuard
    from builder.stages.language import Language

    (batch,) = batches_of(_texts(data), batch_rows=100)
    Language(by="paragraph" if len(data) % 2 else "document", min_letters=len(data) % 30).apply(
        _with_records(batch), resources=RESOURCES, guard=NullGuard()
    )


def _with_records(batch: pa.RecordBatch) -> pa.RecordBatch:
    from builder.domain.record import RECORD, record_column

    numbers = np.arange(batch.num_rows)
    column = record_column(source="a", path="b", ordinals=numbers, offsets=numbers)
    return batch.append_column(RECORD, column)


def _measure(data: bytes, folder: Path) -> None:
    from builder.kernels.html.scan import measure

    whole, offsets = packed(data.split(b"\n")[:20], skip=len(data) % 4)
    depth, attributes = np.empty((2, len(offsets) - 1), np.int64)
    measure(whole, offsets, depth, attributes)


def _lift(data: bytes, folder: Path) -> None:
    from builder.stages.validation.lifting import lift_lines

    lift_lines(pa.array(data.split(b"\n")[:50], pa.large_binary()), ("text", "html"))


def _json_values(data: bytes, folder: Path) -> None:
    from builder.io.reading.json_values import split_values

    chunks = [data[at : at + 99] for at in range(0, len(data), 99)]
    for pointer in (None, "/data/*"):
        list(split_values(chunks, pointer=pointer, max_bytes=1 << 20))


def _main_text(data: bytes, folder: Path) -> None:
    from builder.stages.extraction.builtin_text import BuiltinReader
    from builder.stages.extraction.main_text import Extractor

    BuiltinReader(Extractor()).read(data)


def _notable(data: bytes, folder: Path) -> None:
    from builder.stages.reserving.page_tags import tags_of_pages

    list(tags_of_pages(pa.array([data.decode("utf-8", "replace")])))


def _signals(data: bytes, folder: Path) -> None:
    from builder.stages.quality.dialects import DIALECTS
    from builder.stages.quality.measuring import measure_signals
    from builder.stages.quality.signals import SIGNALS

    texts = pa.array(_texts(data), pa.string())
    measure_signals(texts, list(SIGNALS))
    for dialect in DIALECTS.values():
        dialect.measure(texts)


def _clean_text(data: bytes, folder: Path) -> None:
    from builder.stages.cleaning.cleaner import cleaner

    text = data.decode("utf-8", "replace").encode()
    title = text[:40].decode("utf-8", "ignore").encode()
    cleaner().clean(np.frombuffer(text or b" ", np.uint8), np.array([[0, len(text)]]), [title])


def _encode(data: bytes, folder: Path) -> None:
    from builder.io.parquet_sink.rows import encode_rows

    texts, chance = _texts(data), random.Random(len(data))
    nested = [None if chance.random() < 0.2 else {"a": one[:9], "b": [len(one), None]} for one in texts]
    batch = pa.RecordBatch.from_pydict(
        {"text": texts, "nested": nested, "n": [float(len(one)) for one in texts]}
    )
    encode_rows(batch.slice(len(data) % 3))


@cache
def _kernel_seeds() -> list[bytes]:
    words = "\n".join(sentence(i) for i in range(12)).encode()
    return [
        words,
        words * 2,
        "\n".join(["日本語 テキスト " * 9, "", "a", "É" * 99]).encode(),
        _html() * 3,
        _lines(),
    ]


def _kernel(module: str, call: Callable[[bytes, Path], object]) -> Fuzzed:
    return Fuzzed((f"kernels.{module}",), _kernel_seeds, call)


KERNELS: dict[str, Fuzzed] = {
    "bits": _kernel("bits", _measure),
    "dedup.assign": _kernel("dedup.assign", _near),
    "dedup.components": _kernel("dedup.components", _near),
    "dedup.jaccard": _kernel("dedup.jaccard", _near),
    "dedup.keyed": _kernel("dedup.keyed", _keyed),
    "dedup.near_sets": _kernel("dedup.near_sets", _known_sets),
    "dedup.shingles": _kernel("dedup.shingles", _sketches),
    "dedup.sketch": _kernel("dedup.sketch", _sketches),
    "html.attributes": _kernel("html.attributes", _main_text),
    "html.characters": _kernel("html.characters", _main_text),
    "html.choice": _kernel("html.choice", _main_text),
    "html.elements": _kernel("html.elements", _main_text),
    "html.entities": _kernel("html.entities", _main_text),
    "html.features": _kernel("html.features", _main_text),
    "html.letters": _kernel("html.letters", _main_text),
    "html.muting": _kernel("html.muting", _main_text),
    "html.notable": _kernel("html.notable", _notable),
    "html.numbers": _kernel("html.numbers", _main_text),
    "html.parse": _kernel("html.parse", _main_text),
    "html.raw_text": _kernel("html.raw_text", _main_text),
    "html.statistics": _kernel("html.statistics", _main_text),
    "html.surroundings": _kernel("html.surroundings", _main_text),
    "html.trees": _kernel("html.trees", _main_text),
    "html.vocabulary": _kernel("html.vocabulary", _main_text),
    "html.scan": _kernel("html.scan", _measure),
    "language.letters": _kernel("language.letters", _language),
    "language.pieces": _kernel("language.pieces", _language),
    "language.scores": _kernel("language.scores", _language),
    "language.subwords": _kernel("language.subwords", _language),
    "quality.copies": _kernel("quality.copies", _signals),
    "quality.lines": _kernel("quality.lines", _signals),
    "quality.measure": _kernel("quality.measure", _signals),
    "quality.phrases": _kernel("quality.phrases", _signals),
    "quality.words": _kernel("quality.words", _signals),
    "plain.classes": _kernel("plain.classes", _clean_text),
    "plain.cutting": _kernel("plain.cutting", _clean_text),
    "plain.features": _kernel("plain.features", _clean_text),
    "plain.leaves": _kernel("plain.leaves", _clean_text),
    "plain.removal": _kernel("plain.removal", _clean_text),
    "plain.runs": _kernel("plain.runs", _clean_text),
    "plain.shapes": _kernel("plain.shapes", _clean_text),
    "plain.statistics": _kernel("plain.statistics", _clean_text),
    "plain.texts": _kernel("plain.texts", _clean_text),
    "rows.encoding": _kernel("rows.encoding", _encode),
    "text.json_values": _kernel("text.json_values", _json_values),
    "text.json_escapes": _kernel("text.json_escapes", _lift),
    "text.json_strings": _kernel("text.json_strings", _lift),
    "text.screen": _kernel("text.screen", _repair),
    "text.tidy": _kernel("text.tidy", _tidy),
    "text.words": _kernel("text.words", _sketches),
}
"""By the module below `builder.kernels` that compiles functions."""
