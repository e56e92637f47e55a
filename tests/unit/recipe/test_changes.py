"""Changes of defaults, rules, files, libraries and code are found, and named."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any, ClassVar

import pytest

from builder import Recipe
from builder.domain.json.canonical import canonical_json
from builder.errors import RecipeError
from builder.recipe import identity as identity_module
from builder.recipe.changes import RecipeChanges, find_recipe_changes, joined_libraries
from builder.recipe.identity import NOT_SOURCE_DATA, effective_options
from builder.recipe.known_options import FIRST_SOURCES, FIRST_STAGES, LATER_OPTIONS
from builder.registry import SOURCES, STAGES, source_class, stage_class
from builder.stages.publishable import Publishable
from builder.stages.repair_text import RepairText


def class_of(place: str, kind: str) -> Any:
    return stage_class(kind) if place == "stage" else source_class(kind)


def options_of(place: str, kind: str) -> dict[str, dataclasses.Field[Any]]:
    fields = dataclasses.fields(class_of(place, kind))
    return {one.name: one for one in fields if "help" in one.metadata and one.name not in NOT_SOURCE_DATA}


def has_defaults(place: str, kind: str) -> bool:
    """Return whether a recipe can contain the stage or source without options."""
    fields = options_of(place, kind).values()
    missing = dataclasses.MISSING
    return all(one.default is not missing or one.default_factory is not missing for one in fields)


WRITTEN: dict[str, dict[str, Any]] = {"extract_text": {"method": "resiliparse"}}
"""Options that a recipe must have today, so that builder works as at first: a default has changed since."""

STAGE_KINDS = [kind for kind in STAGES if kind in FIRST_STAGES and has_defaults("stage", kind)]
"""Stages that a manifest of every release can have."""

SOURCE_KINDS = [kind for kind in SOURCES if has_defaults("source", kind)]


def recipe_with(folder: Path, **changes: Any) -> Recipe:
    """Return a recipe with every stage and every source that has defaults."""
    document = {
        "name": "a",
        "sources": [{kind: {"path": f"{kind}/*"}} for kind in SOURCE_KINDS],
        "stages": [{kind: WRITTEN.get(kind, {})} for kind in STAGE_KINDS],
        "corpus": "out",
        **changes,
    }
    return Recipe.from_dict(document, folder=folder)


def built(recipe: Recipe) -> dict[str, Any]:
    """Return the entry of the manifest that a build writes."""
    return recipe.manifest_facts(identity=recipe.identity(), limit=None)


def built_first(recipe: Recipe) -> dict[str, Any]:
    """Return the entry of a manifest that holds the recipe only as it was written."""

    def digest(facts: Any) -> str:
        return hashlib.sha256(canonical_json(facts)).hexdigest()

    filled = recipe.filled
    chain = {key: filled[key] for key in ("name", "columns", "stages", "splits") if key in filled}
    sources = {}
    for entry, source in zip(filled["sources"], recipe.sources, strict=True):
        ((kind, options),) = entry.items()
        sources[source.label] = digest([kind, {k: v for k, v in options.items() if k not in NOT_SOURCE_DATA}])
    facts = {"digest": digest(chain), "sources": sources, "url_rules": 1}
    return facts | {"document": recipe.public_document()}


def changes(before: dict[str, Any], recipe: Recipe, tools: dict[str, str] | None = None) -> RecipeChanges:
    return find_recipe_changes(
        before,
        recipe.identity(),
        document=recipe.document,
        tools=tools or {},
        columns=recipe.contract.columns.names,
    )


def another(value: Any, choices: tuple[str, ...]) -> Any:
    """Return a value of the same type that is not ``value``."""
    if choices:
        return next(one for one in choices if one != value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value / 2
    if isinstance(value, list):
        return [*value, "x"]
    return {"a": "b"} if isinstance(value, dict) else f"{value}x"


PARTS = [("stage", kind) for kind in STAGE_KINDS] + [("source", kind) for kind in SOURCE_KINDS]
OPTIONS = [
    (place, kind, option)
    for place, kind in PARTS
    for option in options_of(place, kind)
    if option not in WRITTEN.get(kind, {})
]


def set_another_default(patch: pytest.MonkeyPatch, place: str, kind: str, option: str) -> Any:
    """Change a default, and return the old one."""
    found, field = class_of(place, kind), options_of(place, kind)[option]
    made = field.default_factory is not dataclasses.MISSING
    default = field.default_factory() if made else field.default  # type: ignore[misc]
    patch.setitem(found.__init__.__kwdefaults__, option, another(default, field.metadata["choices"]))
    return default


@pytest.mark.parametrize("manifest", [built, built_first])
def test_an_unchanged_recipe_has_no_changes(tmp_path: Path, manifest: Any) -> None:
    """Neither by the formula of today nor by the first one."""
    recipe = recipe_with(tmp_path)
    assert changes(manifest(recipe), recipe).reasons == []


@pytest.mark.parametrize("manifest", [built, built_first])
@pytest.mark.parametrize(("place", "kind", "option"), OPTIONS)
def test_another_default_is_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, kind: str, option: str, manifest: Any
) -> None:
    """The recipe does not name the option, so nobody would see that rows of two kinds are mixed."""
    before = manifest(recipe_with(tmp_path))
    set_another_default(monkeypatch, place, kind, option)
    (reason,) = changes(before, recipe_with(tmp_path)).reasons
    assert f"the default of {kind}.{option} is " in reason


@pytest.mark.parametrize("manifest", [built, built_first])
@pytest.mark.parametrize(("place", "kind", "option"), OPTIONS)
def test_the_old_default_written_out_is_no_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, kind: str, option: str, manifest: Any
) -> None:
    """A user keeps the old default by writing it in the recipe."""
    before = manifest(recipe_with(tmp_path))
    default = set_another_default(monkeypatch, place, kind, option)
    key, kinds = ("stages", STAGE_KINDS) if place == "stage" else ("sources", SOURCE_KINDS)
    path = {} if place == "stage" else {"path": "*"}
    written = [
        {one: {**WRITTEN.get(one, {}), **path, **({option: default} if one == kind else {})}} for one in kinds
    ]
    assert changes(before, recipe_with(tmp_path, **{key: written})).reasons == []


@pytest.mark.parametrize("manifest", [built, built_first])
@pytest.mark.parametrize(("place", "kind"), [*PARTS, ("stage", "publishable")])
def test_another_rules_number_is_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, kind: str, manifest: Any
) -> None:
    """The author of a stage raises the number when the same options give other rows."""
    before = manifest(recipe_with(tmp_path))
    found = Publishable if kind == "publishable" else class_of(place, kind)
    monkeypatch.setattr(found, "rules", 2)
    (reason,) = changes(before, recipe_with(tmp_path)).reasons
    assert f"{kind} works by rules number 2, and worked by number 1" in reason


@pytest.mark.parametrize(("place", "kind"), PARTS)
def test_every_stage_and_source_declares_its_rules(place: str, kind: str) -> None:
    """An inherited number would change for all sources at once."""
    assert isinstance(vars(class_of(place, kind)).get("rules"), int)


def test_every_later_option_has_a_value_for_older_versions() -> None:
    """Add a new option to ``LATER_OPTIONS``, with the value that does what builder did without it."""
    first = [("stage", kind) for kind in FIRST_STAGES if kind in STAGES]
    first += [("source", kind) for kind in FIRST_SOURCES]
    missing = [
        (kind, option)
        for place, kind in first
        for option in options_of(place, kind)
        if option not in (FIRST_STAGES | FIRST_SOURCES)[kind] and (kind, option) not in LATER_OPTIONS
    ]
    assert missing == []


def test_an_option_that_a_version_does_not_know_is_no_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release that adds an option must not rebuild every corpus; another value of it is a change."""
    recipe = recipe_with(tmp_path)
    before = built(recipe)
    for stage in before["effective"]["stages"]:
        stage["options"].pop("links", None)
    without = dict(effective_options(stage_class("extract_text")(**WRITTEN["extract_text"])))
    del without["links"]
    real = effective_options
    with monkeypatch.context() as patched:
        patched.setattr(
            identity_module,
            "effective_options",
            lambda found: without if found.__class__.__name__ == "ExtractText" else real(found),
        )
        before["digest"] = recipe.identity().digest()
    monkeypatch.setitem(LATER_OPTIONS, ("extract_text", "links"), False)
    assert changes(before, recipe).reasons == []
    linked = recipe_with(
        tmp_path,
        stages=[
            {k: {**WRITTEN.get(k, {}), **({"links": True} if k == "extract_text" else {})}}
            for k in STAGE_KINDS
        ],
    )
    (reason,) = changes(before, linked).reasons
    assert "extract_text.links is true, and was null" in reason


