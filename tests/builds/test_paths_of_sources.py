"""Paths of sources and of the corpus, as people write them: what is read, and what is passed over."""

from __future__ import annotations

import contextlib
import io
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from commands import ledger_rows

from builder.cli import main
from builder.errors import RecipeError
from builder.recipe import Recipe

PAGE = "<html><body><article><h1>{0}</h1><p>This page tells about {0} in a full sentence.</p></article>"
RECORD = '{"url": "https://a.example/1", "text": "One short page about a harbour."}\n'


class Done(NamedTuple):
    """The end of a command."""

    status: Any
    out: str
    err: str


def run(folder: Path, *arguments: str) -> Done:
    """Run a command in a folder."""
    out, err = io.StringIO(), io.StringIO()
    status: Any = None
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(list(arguments))
        except SystemExit as end:
            status = end.code
    return Done(status, out.getvalue(), err.getvalue())


def write(folder: Path, *names: str) -> None:
    """Write pages with these names."""
    for name in names:
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(RECORD if name.endswith(".jsonl") else PAGE.format(place.stem))


def recipe(folder: Path, path: str, *, kind: str = "html", corpus: str = "out") -> Path:
    """Write a recipe with one source."""
    folder.mkdir(parents=True, exist_ok=True)
    stages = [{"extract_text": {}}] if kind == "html" else []
    document = {"name": "t", "sources": [{kind: {"path": path}}], "corpus": corpus, "stages": stages}
    (folder / "recipe.yaml").write_text(json.dumps(document))
    return folder / "recipe.yaml"


def read_names(folder: Path, path: str, **options: Any) -> list[str]:
    """Build a source, and return the names of the files that were read."""
    done = run(folder, "build", str(recipe(folder, path, **options)), "--workers", "1")
    assert done.status == 0, done.err
    return sorted({row["path"] for row in ledger_rows(folder / "out")})


# -- names like addresses and globs ----------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "p",
        "p/*",
        "p/File::Spec.html",
        "p/File::*.html",
        "p/**/*Spec.html",
        "file://{folder}/p/File::Spec.html",
    ],
)
def test_a_local_file_with_colons_in_its_name_is_read(tmp_path: Path, path: str) -> None:
    """Every Perl manual has such names; they are not chains of fsspec."""
    write(tmp_path, "p/File::Spec.html")
    assert read_names(tmp_path, path.format(folder=tmp_path)) == ["File::Spec.html"]


@pytest.mark.parametrize("name", ["zip::notes.html", "simplecache::x.html", "File::Spec.html", "a:b.html"])
def test_a_file_that_exists_is_local_even_if_it_begins_like_a_chain(tmp_path: Path, name: str) -> None:
    """A file next to the recipe, given by its bare name."""
    write(tmp_path, name)
    assert read_names(tmp_path, name) == [name]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("crawl [v1]/*.html", ["a.html"]),
        ("crawl [v1]", ["a.html", "deep {x,y}/b?.html"]),
        ("crawl [v1]/deep {x,y}/*.html", ["b?.html"]),
        ("crawl [v1]/deep {x,y}/b?.html", ["b?.html"]),
        ("crawl*/deep {x,y}/b?.html", ["crawl [v1]/deep {x,y}/b?.html"]),
    ],
)
def test_a_folder_whose_name_looks_like_a_glob_is_found(
    tmp_path: Path, path: str, expected: list[str]
) -> None:
    """A path that exists is not a glob, in every part of the path."""
    write(tmp_path, "crawl [v1]/a.html", "crawl [v1]/deep {x,y}/b?.html")
    found = Recipe.load(recipe(tmp_path, path)).sources[0].inputs()
    assert [one.name for one in found] == expected


def test_a_recipe_below_a_folder_with_brackets_finds_its_inputs(tmp_path: Path) -> None:
    """Paths are made absolute before they are read, so the folder of the recipe must not become a glob."""
    folder = tmp_path / "my [first] corpus"
    write(folder, "feed/a.html")
    loaded = Recipe.load(recipe(folder, "feed/*.html", corpus=str(tmp_path / "out")))
    assert [one.name for one in loaded.sources[0].inputs()] == ["a.html"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("p/{a,b}.html", ["a.html", "b.html"]),
        ("p/{a,b,gone}.html", ["a.html", "b.html"]),
        ("p/*.{html,htm}", ["a.html", "b.html", "c.htm"]),
        ("p/{x/d,a}.html", ["a.html", "x/d.html"]),
        ("p/{a,{b,c}}.htm*", ["a.html", "b.html", "c.htm"]),
        ("{p,q}/a.html", ["p/a.html", "q/a.html"]),
        ("r/{a}.html", ["{a}.html"]),
        ("*/{b,c}.html", ["p/b.html", "r/{b,c}.html"]),
    ],
)
def test_braces_select_alternatives(tmp_path: Path, path: str, expected: list[str]) -> None:
    """Names begin after the last folder before the braces; braces without a comma are plain characters."""
    write(tmp_path, "p/a.html", "p/b.html", "p/c.htm", "p/x/d.html", "q/a.html", "r/{a}.html", "r/{b,c}.html")
    found = Recipe.load(recipe(tmp_path, path)).sources[0].inputs()
    assert [one.name for one in found] == expected


