"""``tune``: what it says a threshold removes is what a build with that threshold removes."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from planted import write_lines

from builder import Recipe, build
from builder.operations.tune import NearFacts, RuleFacts, Tuning, tune
from builder.operations.tune import near_runs as near_runs_module
from builder.operations.tune import rules as rules_module

WORDS = [
    *("harbour", "the", "tide", "lamp", "is", "keeper", "storm", "and", "ferry", "rope", "of", "gull"),
    *("anchor", "mist", "to", "quay", "light", "wave", "chart", "bell", "pilot", "with", "reef", "sail"),
]


def pages(n: int = 120, *, seed: int = 5) -> list[dict[str, Any]]:
    """Pages of different lengths; half of them are edited copies of an earlier one."""
    some = random.Random(seed)
    found: list[dict[str, Any]] = []
    for number in range(n):
        if found and some.random() < 0.5:
            words = some.choice(found)["text"].split()
            for _ in range(some.choice([0, 1, 2, 4, 8, 14])):
                words[some.randrange(len(words))] = some.choice(WORDS)
        else:
            words = [some.choice(WORDS) for _ in range(some.randrange(8, 160))]
        lines = some.choice([1, 3])
        text = "\n".join([" ".join(words)] + [" ".join(words[:3])] * (lines - 1))
        found.append(
            {"url": f"https://a.example/{number}", "text": text, "language": some.choice(["en", "no"])}
        )
    return found


def recipe_of(folder: Path, stages: list[Any]) -> dict[str, Any]:
    return {
        "name": "harbour",
        "sources": [{"jsonl": {"path": "a.jsonl"}}],
        "stages": stages,
        "corpus": str(folder / "corpus"),
    }


def tuned(folder: Path, stages: list[Any], **options: Any) -> Tuning:
    return tune(Recipe.from_dict(recipe_of(folder, stages), folder=folder), workers=1, **options)


def built(folder: Path, stages: list[Any]) -> dict[tuple[str, str, str], int]:
    """Count what a build with these stages does not keep."""
    tried = Recipe.from_dict(recipe_of(folder, stages), folder=folder)
    return dict(build(tried, workers=1, dry_run=True).reasons)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("tuned")
    write_lines(found / "a.jsonl", pages())
    return found


@pytest.mark.parametrize("options", [{}, {"keep": "longest"}, {"bands": 40, "rows": 3}])
def test_a_threshold_merges_what_a_build_with_it_merges(folder: Path, options: dict[str, Any]) -> None:
    """Each number of the table is that of a build, for each way of choosing keepers and bands."""
    (facts,) = tuned(folder, [{"dedup_near": {"threshold": 0.77, **options}}]).stages
    assert isinstance(facts, NearFacts)
    assert [one.threshold for one in facts.thresholds if one.is_current] == [0.77]
    found = {one.threshold: one.merges for one in facts.thresholds}
    for threshold in (0.5, 0.65, 0.77, 0.9, 1.0):
        reasons = built(folder, [{"dedup_near": {**options, "threshold": threshold}}])
        assert found[threshold] == reasons.get(("merged", "dedup_near", "near_duplicate"), 0)
    assert found[0.5] > found[0.77] > found[1.0] > 0
    assert sum(one.more for one in facts.thresholds) == found[0.5]


def test_the_law_of_thresholds_sees_a_planted_bug(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the bands of one threshold served all of them, the numbers would be those of no build."""
    real = near_runs_module.replace

    def one_banding(stage: Any, **changes: Any) -> Any:
        return real(stage, **changes, bands=1, rows=16)

    monkeypatch.setattr(near_runs_module, "replace", one_banding)
    (facts,) = tuned(folder, [{"dedup_near": {}}]).stages
    assert isinstance(facts, NearFacts)
    reasons = built(folder, [{"dedup_near": {"threshold": 0.5}}])
    assert facts.thresholds[-1].merges != reasons["merged", "dedup_near", "near_duplicate"]


def test_pairs_have_their_similarity_and_are_in_their_group(folder: Path) -> None:
    """A reader judges a group by its pairs, so each pair must belong to it."""
    (facts,) = tuned(folder, [{"dedup_near": {}}], pairs=4).stages
    assert isinstance(facts, NearFacts)
    upper = 1.01
    for one in facts.thresholds:
        assert len(one.pairs) == min(4, one.in_bin)
        for pair in one.pairs:
            assert one.threshold <= pair.similarity < upper
            assert pair.similarity == jaccard(pair.merged.text, pair.kept.text)
            assert pair.merged.url != pair.kept.url
        upper = one.threshold


