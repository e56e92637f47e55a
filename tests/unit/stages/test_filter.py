"""``filter``: which documents are rejected, for what, and which recipes are refused."""

from __future__ import annotations

from importlib import util
from typing import Any

import pyarrow as pa
import pytest

from builder.errors import RecipeError
from builder.recipe.stage_entries import StageEntry
from builder.stages.filter import Filter
from builder.stages.quality.dialects import DIALECTS
from builder.stages.quality.presets import PRESETS
from builder.stages.quality.signals import SIGNALS
from builder.stages.signals import Signals

SENTENCE = "The keeper of the lamp writes down each night what he saw of the sea. "
PROSE = (
    "Before the railway came, everything that the village could not grow had to be carried over the pass. "
    "Carters left at midnight with salt, iron and cloth, and slept in a hut below the glacier. In winter "
    "nobody went. Those who were caught by snow burned their wagons to keep warm, and walked home with the "
    "horses when the weather allowed it, often weeks later, to families that had given up waiting. "
    "A bell told the village that somebody was coming."
)
SCHEMA = pa.schema([("text", pa.string()), ("language", pa.string()), ("size", pa.int64())])


def made(**options: Any) -> Any:
    """Create the stage as a recipe does."""
    return StageEntry.of({"filter": options}).make()


def applied(stage: Any, batch: pa.RecordBatch, resources: Any, guard: Any) -> Any:
    stage.bind(batch.schema, resources)
    return stage.apply(batch, resources=resources, guard=guard)


def reasons(outcome: Any) -> list[tuple[Any, ...]]:
    return [(r["reason"], r["value"], r["limit"]) for r in outcome.rejected.to_pylist()]


def test_each_limit_has_a_reason_with_value_and_limit(pages: Any, resources: Any, guard: Any) -> None:
    """A value that equals the limit stays, and a null value meets every limit."""
    batch = pages(text=["one two", "one two three", "one two three four", None])
    outcome = applied(made(words={"min": 3, "max": 3}), batch, resources, guard)
    assert reasons(outcome) == [("words_below", "2", "min 3"), ("words_above", "4", "max 3")]
    assert outcome.kept["text"].to_pylist() == ["one two three", None]


def test_a_ratio_without_words_never_fires(pages: Any, resources: Any, guard: Any) -> None:
    """A text without words has no mean length; only a rule on words rejects it."""
    batch = pages(text=["--- !!!", ""])
    assert not reasons(applied(made(mean_word_length={"min": 3}), batch, resources, guard))
    assert len(reasons(applied(made(words={"min": 1}), batch, resources, guard))) == 2


def test_values_are_compared_as_they_are_stored(pages: Any, resources: Any, guard: Any) -> None:
    """The mean of 20 letters in 3 words is 6.666667, so this limit is exactly met."""
    batch = pages(text=["seven77 seven77 sixsix"])
    assert not reasons(applied(made(mean_word_length={"max": 6.666667}), batch, resources, guard))
    assert reasons(applied(made(mean_word_length={"max": 6.666666}), batch, resources, guard))


def test_all_signals_of_a_rejected_document_are_kept(pages: Any, resources: Any, guard: Any) -> None:
    """Also those that no rule looks at, so that a person can choose other rules."""
    outcome = applied(made(words={"min": 3}), pages(text=["a, b", "a b c", "!"]), resources, guard)
    rows = outcome.measured.to_pylist()
    assert [one["stage"] for one in rows] == ["filter", "filter"]
    found = [{pair["name"]: pair["value"] for pair in one["signals"]} for one in rows]
    assert list(found[0]) == list(SIGNALS)
    assert [one["characters"] for one in found] == [4.0, 1.0]
    assert [one["mean_word_length"] for one in found] == [1.0, None]
    assert applied(made(words={"min": 1}), pages(text=["a"]), resources, guard).measured is None


def test_the_message_has_all_other_reasons_and_all_values(pages: Any, resources: Any, guard: Any) -> None:
    """A person sees what else is wrong without a second build."""
    stage = made(words={"min": 9}, stop_words={"min": 1}, sentences={"max": 5})
    (rejected,) = applied(stage, pages(text=["one two"]), resources, guard).rejected.to_pylist()
    assert rejected["message"] == "also stop_words_below (0, min 1); words 2, stop_words 0, sentences 1"