# -- libraries -------------------------------------------------------------------------------------


@pytest.mark.parametrize("library", ["jsonschema-rs", "resiliparse", "ftfy"])
def test_another_library_is_named_apart_from_the_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    """Only a change of libraries can be accepted, so it is not mixed with other reasons."""
    recipe = recipe_with(tmp_path)
    before, real = built(recipe), identity_module.version
    monkeypatch.setattr(identity_module, "version", lambda name: "99.0" if name == library else real(name))
    found = changes(before, recipe)
    assert (found.reasons, found.rebuilds) == ([], True)
    assert [(one.name, one.was, one.now) for one in found.libraries] == [(library, real(library), "99.0")]
    assert joined_libraries(before, recipe.identity(), tools={}, reads=True)[library] == [
        real(library),
        "99.0",
    ]
    assert joined_libraries(before, recipe.identity(), tools={}, reads=False)[library] == [real(library)]


def test_a_library_that_no_stage_runs_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """trafilatura decides on the text only if the recipe chooses it."""
    plain = recipe_with(tmp_path)
    chosen = recipe_with(tmp_path, stages=[{"extract_text": {"method": "trafilatura"}}])
    before, before_chosen, real = built(plain), built(chosen), identity_module.version
    monkeypatch.setattr(
        identity_module, "version", lambda name: "99.0" if name == "trafilatura" else real(name)
    )
    assert changes(before, plain).libraries == []
    assert [one.name for one in changes(before_chosen, chosen).libraries] == ["trafilatura"]