def jaccard(left: str, right: str, *, width: int = 5) -> float:
    """Compare the sets of runs of words; the slow twin of the stage for plain words."""
    sets = []
    for text in (left, right):
        words = text.split()
        sets.append({tuple(words[i : i + width]) for i in range(len(words) - width + 1)})
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


RULES: dict[str, Any] = {
    "words": {"min": 30, "max": 120},
    "dup_line_frac": {"max": 0.4},
    "unique_words": {"min": 0.2, "where": {"language": ["en"]}},
}


@pytest.mark.parametrize(
    "extra", [{}, {"min_fired": 2}, {"any": [{"words": {"min": 90}}, {"lines": {"min": 2}}]}]
)
def test_each_limit_removes_what_a_build_with_it_removes(folder: Path, extra: dict[str, Any]) -> None:
    """Alone: a filter of this limit only. Together: the filter of the recipe with another bound."""
    (facts,) = tuned(folder, [{"filter": {**RULES, **extra}}]).stages
    assert isinstance(facts, RuleFacts)
    assert facts.n_removed == sum(built(folder, [{"filter": {**RULES, **extra}}]).values())
    for limit in facts.limits:
        if limit.limit not in ("min", "max"):
            continue
        rule = RULES[limit.name]
        only = {key: value for key, value in rule.items() if key in (limit.limit, "where")}
        for option in limit.options[:: max(1, len(limit.options) // 2)]:
            alone = {limit.name: {**only, limit.limit: option.bound}}
            assert option.alone == sum(built(folder, [{"filter": alone}]).values())
            changed = {**RULES, **extra, limit.name: {**rule, limit.limit: option.bound}}
            assert option.together == sum(built(folder, [{"filter": changed}]).values())
        without = {**RULES, **extra, limit.name: {key: v for key, v in rule.items() if key != limit.limit}}
        if not set(without[limit.name]) & {"min", "max"}:
            del without[limit.name]
        assert limit.only == facts.n_removed - sum(built(folder, [{"filter": without}]).values())


def test_the_law_of_limits_sees_a_planted_bug(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a tried bound were not applied, every row of the table would have the number of the recipe."""
    real = rules_module.replace
    monkeypatch.setattr(rules_module, "replace", lambda one, **changes: real(one))
    (facts,) = tuned(folder, [{"filter": RULES}]).stages
    assert isinstance(facts, RuleFacts)
    option = facts.limits[0].options[-1]
    changed = {**RULES, "words": {"min": option.bound, "max": 120}}
    assert option.together != sum(built(folder, [{"filter": changed}]).values())


def test_a_stage_sees_what_the_stages_before_it_keep(folder: Path) -> None:
    """A limit is tried on the documents that come to the stage, also to a second one with a name."""
    stages = [
        {"filter": {"words": {"min": 30}}},
        {"filter": {"name": "late", "words": {"max": 100}, "where": {"language": ["en"]}}},
        {"dedup_near": {"where": {"language": ["no"]}}},
    ]
    first, second, near = tuned(folder, stages).stages
    reasons = built(folder, stages)
    assert isinstance(first, RuleFacts)
    assert isinstance(second, RuleFacts)
    assert isinstance(near, NearFacts)
    assert first.n_removed == reasons["rejected", "filter", "words_below"]
    assert (second.stage, second.n_removed) == ("late", reasons["rejected", "late", "words_above"])
    assert second.n_documents < first.n_documents - first.n_removed
    at = next(one for one in near.thresholds if one.is_current)
    assert at.merges == reasons["merged", "dedup_near", "near_duplicate"]
    assert second.limits[0].settings == ("stages.late.words.max={bound}",)


def test_the_result_does_not_depend_on_workers(folder: Path) -> None:
    """The same facts for any number of workers, if all records are read."""
    stages = [{"filter": RULES}, {"dedup_near": {}}]
    document = Recipe.from_dict(recipe_of(folder, stages), folder=folder)
    one, two = (tune(document, workers=n) for n in (1, 2))
    assert json.dumps(one.stages, default=repr) == json.dumps(two.stages, default=repr)
    assert one.is_whole
    assert one.n_records == two.n_records == 120


def test_nothing_of_it_makes_a_version_or_leaves_a_file(folder: Path, tmp_path: Path) -> None:
    """Before and after, the folders have the same files, with or without a corpus."""
    write_lines(tmp_path / "a.jsonl", pages(30))
    stages = [{"filter": RULES}, {"dedup_near": {}}]
    before = sorted(tmp_path.rglob("*"))
    tuned(tmp_path, stages)
    assert sorted(tmp_path.rglob("*")) == before
    build(Recipe.from_dict(recipe_of(tmp_path, stages), folder=tmp_path), workers=1)
    state = {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")}
    tuned(tmp_path, stages)
    assert {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")} == state


def test_a_sample_takes_its_share_of_each_part(tmp_path: Path) -> None:
    """What a short file leaves of the sample goes to the others, with workers in parallel as with one."""
    for name, n in (("a", 5), ("b", 40), ("c", 90)):
        write_lines(tmp_path / f"{name}.jsonl", [{"text": f"{name} {i} and more words"} for i in range(n)])
    document = recipe_of(tmp_path, [{"filter": {"words": {"min": 1}}}])
    document["sources"] = [{"jsonl": {"path": "*.jsonl"}}]
    found = tune(Recipe.from_dict(document, folder=tmp_path), workers=2, sample_records=60)
    assert 60 <= found.n_records <= 63
    assert not found.is_whole
    assert 0.3 < found.covered < 0.6


def test_a_page_that_was_taken_down_is_not_shown(tmp_path: Path) -> None:
    """A takedown holds for everything that reads the inputs again."""
    from builder import takedown

    write_lines(tmp_path / "a.jsonl", pages(30))
    stages = [{"dedup_near": {}}]
    build(Recipe.from_dict(recipe_of(tmp_path, stages), folder=tmp_path), workers=1)
    (before,) = tuned(tmp_path, stages).stages
    kept = build(Recipe.from_dict(recipe_of(tmp_path, stages), folder=tmp_path), workers=1)
    assert kept.nothing_new
    takedown(tmp_path / "corpus", urls=["https://a.example/0"], because="asked")
    (after,) = tuned(tmp_path, stages, pairs=50).stages
    assert isinstance(before, NearFacts)
    assert isinstance(after, NearFacts)
    assert after.n_documents < before.n_documents
    urls = {text.url for one in after.thresholds for pair in one.pairs for text in (pair.merged, pair.kept)}
    assert "https://a.example/0" not in urls


def test_the_similarity_of_the_best_pair_counts() -> None:
    """A document that several thresholds merge into different ones has its highest similarity."""
    runs = near_runs_module.NearRuns.none([0.5, 1.0])
    assert runs.n_documents == 0
    assert np.array_equal(runs.merged, [0, 0])


LANGUAGES = {
    "de": "Das Wetter in der Stadt ist heute schön, und die Leute gehen am Fluss spazieren.",
    "en": "The weather in the town is fine today, and the people who live there walk by the river.",
    "fr": "Le temps dans la ville est beau, et les gens se promènent au bord de la rivière.",
}


@pytest.mark.parametrize(
    "options",
    [
        {"keep": ["en", "de"]},
        {"min_score": {"en": 0.9, "default": 0.4}, "unknown": "drop"},
        {"keep": ["en"], "by": "paragraph", "min_share": 0.7},
    ],
)
def test_each_limit_of_language_removes_what_a_build_with_it_removes(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    """Languages to keep, scores by language, shares of paragraphs and unknown languages are all limits."""
    some = random.Random(2)
    names = list(LANGUAGES)
    texts = [
        "\n".join(LANGUAGES[some.choice(names)] * some.choice([1, 2]) for _ in range(2)) for _ in range(60)
    ]
    texts += ["17 + 4", "x", "kurz und", "the", "le chat noir dort"]
    write_lines(tmp_path / "a.jsonl", [{"text": f"{text} {i}"} for i, text in enumerate(texts)])
    (facts,) = tuned(tmp_path, [{"language": options}]).stages
    assert isinstance(facts, RuleFacts)
    assert facts.n_removed == sum(built(tmp_path, [{"language": options}]).values()) > 0
    for limit in facts.limits:
        for option in limit.options[:: max(1, len(limit.options) // 3)]:
            (setting,) = limit.settings
            key = setting.partition("=")[0].removeprefix("stages.language.")
            changed = json.loads(json.dumps(options))
            at = changed
            *path, last = key.split(".")
            for name in path:
                at = at[name]
            at[last] = option.bound
            assert option.together == sum(built(tmp_path, [{"language": changed}]).values()), setting