def test_counts_say_who_fires_first_and_who_would_fire_alone(pages: Any, resources: Any, guard: Any) -> None:
    """The order of rules decides who is first; each rule would fire alone on its own."""
    stage = made(words={"min": 3}, stop_words={"min": 1})
    outcome = applied(stage, pages(text=["a b", "x y z", "the a b"]), resources, guard)
    assert outcome.counts == {
        "first.words_below": 1,
        "alone.words_below": 1,
        "first.stop_words_below": 1,
        "alone.stop_words_below": 2,
    }


def test_any_needs_one_alternative_and_all_needs_each(pages: Any, resources: Any, guard: Any) -> None:
    """An alternative with two rules needs both."""
    batch = pages(text=["a b c d", "the", "x"])
    either = made(any=[{"words": {"min": 4}}, {"stop_words": {"min": 1}, "words": {"max": 1}}])
    assert reasons(applied(either, batch, resources, guard)) == [
        ("no_alternative", "words 1, stop_words 0", "words min 4 or stop_words min 1 and words max 1")
    ]
    both = made(all=[{"words": {"min": 1}}, {"words": {"max": 3}}])
    assert reasons(applied(both, batch, resources, guard)) == [("words_above", "4", "max 3")]


def test_columns_are_judged_by_lists_and_by_numbers(pages: Any, resources: Any, guard: Any) -> None:
    """A list is short for `in`; a null column meets every limit."""
    batch = pages(text=["a"] * 4, language=["en", "de", None, "fr"])
    outcome = applied(made(language=["en"], text={"not_in": ["b"]}), batch, resources, guard)
    assert reasons(outcome) == [("language_not_in", "de", "en"), ("language_not_in", "fr", "en")]
    excluded = applied(made(language={"not_in": ["fr"]}), batch, resources, guard)
    assert reasons(excluded) == [("language_excluded", "fr", "not fr")]


def test_tag_marks_and_report_only_counts(pages: Any, resources: Any, guard: Any) -> None:
    """Nothing leaves in these modes."""
    batch = pages(text=["a", "a b"])
    tagged = applied(made(words={"min": 2}, mode="tag"), batch, resources, guard)
    assert tagged.kept["filter_reason"].to_pylist() == ["words_below", None]
    assert made(words={"min": 2}, mode="tag").bind(batch.schema, resources).names[-1] == "filter_reason"
    reported = applied(made(words={"min": 2}, mode="report"), batch, resources, guard)
    assert reported.kept.equals(batch)
    assert reported.counts["first.words_below"] == 1
    assert not tagged.rejected.num_rows + reported.rejected.num_rows


def test_the_columns_of_signals_are_used(pages: Any, resources: Any, guard: Any) -> None:
    """A filter does not measure again what a stage before it wrote."""
    measured = Signals(columns=["words"]).apply(pages(text=["a b"]), resources=resources, guard=guard).kept
    assert measured["words"].to_pylist() == [2]
    other = measured.set_column(measured.schema.get_field_index("words"), "words", pa.array([7]))
    assert not reasons(applied(made(words={"min": 7}), other, resources, guard))


INSTALLED = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            bool(one.dialect and DIALECTS[one.dialect].needs_spacy) and not util.find_spec("spacy"),
            reason="the extra `spacy` is not installed",
        ),
    )
    for name, one in PRESETS.items()
]


@pytest.mark.parametrize("name", INSTALLED)
def test_presets_reject_noise_and_keep_prose(name: str, pages: Any, resources: Any, guard: Any) -> None:
    """Each preset has a date, and its rules name signals that it can measure."""
    preset = PRESETS[name]
    noise = "\n".join(["buy now " * 300, *["HOT", "99", "3 likes"] * 9])
    outcome = applied(made(preset=name), pages(text=[PROSE, noise]), resources, guard)
    assert outcome.kept["text"].to_pylist() == [PROSE]
    assert preset.date <= "2026-12-31"
    own = DIALECTS[preset.dialect].names if preset.dialect else ()
    assert set(preset.rules) <= {*own, *SIGNALS, *preset.optional}


@pytest.mark.parametrize("name", INSTALLED)
@pytest.mark.parametrize("texts", [[], [None], [None, PROSE, None]])
def test_presets_keep_texts_that_are_null(
    name: str, texts: list[str | None], pages: Any, resources: Any, guard: Any
) -> None:
    """A null meets every limit, and a batch can be empty after another stage."""
    outcome = applied(made(preset=name), pages(text=texts), resources, guard)
    assert outcome.kept["text"].to_pylist() == texts