def test_an_older_manifest_is_compared_without_libraries(tmp_path: Path) -> None:
    """Its digest did not cover them. The change is still reported, and the next manifest lists both."""
    recipe = recipe_with(tmp_path)
    before, now = built_first(recipe), recipe.identity().libraries["ftfy"]
    found = changes(before, recipe, tools={"ftfy": "1.0"})
    assert (found.reasons, found.rebuilds) == ([], False)
    assert [str(one) for one in found.libraries] == [f"ftfy is {now}, and the rows were made with 1.0"]
    assert joined_libraries(before, recipe.identity(), tools={"ftfy": "1.0"}, reads=True)["ftfy"] == [
        "1.0",
        now,
    ]


# -- the recipe ------------------------------------------------------------------------------------


@pytest.mark.parametrize("manifest", [built, built_first])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"stages": [{"validate": {}}]}, "extract_text was removed"),
        (
            {
                "stages": [
                    {k: WRITTEN.get(k, {})}
                    for k in (*STAGE_KINDS[:3], "dedup_exact", "dedup_url", "dedup_near")
                ]
            },
            "order",
        ),
        (
            {
                "stages": [
                    {k: {"threshold": 0.7} if k == "dedup_near" else WRITTEN.get(k, {})} for k in STAGE_KINDS
                ]
            },
            "dedup_near.threshold is 0.7, and was 0.8",
        ),
        (
            {"stages": [*({k: WRITTEN.get(k, {})} for k in STAGE_KINDS), {"dedup_near": {"name": "again"}}]},
            "again was added",
        ),
        (
            {
                "stages": [
                    {k: {"where": {"language": ["en"]}} if k == "repair_text" else WRITTEN.get(k, {})}
                    for k in STAGE_KINDS
                ]
            },
            'repair_text.where is {"language": ["en"]}, and was null',
        ),
        ({"splits": {"train": 0.5, "test": 0.5}}, "(splits)"),
        ({"columns": {"text": "title"}}, "(columns)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_change_of_the_recipe_is_named(
    tmp_path: Path, change: dict[str, Any], reason: str, manifest: Any
) -> None:
    """The announcement of a full rebuild says what differs."""
    before = manifest(recipe_with(tmp_path))
    (found,) = changes(before, recipe_with(tmp_path, **change)).reasons
    assert found.startswith("the stages, columns or splits have changed (")
    assert reason in found


@pytest.mark.parametrize("manifest", [built, built_first])
def test_a_default_may_be_written_out(tmp_path: Path, manifest: Any) -> None:
    """The two recipes mean the same."""
    before = manifest(recipe_with(tmp_path, stages=[{"dedup_near": {}}]))
    same = recipe_with(
        tmp_path, stages=[{"validate": None}, {"dedup_near": {"threshold": 0.8, "keep": "first"}}]
    )
    assert changes(before, same).reasons == []