def test_braces_that_represent_too_many_globs_are_refused(tmp_path: Path) -> None:
    """Thirty pairs of braces represent a billion globs."""
    loaded = Recipe.load(recipe(tmp_path, "{a,b}" * 30))
    with pytest.raises(RecipeError, match="more than 1,000 globs"):
        loaded.sources[0].inputs()


@pytest.mark.parametrize("path", ["~/feed/*.html", "~/feed", "~/feed/a.html"])
def test_a_tilde_is_the_home_of_the_user(tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For sources and for the corpus; no folder called `~` is made next to the recipe."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    write(tmp_path / "home", "feed/a.html")
    (tmp_path / "work").mkdir()
    done = run(tmp_path, "build", str(recipe(tmp_path / "work", path, corpus="~/corp")), "--workers", "1")
    assert done.status == 0, done.err
    assert (tmp_path / "home" / "corp" / "latest" / "manifest.json").exists()
    assert [one.name for one in (tmp_path / "work").iterdir()] == ["recipe.yaml"]


# -- the corpus ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        ("s3://bucket/corp", "is an address"),
        ("s3://bucket/corp", "object storage has no renames, links and locks"),
        ("hf://datasets/me/corp", "is an address"),
        ("file:///tmp/corp", "is an address"),
        ("https://ann:secret@h.example/corp?token=secret", "'https://h.example/corp' is an address"),
        ("~nobody-of-this-name/corp", "is not known"),
        ("out [v1]", "contains '['"),
        ("out[1]/corp", "contains '['"),
        ("a::b", "contains '::'"),
        ("corpora/*", "contains '*'"),
        ("what?", "contains '?'"),
    ],
)
@pytest.mark.parametrize("command", ["check", "build"])
def test_a_corpus_that_nobody_could_load_is_refused_before_anything_is_read(
    tmp_path: Path, command: str, corpus: str, message: str
) -> None:
    """The input does not exist: the fault of the corpus comes first, and nothing is written."""
    path = recipe(tmp_path, "gone.jsonl", kind="jsonl", corpus=corpus)
    done = run(tmp_path, command, str(path))
    assert done.status == 1
    assert done.err.startswith("error: corpus: ")
    assert message in done.err
    assert "secret" not in done.err
    assert [one.name for one in tmp_path.iterdir()] == ["recipe.yaml"]


def test_a_recipe_in_a_folder_with_brackets_needs_a_corpus_elsewhere(tmp_path: Path) -> None:
    """The whole path of the corpus counts, not only what the recipe says."""
    with pytest.raises(RecipeError, match=r"contains '\['"):
        Recipe.load(recipe(tmp_path / "x [1]", "a.html"))


@pytest.mark.parametrize(
    "arguments", [("dedup", "a.jsonl", "--output"), ("init",), ("fetch", "me/corp@1.0.0")]
)
@pytest.mark.parametrize("place", ["s3://bucket/corp", "out [v1]", "a::b"])
def test_other_commands_refuse_such_a_folder_too(
    tmp_path: Path, arguments: tuple[str, ...], place: str
) -> None:
    """Each command that makes a corpus checks its folder first."""
    write(tmp_path, "a.jsonl")
    done = run(tmp_path, *arguments, place)
    assert done.status == 1
    assert "error: " in done.err
    assert [one.name for one in tmp_path.iterdir()] == ["a.jsonl"]


@pytest.mark.parametrize("command", ["verify", "versions", "optout", "show"])
def test_a_command_on_object_storage_says_why_it_cannot(tmp_path: Path, command: str) -> None:
    """An address is not taken for a folder that is missing, and its password is not printed."""
    done = run(tmp_path, command, "s3://ann:secret@bucket/corp")
    assert done.status == 1
    assert "is an address, and a corpus is a local or shared folder" in done.err
    assert "secret" not in done.err
    assert list(tmp_path.iterdir()) == []


# -- what is passed over ---------------------------------------------------------------------------

PAGES = ("index.html", "OLD.HTM", "page.php?id=2")
OTHERS = ("about", "news.aspx", "old.shtml", "style.css", "logo.png")


def test_what_a_folder_passes_over_is_counted_and_named(tmp_path: Path) -> None:
    """A mirror of `wget -r`: a page is known by its name or its content, and other files are passed over."""
    write(tmp_path, *(f"mirror/a.example/{name}" for name in (*PAGES, *OTHERS)))
    for name in OTHERS:
        (tmp_path / "mirror/a.example" / name).write_text("p { color: red }")
    path = str(recipe(tmp_path, "mirror"))
    line = "html passed over 5 (reason: the name does not match): a.example/about, a.example/logo.png, "
    for command in ("check", "build"):
        done = run(tmp_path, command, path)
        assert done.status == 0, done.err
        assert line + "a.example/news.aspx, ..." in done.out
    assert line in run(tmp_path, "build", path).out, "a build that finds nothing new says it, too"
    (counted,) = json.loads(run(tmp_path, "build", path, "--json").out)["passed_over"]
    assert counted == {
        "source": "html",
        "reason": "other_name",
        "count": 5,
        "examples": ["a.example/about", "a.example/logo.png", "a.example/news.aspx"],
    }
    (checked,) = json.loads(run(tmp_path, "check", path, "--json").out)["passed_over"]
    assert checked == counted