def test_a_preset_that_drops_lines_says_what_it_took(pages: Any, resources: Any, guard: Any) -> None:
    """The audit has each line with its class and place; the other modes leave the text as it is."""
    text = f"Menu\n\n{PROSE}[12]\nEnable JavaScript to see all of this page now.\n{PROSE}"
    outcome = applied(made(preset="c4"), pages(text=[text, PROSE]), resources, guard)
    assert outcome.kept["text"].to_pylist() == [f"{PROSE}\n{PROSE}", PROSE]
    spans = [(one["class"], one["start"], one["score"]) for one in outcome.removed.to_pylist()]
    places = [text.encode().index(one) for one in (b"Menu", PROSE.encode(), b"Enable")]
    kinds = ["no_end_mark", "citation", "javascript"]
    assert spans == [(kind, place, 1.0) for kind, place in zip(kinds, places, strict=True)]
    tagged = applied(made(preset="c4", mode="tag"), pages(text=[text]), resources, guard)
    assert tagged.kept["text"].to_pylist() == [text]
    assert made(preset="c4").edits_text
    assert not made(preset="c4", mode="tag").edits_text
    assert not made(preset="gopher").edits_text


def test_lines_of_counters_leave_and_too_many_reject_the_document(
    pages: Any, resources: Any, guard: Any
) -> None:
    """Blank lines stay, because they separate paragraphs."""
    some, many = f"{PROSE}\n\n17\nRead more...\n{PROSE}", "HOT\nNEW NOW\n3 likes\nIt rains in the hills."
    outcome = applied(made(preset="refinedweb-lines"), pages(text=[some, many]), resources, guard)
    assert outcome.kept["text"].to_pylist() == [f"{PROSE}\n\n\n{PROSE}"]
    assert reasons(outcome) == [("removed_words_above", "0.5", "max 0.05")]
    kinds = [one["class"] for one in outcome.removed.to_pylist()]
    assert kinds == ["digits", "phrase", "upper_case", "upper_case", "counter"]


@pytest.mark.parametrize("preset", ["c4", "refinedweb-lines", "web"])
@pytest.mark.parametrize(
    "text",
    ["", "\n" * 70_000, "a.\n" * 70_000, "\u0301" * 70_000, "x" * 700_000, "1 " * 70_000],
)
def test_odd_texts_are_judged_and_leave_or_stay_whole(
    preset: str, text: str, pages: Any, resources: Any, guard: Any
) -> None:
    """More lines than are measured at once, no letter, only marks, one word: other texts stay as they are."""
    outcome = applied(made(preset=preset), pages(text=[text, PROSE]), resources, guard)
    kept = outcome.kept["text"].to_pylist()
    assert kept[-1] == PROSE
    assert outcome.rejected.num_rows == 2 - len(kept)
    assert kept[:-1] in ([], [text])


