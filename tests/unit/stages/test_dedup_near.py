"""``dedup_near``: required columns, decisions, and the handling of merged rows."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import unicodedata
from collections import defaultdict

import numpy as np
import pyarrow as pa
import pytest
import reference
from stage_runs import RESOURCES, batches_of, resolved, settled

from builder.errors import RecipeError
from builder.protocols import Columns, CorpusStage, Resources
from builder.stages.dedup_near import DedupNear

STORY = "the quick brown fox jumps over the lazy dog while the slow red hen looks on and says nothing at all "
SCHEMA = pa.schema([("text", pa.string()), ("fetched_at", pa.timestamp("us", "UTC"))])


def story(n, *, change=None):
    """Return a text of ``n`` numbered sentences; ``change`` is the number of a sentence that differs."""
    lines = [f"{STORY}{i}" for i in range(n)]
    if change is not None:
        lines[change] = "something else stands here"
    return "\n".join(lines)


def keepers(texts, *, alive=None, fetched_at=None, **options):
    """Return the keeper of each text."""
    _, verdicts = resolved(DedupNear(**options), batches_of(texts, fetched_at=fetched_at), alive=alive)
    return verdicts.keeper.tolist()


def test_it_is_a_corpus_stage():
    """The build checks the protocol at run time; only ``keep: first`` is stable when records are appended."""
    assert isinstance(DedupNear(), CorpusStage)
    assert [DedupNear(keep=keep).append_stable for keep in ("first", "longest", "newest")] == [
        True,
        False,
        False,
    ]


def test_importing_the_stage_does_not_load_the_compiler():
    """Loading a recipe with the stage must be fast."""
    code = "import sys, builder.stages.dedup_near; sys.exit('numba' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_near_duplicates_are_merged_and_measured():
    """A text that differs in one line joins the first text, with the exact similarity."""
    texts = [story(30), "Another text of more than five words entirely.", story(30, change=7)]
    _, verdicts = resolved(DedupNear(), batches_of(texts))
    assert verdicts.keeper.tolist() == [0, 1, 0]
    assert verdicts.reason == "near_duplicate"
    exact = reference.jaccard(*(reference.shingles(texts[i]) for i in (0, 2)))
    assert verdicts.similarity.tolist()[2] == exact
    assert np.isnan(verdicts.similarity[:2]).all()


def test_case_width_and_punctuation_are_folded():
    """Texts with the same folded words are duplicates with a similarity of 1."""
    _, verdicts = resolved(DedupNear(), batches_of([story(3), story(3).upper().replace(" ", " -- ")]))
    assert verdicts.keeper.tolist() == [0, 0]
    assert verdicts.similarity[1] == 1.0


def test_short_documents_are_merged_only_if_all_words_are_equal():
    """They have no shingles; documents without words are compared by their bytes."""
    texts = [
        "Read more",
        "read, more!",
        "read more here",
        "...",
        "...",
        "....",
        "",
        "",
        "more read",
        "Read more",
    ]
    _, verdicts = resolved(DedupNear(), batches_of(texts))
    assert verdicts.keeper.tolist() == [0, 0, 2, 3, 3, 5, 6, 6, 8, 0]
    assert [i for i, s in enumerate(verdicts.similarity) if s == 1.0] == [1, 4, 7, 9]


def test_a_short_document_is_never_merged_into_a_long_one():
    """A text of four words does not join a longer text that starts with them."""
    assert keepers(["one two three four", "one two three four five"]) == [0, 1]


def test_null_and_dead_rows_take_no_part():
    """A null text, or a row that an earlier stage dropped, is neither a keeper nor merged."""
    texts = [story(5), None, story(5), None, story(5), "", "x"]
    assert keepers(texts, alive=[False, True, True, True, True, True, False]) == [-1, -1, 2, -1, 2, 5, -1]


def test_no_rows_give_no_verdicts():
    """An input can be empty."""
    assert keepers([]) == []
    assert keepers([None]) == [-1]


def test_keep_selects_the_longest_text_or_the_newest_fetch():
    """Rows without an instant come last."""
    texts = [story(30), story(31), story(30)]
    assert keepers(texts, keep="longest") == [1, 1, 1]
    assert keepers(texts, keep="newest", fetched_at=[1, 3, 5]) == [2, 2, 2]
    assert keepers(texts, keep="newest", fetched_at=[None, 3, 3]) == [1, 1, 1]
    assert keepers(["a b", "a B", "A b"], keep="newest", fetched_at=[1, 3, 3]) == [1, 1, 1]


def test_clusters_do_not_chain():
    """A document joins only a keeper that is similar to it, so the other end of a chain is kept."""
    words = [f"word{i}" for i in range(130)]
    texts = [" ".join(words[start : start + 100]) for start in (0, 8, 16, 24)]
    near = reference.jaccard(reference.shingles(texts[0]), reference.shingles(texts[1]))
    far = reference.jaccard(reference.shingles(texts[0]), reference.shingles(texts[2]))
    assert far < 0.8 < near
    assert keepers(texts) == [0, 0, 2, 2]


def test_each_character_of_a_script_without_spaces_is_a_word():
    """Otherwise a long sentence in Japanese or Thai would have no shingles."""
    ja = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。"
    ja += "何でも薄暗いじめじめした所でニャーニャー泣いていた。"
    assert keepers([ja, ja.replace("猫", "犬", 1), "吾輩は犬だ。"]) == [0, 0, 2]


def test_threshold_and_shingle_words_change_the_clusters():
    """The values are those of the recipe."""
    texts = [story(6), story(6, change=2)]
    exact = reference.jaccard(*map(reference.shingles, texts))
    assert keepers(texts, threshold=exact) == [0, 0]
    assert keepers(texts, threshold=exact + 1e-9, bands=200, rows=1) == [0, 1]
    one = [set(reference.words(text)) for text in texts]
    assert keepers(texts, shingle_words=1, threshold=reference.jaccard(*one), bands=100, rows=1) == [0, 0]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
@pytest.mark.parametrize("batch_rows", [1, 3, 7])
def test_verdicts_do_not_depend_on_batches(kind, batch_rows):
    """Verdicts and sketches are equal for batches of any size and for both string types."""
    texts = [story(5, change=i % 4) if i % 3 else f"text {i % 6}" for i in range(23)] + [None, "漢字" * 9]
    stage = DedupNear(threshold=0.5)
    sketched, verdicts = resolved(stage, batches_of(texts))
    other_sketched, other = resolved(stage, batches_of(texts, batch_rows=batch_rows, kind=kind))
    assert other.keeper.tolist() == verdicts.keeper.tolist()
    assert np.array_equal(other.similarity, verdicts.similarity, equal_nan=True)
    for name in ("band_keys", "n_words", "n_shingles", "words_hash", "n_bytes"):
        assert other_sketched.column(name).to_pylist() == sketched.column(name).to_pylist()


def test_sketches_have_fixed_width():
    """A sketch has keys, counts and a hash; it has instants only for ``keep: newest``."""
    batch = batches_of([story(2)])[0]
    schema = DedupNear().sketch(batch, resources=RESOURCES).schema
    assert schema.names == ["band_keys", "n_words", "n_shingles", "words_hash", "n_bytes"]
    assert schema.field("band_keys").type == pa.binary(16 * 8)
    assert DedupNear(bands=3, rows=2).sketch(batch, resources=RESOURCES).schema.field(0).type == pa.binary(24)
    assert "fetched_at" in DedupNear(keep="newest").sketch(batch, resources=RESOURCES).schema.names


def test_mode_drop_removes_merged_rows_and_mode_tag_marks_them():
    """The mark is the number of the keeper; a row that took no part has no mark."""
    texts = [story(9), "a b c d e f", story(9), None]
    batches = batches_of(texts, batch_rows=2)
    drop, tag = DedupNear(), DedupNear(mode="tag")
    _, verdicts = resolved(drop, batches)
    assert settled(drop, batches, verdicts).column("text").to_pylist() == [texts[0], texts[1], None]
    marked = settled(tag, batches, verdicts)
    assert marked.column("text").to_pylist() == texts
    assert marked.column("_cluster_dedup_near").to_pylist() == [0, 1, 0, None]
    assert tag.bind(SCHEMA, RESOURCES) == marked.schema
    assert drop.bind(SCHEMA, RESOURCES) == SCHEMA


def test_the_index_has_one_row_for_each_keeper():
    """Later versions compare their rows with these rows."""
    stage = DedupNear()
    sketched, verdicts = resolved(
        stage, batches_of([story(4), None, story(4), "one two", "ONE two"], batch_rows=2)
    )
    segment = stage.remember(sketched, verdicts)
    assert segment.column_names == ["row", "band_keys", "n_words", "n_shingles", "words_hash", "n_bytes"]
    assert segment.column("row").to_pylist() == [0, 3]
    assert segment.column("n_words").to_pylist()[1] == 2
    assert segment.column("band_keys")[0] == sketched.column("band_keys")[0]


@pytest.mark.parametrize(
    ("options", "schema", "columns", "what"),
    [
        ({}, pa.schema([("html", pa.string())]), Columns(), "no text column"),
        ({}, SCHEMA, Columns(text=None), "no text column"),
        ({}, pa.schema([("text", pa.int64())]), Columns(), "must be text, but its type is int64"),
        ({"keep": "newest"}, pa.schema([("text", pa.string())]), Columns(), "needs a column of instants"),
        ({"keep": "newest"}, SCHEMA, Columns(fetched_at=None), "needs a column of instants"),
        ({"keep": "newest"}, SCHEMA, Columns(fetched_at="text"), "needs a column of instants"),
    ],
)
def test_bind_names_the_missing_column(options, schema, columns, what):
    """The error is raised before any input is read."""
    with pytest.raises(RecipeError, match=what):
        DedupNear(**options).bind(schema, Resources(contract=None, columns=columns))


def guide_texts(archive):
    """Extract the text of each page of the installation guide, by architecture and page."""
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.html import HTMLTree

    texts = {}
    with tarfile.open(archive) as tar:
        for member in sorted(tar, key=lambda m: m.name):
            if member.name.endswith(".html"):
                tree = HTMLTree.parse_from_bytes(tar.extractfile(member).read(), "utf-8")
                texts[member.name] = unicodedata.normalize("NFC", extract_plain_text(tree, main_content=True))
    return texts


@pytest.mark.sampled(1)
@pytest.mark.corpora
@pytest.mark.parametrize("keep", ["first", "longest"])
def test_merges_of_the_installation_guide_are_complete_and_proven(corpora, keep):
    """At most 1 % of the pairs at the threshold are both kept, and equal texts have one keeper."""
    texts = [
        text
        for language in ("en", "ja")
        for text in guide_texts(corpora / "debian-installguide" / f"{language}.tar.gz").values()
    ]
    sets = [reference.shingles(text) for text in texts]
    _, verdicts = resolved(DedupNear(keep=keep), batches_of(texts, batch_rows=64))
    keeper = verdicts.keeper
    pairs = reference.similar_pairs(sets, threshold=0.8)
    both_kept = [pair for pair in pairs if keeper[pair[0]] == pair[0] and keeper[pair[1]] == pair[1]]
    assert len(pairs) > 500
    assert len(both_kept) <= 0.01 * len(pairs)
    for row, (into, similarity) in enumerate(zip(keeper, verdicts.similarity, strict=True)):
        if into != row and sets[row]:
            assert similarity == reference.jaccard(sets[row], sets[into]) >= 0.8
    same = defaultdict(set)
    for row, text in enumerate(texts):
        same[text].add(int(keeper[row]))
    assert all(len(found) == 1 for found in same.values())