def counts(folder: Path, path: str, kind: str = "html") -> dict[str, tuple[int, tuple[str, ...]]]:
    """Return what a source passes over, by reason."""
    (source,) = Recipe.load(recipe(folder, path, kind=kind, corpus="/tmp/out")).sources
    return {one.reason: (one.count, one.examples) for one in source.passed_over()}  # type: ignore[attr-defined]


def test_names_that_begin_with_a_dot_or_an_underscore_are_passed_over(tmp_path: Path) -> None:
    """Spark writes `_SUCCESS` and `_temporary/`; both are counted, and the files in a folder are not."""
    write(
        tmp_path,
        *("t/a.html", "t/_SUCCESS", "t/_temporary/0/b.html", "t/.git/c.html", "t/d/_e.html", "t/.x.html"),
    )
    hidden = (5, (".git/", ".x.html", "_SUCCESS"))
    assert counts(tmp_path, "t") == {"hidden": hidden}
    assert counts(tmp_path, "t/**") == {"hidden": hidden}
    assert read_names(tmp_path, "t") == ["a.html"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [("t/_*", ["_a.html"]), ("t/_p/*.html", ["b.html"]), ("t/_a.html", ["_a.html"]), ("t/*/*", ["q/c.html"])],
)
def test_a_glob_that_begins_with_an_underscore_selects_such_names(
    tmp_path: Path, path: str, expected: list[str]
) -> None:
    """As with a dot: who writes the underscore means it."""
    write(tmp_path, "t/_a.html", "t/_p/b.html", "t/q/c.html")
    found = Recipe.load(recipe(tmp_path, path)).sources[0].inputs()
    assert [one.name for one in found] == expected


def test_what_a_glob_does_not_match_is_counted(tmp_path: Path) -> None:
    """In the folders that the glob looks into; a folder that it does not look into is one."""
    write(tmp_path, "t/a.html", "t/b.txt", "t/deep/c.html", "t/deep/d.html")
    assert counts(tmp_path, "t/*.html") == {"other_name": (2, ("b.txt", "deep/"))}
    assert counts(tmp_path, "t/a.html") == {}


def test_a_file_that_another_source_reads_is_not_passed_over(tmp_path: Path) -> None:
    """Two sources may share a folder; what neither of them reads is counted for both."""
    write(tmp_path, "t/a.html", "t/b.jsonl", "t/deep/c.html", "t/d.txt")
    sources = [{"html": {"path": "t/**/*.html"}}, {"jsonl": {"path": "t/*.jsonl"}}]
    document = {"name": "t", "sources": sources, "corpus": "out", "stages": [{"extract_text": {}}]}
    (tmp_path / "recipe.yaml").write_text(json.dumps(document))
    done = run(tmp_path, "build", "recipe.yaml", "--json")
    counted = {one["source"]: one["examples"] for one in json.loads(done.out)["passed_over"]}
    assert counted == {"html": ["d.txt"], "jsonl": ["d.txt"]}


def test_folders_that_link_to_each_other_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight folders with links to all others have 109,600 ways through them; each folder is listed once."""
    for one in range(8):
        write(tmp_path, f"t/{one}/page.html")
        for other in range(8):
            if other != one:
                (tmp_path / f"t/{one}/to-{other}").symlink_to(tmp_path / f"t/{other}")
    listed: list[str] = []

    def scandir(path: str) -> Any:
        listed.append(path)
        return really(path)

    really = os.scandir
    monkeypatch.setattr(os, "scandir", scandir)
    found = Recipe.load(recipe(tmp_path, "t/**/*.html", corpus="/tmp/out")).sources[0].inputs()
    assert [one.name for one in found] == [f"{one}/page.html" for one in range(8)]
    assert len([one for one in listed if one.startswith(str(tmp_path))]) == 9
    assert counts(tmp_path, "t")["linked_folder"] == (56, ("0/to-1/", "0/to-2/", "0/to-3/"))


def test_a_linked_folder_is_read_where_only_the_link_matches(tmp_path: Path) -> None:
    """A folder that was seen on another level of the glob is still read where its files match."""
    write(tmp_path, "t/a/x.html")
    (tmp_path / "t/d").mkdir()
    (tmp_path / "t/d/b").symlink_to(tmp_path / "t/a")
    (tmp_path / "t/up").symlink_to(tmp_path / "t")
    found = Recipe.load(recipe(tmp_path, "t/*/*/x.html", corpus="/tmp/out")).sources[0].inputs()
    assert [one.name for one in found] == ["d/b/x.html", "up/a/x.html"]
