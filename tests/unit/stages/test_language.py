"""``language``: columns, limits, paragraphs and the second detector."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from builder.errors import RecipeError
from builder.stages.language import Language

GERMAN = "Das ist ein langer deutscher Text über das Wetter und die Leute in der Stadt."
ENGLISH = "This is an English text about the weather and the people who live in this town."
FRENCH = "Ceci est un texte français qui parle du temps et des gens qui habitent cette ville."
RUSSIAN = "Это русский текст о погоде и людях, которые живут в этом городе."
SCHEMA = pa.schema([("text", pa.string()), ("language", pa.string())])


@pytest.fixture
def run(pages: Any, resources: Any, guard: Any) -> Any:
    """Return a function that applies the stage to some texts, and returns kept rows, rejections, counts."""

    def apply(texts: list[str | None], *, declared: list[str | None] | None = None, **options: Any) -> Any:
        batch = pages(text=texts, language=declared or [None] * len(texts))
        stage = Language(**options)
        bound = stage.bind(batch.schema, resources)
        outcome = stage.apply(batch, resources=resources, guard=guard)
        assert outcome.kept.schema == bound
        assert outcome.kept.num_rows + outcome.rejected.num_rows == len(texts)
        return outcome.kept.to_pylist(), outcome.rejected.to_pylist(), dict(outcome.counts)

    return apply


def test_without_limits_every_document_gets_its_columns(run: Any) -> None:
    """Scores are rounded to 4 digits; the second language belongs to a known first one."""
    kept, rejected, counts = run([GERMAN, RUSSIAN, None, ""])
    assert rejected == []
    assert [row["language"] for row in kept] == ["de", "ru", "und", "und"]
    assert [row["language_script"] for row in kept] == ["Latn", "Cyrl", None, None]
    assert [row["language_score"] is None for row in kept] == [False, False, True, True]
    assert [row["language_second"] is None for row in kept] == [False, False, True, True]
    assert all(row["language_score"] == round(row["language_score"], 4) <= 1 for row in kept[:2])
    assert counts == {"unknown": 2, "declared_otherwise": 0}


def test_other_languages_are_rejected_with_value_and_limit(run: Any) -> None:
    """`builder why` shows both, and the message has the score."""
    kept, (rejected,), _ = run([GERMAN, FRENCH], keep=["de", "en"])
    assert [row["language"] for row in kept] == ["de"]
    assert [rejected[key] for key in ("reason", "value", "limit")] == ["other_language", "fr", "de, en"]
    assert rejected["message"].startswith("language fr, score 0.")


def test_a_score_below_its_limit_is_rejected(run: Any) -> None:
    """A language without a limit of its own has that of `default`; without it, that of the option."""
    mixed = f"{ENGLISH} {FRENCH}"
    _, (rejected,), _ = run([GERMAN, mixed], min_score=0.95)
    assert (rejected["reason"], rejected["limit"]) == ("low_language_score", "0.95")
    assert float(rejected["value"]) < 0.95
    assert run([mixed], min_score={"de": 1.0})[1] == [], "without `keep`, other languages have no limit"
    assert run([GERMAN], min_score={"default": 0.2, "de": 1.0})[1] == []
    assert [row["reason"] for row in run([mixed], min_score={"default": 0.95, "de": 0})[1]] == [
        "low_language_score"
    ]


@pytest.mark.parametrize(
    "text",
    ["kurz", "12 34 56 78 90 " * 20 + GERMAN, "\u0301" * 500, "!" * 5000, " \n\t" * 50, "\U0001f600" * 300],
)
def test_the_language_of_a_text_without_enough_letters_is_not_known(run: Any, text: str) -> None:
    """Neither few letters nor mostly digits, marks or signs: a model always answers, and here by chance."""
    ((row,), _, counts) = run([text])
    assert (row["language"], row["language_score"], counts["unknown"]) == ("und", None, 1)
    (_, (rejected,), _) = run([text], unknown="drop")
    assert (rejected["reason"], rejected["value"]) == ("unknown_language", "und")
    assert run([text], keep=["de"])[0][0]["language"] == "und", "they stay, unless the recipe drops them"


def test_the_minimum_of_letters_is_an_option(run: Any) -> None:
    """Titles and posts are short."""
    assert run(["Guten Morgen"], min_letters=11)[0][0]["language"] == "de"
    assert run(["Guten Morgen"], min_letters=12)[0][0]["language"] == "und"
    assert run(["1 2 3", ""], min_letters=0)[2]["unknown"] == 0, "0 takes every answer of the model"


def test_declared_languages_that_differ_are_counted(run: Any) -> None:
    """Regions, case and other codes for the same language make no difference; a null declares nothing."""
    declared = ["de-AT", "DE", "en", None, "deu"]
    kept, _, counts = run([GERMAN] * 5, declared=declared)
    assert counts["declared_otherwise"] == 1
    assert {row["language"] for row in kept} == {"de"}


def test_by_paragraph_the_language_of_most_characters_wins(run: Any) -> None:
    """The share counts characters; short lines belong to the piece before or after them."""
    text = f"{FRENCH}\n" * 2 + f"{ENGLISH}\n" * 6
    ((row,), _, _) = run([text], by="paragraph")
    assert (row["language"], row["language_second"]) == ("en", "fr")
    assert 0.7 < row["language_share"] < 0.8
    _, (rejected,), _ = run([text], by="paragraph", keep=["en"], min_share=0.9)
    assert (rejected["reason"], rejected["limit"]) == ("low_language_share", "0.9")
    assert float(rejected["value"]) == row["language_share"]
    assert run([text], by="paragraph", keep=["en"], min_share=0.7)[1] == []


def test_a_share_counts_paragraphs_in_no_known_language(run: Any) -> None:
    """A page of tables with one sentence is not a page in the language of the sentence."""
    text = f"{'1 2 3 4 5 6 7 8 9 ' * 20}\n{GERMAN * 2}"
    ((row,), _, _) = run(
        [
            text,
        ],
        by="paragraph",
    )
    assert row["language"] == "de"
    assert row["language_share"] == pytest.approx(2 * len(GERMAN) / len(text), abs=0.01)
    assert row["language_second"] is None


def test_a_text_of_one_paragraph_is_the_same_both_ways(run: Any) -> None:
    """The score of one piece is that of the document."""
    (by_document,), _, _ = run([GERMAN])
    (by_paragraph,), _, _ = run([GERMAN], by="paragraph")
    for key in ("language", "language_score", "language_script"):
        assert by_document[key] == by_paragraph[key]


def test_one_line_of_many_bytes_is_identified(run: Any) -> None:
    """Without blanks and with them, as one document and by paragraph."""
    texts = [GERMAN * 40_000, GERMAN.replace(" ", "") * 20_000, "日本語の文章です" * 100_000]
    for by in ("document", "paragraph"):
        kept, _, _ = run(texts, by=by)
        assert [row["language"] for row in kept] == ["de", "de", "ja"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keep": ["eng"]}, "keep names the language 'eng', which the model does not know"),
        ({"keep": []}, "keep names no language"),
        ({"min_score": {"english": 0.5}}, "min_score names the language 'english'"),
        ({"min_score": {"en": 1.5}}, "min_score of en is 1.5"),
    ],
)
def test_an_option_that_the_model_does_not_know_is_refused(
    resources: Any, options: dict[str, Any], message: str
) -> None:
    """A limit for a language that never comes would never apply."""
    with pytest.raises(RecipeError) as caught:
        Language(**options).bind(SCHEMA, resources)
    assert message in str(caught.value)


def test_a_column_of_another_type_is_refused(resources: Any) -> None:
    """Its values could not be replaced."""
    schema = pa.schema([("text", pa.string()), ("language", pa.list_(pa.string()))])
    with pytest.raises(RecipeError, match="the column 'language' must be string"):
        Language().bind(schema, resources)
    with pytest.raises(RecipeError, match="put extract_text before this stage"):
        Language().bind(pa.schema([("html", pa.string())]), resources)


def test_the_second_detector_must_agree(run: Any) -> None:
    """It is asked only about documents that met all other limits."""
    pytest.importorskip("pycld2")
    kept, rejected, _ = run([GERMAN, RUSSIAN, "kurz", FRENCH], agree="cld2", keep=["de", "ru"])
    assert [row["language"] for row in kept] == ["de", "ru", "und"]
    assert [row["reason"] for row in rejected] == ["other_language"]
    odd = "Norsk bokmål og dansk ligner hverandre, men det er to språk som folk snakker."
    _, rejected, _ = run([f"{odd} {FRENCH} {RUSSIAN}"], agree="cld2")
    assert [(row["reason"], row["outcome"]) for row in rejected] == [("language_disagreement", "rejected")]


def test_the_second_detector_reads_valid_text_with_controls(run: Any) -> None:
    """It calls controls and noncharacters invalid UTF-8."""
    pytest.importorskip("pycld2")
    kept, _, _ = run([f"\x85\x80\x00\ufffe\U0001ffff{GERMAN}\x1f"], agree="cld2")
    assert [row["language"] for row in kept] == ["de"]


def test_a_document_that_kills_the_second_detector_fails(pages: Any, resources: Any, refusing: Any) -> None:
    """The guard refuses it at the second try; all other documents continue."""
    pytest.importorskip("pycld2")
    batch = pages(text=[GERMAN, RUSSIAN], language=[None, None])
    stage = Language(agree="cld2")
    guard = refusing({0: "crash"})
    outcome = stage.apply(batch, resources=resources, guard=guard)
    (rejected,) = outcome.rejected.to_pylist()
    assert (rejected["reason"], rejected["outcome"]) == ("crash", "failed")
    assert outcome.kept["language"].to_pylist() == ["ru"]
    assert stage.untrusted
    assert not Language().untrusted


def test_without_the_second_detector_the_error_is_the_line_that_installs_it(
    resources: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a record is read."""
    from builder.stages.identification import cld2

    monkeypatch.setitem(__import__("sys").modules, "pycld2", None)
    cld2._detector.cache_clear()
    with pytest.raises(RecipeError, match=r"pip install 'nlp-corpus-builder\[cld2\]'"):
        Language(agree="cld2").bind(SCHEMA, resources)


def test_slices_of_a_batch_have_the_results_of_the_batch(pages: Any, resources: Any, guard: Any) -> None:
    """Offsets of a slice begin above 0, and bytes of a null have no meaning."""
    batch = pages(text=[GERMAN, None, FRENCH, "", RUSSIAN, "kurz"], language=[None] * 6)
    whole = Language().apply(batch, resources=resources, guard=guard).kept
    for start in range(6):
        part = Language().apply(batch.slice(start, 2), resources=resources, guard=guard).kept
        assert part.equals(whole.slice(start, 2))