@pytest.mark.parametrize("manifest", [built, built_first])
def test_the_value_of_a_variable_is_compared_but_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manifest: Any
) -> None:
    """It can be a secret."""
    sources = [{"csv": {"path": "a", "encoding": "${SECRET_ENCODING}"}}]
    stages = [{"extract_text": {"method": "resiliparse", "favor": "${SECRET_FAVOR}"}}]
    monkeypatch.setenv("SECRET_ENCODING", "latin-1")
    monkeypatch.setenv("SECRET_FAVOR", "recall")
    recipe = recipe_with(tmp_path, sources=sources, stages=stages)
    before = manifest(recipe)
    assert b"latin-1" not in canonical_json(before)
    assert b"recall" not in canonical_json(before)
    assert changes(before, recipe).reasons == []
    monkeypatch.setenv("SECRET_ENCODING", "utf-8")
    monkeypatch.setenv("SECRET_FAVOR", "precision")
    assert changes(before, recipe_with(tmp_path, sources=sources, stages=stages)).reasons == [
        "the stages, columns or splits have changed (a variable has another value)",
        "the options of the source csv have changed (a variable has another value)",
    ]


def test_a_new_source_is_no_change(tmp_path: Path) -> None:
    """builder only adds its inputs."""
    before = built(recipe_with(tmp_path, sources=[{"jsonl": {"path": "a"}}]))
    more = recipe_with(tmp_path, sources=[{"jsonl": {"path": "b"}}, {"csv": {"path": "c"}}])
    assert changes(before, more).reasons == []


# -- files and code --------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reads(RepairText):
    """A stage that reads a list."""

    identity: ClassVar[dict[str, str]] = {"source": "1"}

    def files(self, folder: Path) -> dict[str, Path]:
        return {"lists/words.txt": folder / "words.txt"}


def test_the_content_of_a_file_that_a_stage_reads_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest lists name, hash and size; a missing file is an error of the recipe."""
    (tmp_path / "words.txt").write_text("tide\n")
    recipe = dataclasses.replace(recipe_with(tmp_path), stages=(stage_class("validate")(), Reads()))
    recipe = dataclasses.replace(recipe, document={**recipe.document, "stages": [{"repair_text": {}}]})
    before = built(recipe)
    (file,) = recipe.identity().files
    assert (file.path, file.sha256, file.bytes) == (
        "lists/words.txt",
        hashlib.sha256(b"tide\n").hexdigest(),
        5,
    )
    (tmp_path / "words.txt").write_text("lamp\n")
    (reason,) = changes(before, recipe).reasons
    assert "repair_text reads other files: lists/words.txt" in reason
    (tmp_path / "words.txt").write_text("tide\n")
    monkeypatch.setattr(Reads, "identity", {"source": "2"})
    (reason,) = changes(before, recipe).reasons
    assert "the code of repair_text" in reason
    (tmp_path / "words.txt").unlink()
    with pytest.raises(RecipeError, match=r"lists/words\.txt: cannot be read"):
        recipe.identity()


def test_the_digest_of_a_recipe_does_not_change_between_releases(tmp_path: Path) -> None:
    """Another digest of the same facts would rebuild every corpus. Only new facts may change it."""
    recipe = recipe_with(
        tmp_path,
        sources=[{"jsonl": {"path": "a"}}],
        stages=[{"dedup_near": {"name": "strict", "where": {"sources": ["jsonl"], "language": ["en"]}}}],
    )
    first = [{"name": "validate", "options": {}}, {"name": "strict", "options": FIRST_STAGES["dedup_near"]}]
    described = recipe.identity().as_known(first, {"jsonl": {"options": FIRST_SOURCES["jsonl"]}})
    assert described.digest({"jsonschema-rs": "1.0"}) == CHAIN
    assert described.source_digests({"jsonl": {}}) == {"jsonl": SOURCE}


CHAIN = "6289c35121e2344d50a2944210ebb142f67aed1f2b39a194d377d5c38724d314"
SOURCE = "c05f6e3ab18ffadfe8486f687d3da82605b2c4ab733aa9d0aeeb4d944a100c57"