def test_a_preset_without_its_package_is_refused(resources: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the line that installs the package, before a record is read."""

    def missing() -> None:
        raise ImportError("No module named 'spacy'")

    monkeypatch.setattr("builder.stages.quality.spacy_words._pipeline", missing)
    with pytest.raises(RecipeError, match=r"pip install 'nlp-corpus-builder\[spacy\]'"):
        made(preset="fineweb").bind(SCHEMA, resources)
    assert made(preset="fineweb").libraries == ("spacy",)
    assert made(preset="gopher").libraries == ()


def test_several_limits_must_be_missed_and_some_count_more(pages: Any, resources: Any, guard: Any) -> None:
    """The first limit that is missed is the reason, also if others decide."""
    rules = {"words": {"min": 3}, "sentences": {"min": 2}, "stop_words": {"min": 1, "weight": 2}}
    batch = pages(text=["the end", "the end. It is", "no", "He reads it. She reads it."])
    outcome = applied(made(**rules, min_fired=2), batch, resources, guard)
    assert outcome.kept["text"].to_pylist() == ["the end. It is"]
    assert [one[0] for one in reasons(outcome)] == ["words_below", "words_below", "stop_words_below"]
    assert outcome.counts["alone.sentences_below"] == 2


def test_a_rule_can_hold_for_some_documents_only(pages: Any, resources: Any, guard: Any) -> None:
    """A document of another language is not judged by it; one whose language is null is."""
    batch = pages(text=["eins zwei", "one two", "x y"], language=["de", "en", None])
    outcome = applied(made(stop_words={"min": 1, "where": {"language": ["en"]}}), batch, resources, guard)
    assert outcome.kept["text"].to_pylist() == ["eins zwei"]


def test_limits_of_web_for_english_hold_for_english_only(pages: Any, resources: Any, guard: Any) -> None:
    """Neither a German page nor one in a script without spaces is judged by stop words of English."""
    german = "Die Kähne liegen seit Tagen im Eis fest, und niemand weiß, wann das Tauwetter kommt. " * 1
    names = [one for one in PRESETS["web"].rules if one in ("stop_word_ratio", "unique_words", "upper_ratio")]
    rules = {name: PRESETS["web"].rules[name] for name in names}
    for text in (german, "船は何日も氷の中にあり、いつ解けるのか誰も知らない。" * 4):
        batch = pages(text=[text], language=[None])
        assert not reasons(applied(made(**rules), batch, resources, guard))
    batch = pages(text=["Cheap Cheap Shoes Bags Boots Hats"], language=["en"])
    assert reasons(applied(made(**rules, min_fired=2), batch, resources, guard))
    batch = pages(text=["Cheap Cheap Shoes Bags Boots Hats"], language=["nl"])
    assert not reasons(applied(made(**rules), batch, resources, guard))


def test_a_rule_of_the_recipe_replaces_that_of_the_preset(pages: Any, resources: Any, guard: Any) -> None:
    """Null turns a rule off; the others stay."""
    batch = pages(text=[SENTENCE])
    assert reasons(applied(made(preset="gopher"), batch, resources, guard))[0][0] == "words_below"
    assert not reasons(applied(made(preset="gopher", words={"min": 5}), batch, resources, guard))
    assert not reasons(applied(made(preset="gopher", words=None), batch, resources, guard))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"wrods": {"min": 3}}, r"no signal is called 'wrods' \(did you mean 'words'\?\)"),
        ({"presett": "gopher"}, "did you mean 'preset'"),
        ({"preset": "gofer"}, "no preset is called 'gofer'"),
        ({"words": {"least": 3}}, "a rule must have limits"),
        ({"words": {"min": "three"}}, "'three' is not a number"),
        ({"words": {"in": 3}}, "3 is not a list"),
        ({"words": {"min": 3, "where": 4}}, "`where` must have rules"),
        ({"words": {"min": 3, "weight": 0}}, "0 is not a positive integer"),
        ({"words": {"where": {"sentences": {"min": 1}}}}, "a rule must have limits"),
        ({"all": {"words": 3}}, "a group must be a list of rules"),
        ({}, "the stage has nothing to filter by"),
        ({"language": {"min": 3}}, "cannot be compared with a number"),
        ({"size": ["big"]}, "are not such values"),
        ({"words": {"min": 1}, "mode": "tag", "column": "text"}, "the column 'text' exists already"),
    ],
)
def test_a_wrong_rule_is_an_error_of_the_recipe(options: Any, message: str, resources: Any) -> None:
    """The fault is found before a record is read."""
    with pytest.raises(RecipeError, match=message):
        made(**options).bind(SCHEMA, resources)


def test_a_rule_on_signals_needs_a_text(resources: Any) -> None:
    """A rule on a column alone does not."""
    schema = pa.schema([("language", pa.string())])
    with pytest.raises(RecipeError, match="put extract_text before"):
        made(words={"min": 1}).bind(schema, resources)
    assert made(language=["en"]).bind(schema, resources) == schema


def test_the_stage_reports_what_it_uses_and_writes() -> None:
    """The chain refuses a rule on a column that was measured before an edit."""
    assert Filter(limits={"words": {"min": 1}}).uses == ("words",)
    assert Filter(limits={"words": {"min": 1}}).measures == ()
    assert Filter(limits={"words": {"min": 1}}, mode="tag").measures == ("filter_reason",)


def test_a_function_is_asked_about_the_rows_that_meet_the_rules(
    pages: Any, resources: Any, guard: Any
) -> None:
    """Each row has one reason: that of the first rule, or that of the function."""

    def keep(row: Any) -> bool | str:
        return "ends_in_b" if row.text.endswith("b") else True

    class Called:
        def load(self) -> Any:
            return keep

    stage = Filter(limits={"words": {"min": 2}}).with_function(Called())  # type: ignore[arg-type]
    outcome = applied(stage, pages(text=["b", "a b", "a c"]), resources, guard)
    assert [(r["reason"], r["url"]) for r in outcome.rejected.to_pylist()] == [
        ("words_below", None),
        ("ends_in_b", None),
    ]
    assert outcome.kept["text"].to_pylist() == ["a c"]
    with pytest.raises(RecipeError, match="mode: drop only"):
        Filter(mode="tag").with_function(Called()).bind(SCHEMA, resources)  # type: ignore[arg-type]
