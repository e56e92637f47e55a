"""No secret of an address is in a file or an output, and records keep their names when a token changes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import COMMAND, ledger_rows, manifest_of
from file_server import Site, serving

from builder.cli import main
from builder.errors import SourceError
from builder.io.streams import remote, streams
from builder.io.streams.address import Address
from builder.io.streams.paths import find_inputs
from builder.io.streams.remote import RemoteFile
from builder.io.streams.streams import open_input
from builder.recipe import Recipe

TOKEN = "CANARY-quay8x+sig/nature=="
CODED = "CANARY-quay8x%2Bsig%2Fnature%3D%3D"
OTHER = "CANARY-other-9d20"
PARTS = ("CANARY", "quay8x", "nature")
"""What must be nowhere: pieces of every token and password of these tests."""

FEED = b"".join(
    json.dumps({"url": f"https://a.example/{n}", "text": f"A page about harbour number {n}."}).encode()
    + b"\n"
    for n in range(20)
)


@pytest.fixture
def site() -> Iterator[Site]:
    """Serve a feed to requests with a token."""
    with serving(Site(files={"/dir/feed.jsonl": FEED}, tokens={TOKEN, OTHER})) as one:
        yield one


class Attempt:
    """Commands over one recipe, with the outputs of all of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outputs: list[str] = []

    def recipe(self, *paths: str, **options: Any) -> None:
        """Write the recipe; the file itself may contain secrets."""
        sources = [{"jsonl": {"path": path, **options}} for path in paths]
        document = {"name": "canary", "sources": sources, "stages": [{"dedup_exact": {}}], "corpus": "corpus"}
        (self.folder / "recipe.yaml").write_text(json.dumps(document))

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command in this process, and keep its output."""
        out, err = io.StringIO(), io.StringIO()
        status: Any = None
        with pytest.MonkeyPatch.context() as patch, contextlib.chdir(self.folder):
            for name, value in variables.items():
                patch.setenv(name, value)
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    main(list(arguments))
                except SystemExit as end:
                    status = end.code
        self.outputs += [out.getvalue(), err.getvalue()]
        return subprocess.CompletedProcess(arguments, status, *self.outputs[-2:])

    def build(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Build the recipe."""
        return self.run("build", "recipe.yaml", "--workers", "1", *arguments, **variables)

    def assert_no_secret(self, parts: Sequence[str] = PARTS) -> None:
        """Search every output, and every file except the recipe."""
        texts = {f"output {number}": text.encode() for number, text in enumerate(self.outputs)}
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and path.name != "recipe.yaml":
                texts[str(path.relative_to(self.folder))] = path.read_bytes() + decoded(path)
            texts[f"name of {path}"] = os.fsencode(path.relative_to(self.folder))
        found = [(name, part) for name, text in texts.items() for part in parts if part.encode() in text]
        assert found == []


def decoded(path: Path) -> bytes:
    """Return the values of a compressed table as text."""
    if path.suffix == ".parquet":
        return repr(pq.read_table(path).to_pylist()).encode()
    if path.suffix == ".arrow":
        with pa.memory_map(str(path)) as file:
            try:
                return repr(pa.ipc.open_file(file).read_all().to_pylist()).encode()
            except pa.ArrowInvalid:
                return b""
    return b""


@pytest.fixture
def attempt(tmp_path: Path) -> Attempt:
    return Attempt(tmp_path)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "path",
    [
        "http://127.0.0.1:{port}/dir/feed.jsonl?token=${{TOK}}",
        "http://127.0.0.1:{port}/dir/feed.jsonl?token={coded}&expires=9",
        "simplecache::http://127.0.0.1:{port}/dir/feed.jsonl?token=${{TOK}}",
        "${{BASE}}/feed.jsonl?token=${{TOK}}",
        "${{WHOLE}}",
    ],
)
def test_a_build_publishes_no_secret_of_an_address(site: Site, attempt: Attempt, path: str) -> None:
    """Builds, checks and reads of the corpus print and write only the public form of the address."""
    attempt.recipe(path.format(port=site.port, coded=CODED))
    base = site.url("/dir")
    variables = {"TOK": CODED, "BASE": base, "WHOLE": f"{base}/feed.jsonl?token={CODED}"}
    assert attempt.run("check", "recipe.yaml", **variables).returncode == 0
    done = attempt.build("--json", **variables)
    assert done.returncode == 0, done.stderr
    assert {row["path"] for row in ledger_rows(attempt.folder / "corpus")} == {"feed.jsonl"}
    for command in (["verify", "corpus"], ["versions", "corpus"], ["why", "corpus", "https://a.example/1"]):
        assert attempt.run(*command, **variables).returncode == 0
    attempt.assert_no_secret()


def test_a_password_in_an_address_opens_the_input_and_is_published_nowhere(attempt: Attempt) -> None:
    """User information is part of no name and of no message."""
    with serving(Site(files={"/feed.jsonl": FEED}, password="ann:CANARY-quay8x")) as site:
        attempt.recipe(site.url("/feed.jsonl", user="ann:CANARY-quay8x"))
        assert attempt.build().returncode == 0
        attempt.recipe(site.url("/gone.jsonl", user="ann:CANARY-quay8x"))
        assert attempt.build().returncode == 1
        assert "http://127.0.0.1" in attempt.outputs[-1]
    attempt.assert_no_secret()


def test_a_value_that_is_a_part_of_the_path_is_not_published(attempt: Attempt) -> None:
    """Where the value selects the name, the name keeps the variable; the codec is still known."""
    with serving(Site(files={"/CANARY-quay8x/a.jsonl": FEED, "/x/CANARY-quay8x.jsonl": FEED[:200]})) as site:
        attempt.recipe(site.url("/${TOK}/*.jsonl"), site.url("/x/${TOK}.jsonl"))
        done = attempt.build(TOK="CANARY-quay8x")
        assert done.returncode == 0, done.stderr
    names = {row["path"] for row in ledger_rows(attempt.folder / "corpus")}
    assert names == {"a.jsonl", "${TOK}.jsonl"}
    attempt.assert_no_secret()


@pytest.mark.parametrize("path", ["/dir/gone.jsonl", "/gone/*.jsonl", "/dir/feed.jsonl"])
def test_a_failed_build_prints_no_secret(site: Site, attempt: Attempt, path: str) -> None:
    """Errors of libraries quote the address: here 404, a glob without files, and 403."""
    site.tokens = {TOKEN} if "gone" in path else {"another"}
    attempt.recipe(site.url(path) + "?token=${TOK}")
    for command in (["check", "recipe.yaml"], ["build", "recipe.yaml"], ["build", "recipe.yaml", "--json"]):
        done = attempt.run(*command, TOK=CODED)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert site.url(path) in done.stderr
    attempt.assert_no_secret()


def test_a_read_that_breaks_off_prints_no_secret(
    site: Site, attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message of the library that reads is redacted; the spool of the build has no secret either."""
    monkeypatch.setattr(streams, "RETRY_DELAYS_S", ())
    site.broken = {"/dir/feed.jsonl"}
    attempt.recipe(site.url("/dir/feed.jsonl") + "?token=${TOK}")
    done = attempt.build(TOK=CODED)
    assert done.returncode == 1
    assert "cannot be read" in done.stderr
    attempt.assert_no_secret()


def test_a_fault_of_the_recipe_quotes_no_secret(attempt: Attempt) -> None:
    """A fault shows the value that is wrong, but variables and query strings are not filled in."""
    source = "https://h.example/a.jsonl?token=${TOK}"
    document = {"name": "canary", "sources": [{"jsonl": source}], "corpus": "corpus"}
    (attempt.folder / "recipe.yaml").write_text(json.dumps(document))
    assert attempt.build(TOK="CANARY-quay8x").returncode == 1
    assert "h.example" in attempt.outputs[-1]
    setting = "sources.jsonl.path.x=https://h.example/?token=CANARY-quay8x"
    assert attempt.build("--set", setting, TOK="x").returncode == 1
    attempt.recipe("${DIR}/gone.jsonl")
    assert attempt.build(DIR="/CANARY-quay8x").returncode == 1
    assert "${DIR}/gone.jsonl" in attempt.outputs[-1]
    attempt.assert_no_secret()


@pytest.mark.parametrize("path", ["/dir/feed.jsonl", "/dir/gone.jsonl"])
def test_commands_that_take_addresses_print_no_secret(site: Site, attempt: Attempt, path: str) -> None:
    """`dedup` and `validate` take addresses on the command line, and find the format by the name."""
    address = f"{site.url(path)}?token={CODED}"
    site.files["/dir/feed.jsonl"] += b"{}\nnot JSON\n"
    there = path in site.files
    assert attempt.run("dedup", address, "--output", "deduped").returncode == (0 if there else 1)
    validate = ["validate", address, "--contract", "document-1"]
    for more in (["--rejected", "rejected.jsonl"], ["--json"]):
        assert attempt.run(*validate, *more).returncode == (4 if there else 1)
    assert attempt.run("dedup", f"{site.url('/x')}?token={CODED}", "--output", "deduped").returncode == 1
    attempt.assert_no_secret()


def test_records_keep_their_names_when_a_token_changes(site: Site, attempt: Attempt) -> None:
    """With a new token nothing is new or missing, and a longer feed adds only its new records."""
    attempt.recipe(site.url("/dir/feed.jsonl") + "?token=${TOK}")
    assert attempt.build(TOK=CODED).returncode == 0
    again = attempt.build(TOK=OTHER)
    assert "nothing new" in again.stdout
    assert "missing" not in again.stderr
    page = json.dumps({"url": "https://a.example/new", "text": "A page that is new."}).encode()
    site.files["/dir/feed.jsonl"] = FEED + page + b"\n"
    added = attempt.build(TOK=OTHER)
    assert "missing" not in added.stderr
    counts = manifest_of(attempt.folder / "corpus")["counts"]
    assert (counts["records"], counts["known"], counts["kept"]) == (1, 20, 1)
    attempt.assert_no_secret()


@pytest.fixture
def old_rule(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Name inputs as rule 1 did, with their query strings, and write no number."""

    def manifest_facts(self: Recipe, **options: Any) -> dict[str, Any]:
        return {name: value for name, value in facts(self, **options).items() if name != "input_rules"}

    def named_by_rule_1(pattern: Address, opened: str, former: str, name: str, size_bytes: int) -> RemoteFile:
        assert name
        return RemoteFile(pattern.beside(opened), former, former, size_bytes)

    facts = Recipe.manifest_facts
    with monkeypatch.context() as patch:
        patch.setattr(Recipe, "manifest_facts", manifest_facts)
        patch.setattr(
            remote, "_remote", lambda of, opened, old, _, size: RemoteFile(of.beside(opened), old, old, size)
        )
        yield patch


def test_a_corpus_of_rule_1_keeps_its_names_until_a_full_build(
    site: Site, attempt: Attempt, old_rule: pytest.MonkeyPatch
) -> None:
    """It is compared by its own rule: records are known, with the same token and with another one."""
    attempt.recipe(site.url("/dir/feed.jsonl") + "?token=${TOK}")
    assert attempt.build(TOK=CODED).returncode == 0
    old_rule.undo()
    corpus = attempt.folder / "corpus"
    assert {row["path"] for row in ledger_rows(corpus)} == {f"feed.jsonl?token={CODED}"}
    assert "nothing new" in attempt.build(TOK=CODED).stdout
    page = json.dumps({"url": "https://a.example/new", "text": "A page that is new."}).encode()
    site.files["/dir/feed.jsonl"] = FEED + page + b"\n"
    added = attempt.build(TOK=OTHER)
    assert "missing" not in added.stderr
    counts = manifest_of(corpus)["counts"]
    assert (counts["records"], counts["known"], counts["kept"]) == (1, 20, 1)
    assert "input_rules" not in manifest_of(corpus)["recipe"]
    attempt.assert_no_secret(["other-9d20"])
    assert attempt.build("--full", TOK=OTHER).returncode == 0
    assert manifest_of(corpus)["recipe"]["input_rules"] == 2
    assert {row["path"] for row in ledger_rows(corpus)} == {"feed.jsonl"}
    assert "CANARY" not in "".join(attempt.outputs)


def test_a_resumed_build_does_not_depend_on_the_token(site: Site, attempt: Attempt) -> None:
    """The spool's name is a digest without the path's secrets."""
    attempt.recipe(site.url("/dir/feed.jsonl") + "?token=${TOK}")
    site.files["/dir/feed.jsonl"] = FEED + b"{}\n"
    for token in (CODED, OTHER):
        assert attempt.build("--max-rejected", "0", TOK=token).returncode == 3
    assert len(list((attempt.folder / "corpus" / ".spool").glob("*/0"))) == 1
    attempt.assert_no_secret()


def test_a_process_of_its_own_prints_no_secret(site: Site, attempt: Attempt) -> None:
    """Workers and libraries print to the process's own outputs."""
    site.files["/dir/feed.jsonl"] += b"{}\nnot JSON\n"
    attempt.recipe(site.url("/dir/feed.jsonl") + "?token=${TOK}", site.url("/dir/*.jsonl") + "?token=${TOK}")
    command = [*COMMAND, "build", "recipe.yaml", "--workers", "2"]
    environment = {**os.environ, "TOK": CODED, "PYTHONDEVMODE": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, cwd=attempt.folder, env=environment
    )
    attempt.outputs += [done.stdout, done.stderr]
    assert done.returncode == 0, done.stderr
    attempt.assert_no_secret()


# -- redirects -------------------------------------------------------------------------------------


def test_a_redirect_to_another_host_is_refused(attempt: Attempt) -> None:
    """The error names both hosts and the option, and not the rest of the location."""
    with serving(Site(files={"/feed.jsonl": FEED})) as other:
        location = other.url("/feed.jsonl?token=CANARY-quay8x", host="localhost")
        with serving(Site(files={}, redirects={"/feed.jsonl": location})) as site:
            attempt.recipe(site.url("/feed.jsonl"))
            done = attempt.build()
            assert done.returncode == 1
            assert "another host, localhost" in done.stderr
            assert "redirect_hosts: [localhost]" in done.stderr
            assert other.asked == []
            for allowed in (["localhost"], ["*"]):
                attempt.recipe(site.url("/feed.jsonl"), redirect_hosts=allowed)
                assert attempt.build().returncode == 0
    attempt.assert_no_secret()


def test_a_redirect_to_another_port_is_refused(attempt: Attempt) -> None:
    """Another port is another server."""
    with serving(Site(files={"/feed.jsonl": FEED})) as other:
        redirects = {"/feed.jsonl": other.url("/feed.jsonl")}
        with serving(Site(files={}, redirects=redirects)) as site:
            attempt.recipe(f"simplecache::{site.url('/feed.jsonl')}")
            done = attempt.build()
    assert done.returncode == 1
    assert f"to http://127.0.0.1:{other.port}" in done.stderr
    assert other.asked == []


def test_a_redirect_on_the_same_host_is_followed(attempt: Attempt) -> None:
    """Servers redirect to other paths of their own."""
    with serving(Site(files={"/b/feed.jsonl": FEED}, redirects={"/feed.jsonl": "/b/feed.jsonl"})) as site:
        attempt.recipe(site.url("/feed.jsonl"))
        assert attempt.build().returncode == 0


def test_a_redirect_that_begins_while_the_input_is_read_is_refused(attempt: Attempt) -> None:
    """The rule holds for the requests that read, not only for those that list."""
    feed = {"/feed.jsonl": FEED}
    with serving(Site(files=feed)) as other, serving(Site(files=feed)) as site:
        (found,) = find_inputs(site.url("/feed.jsonl"))
        site.redirects = {"/feed.jsonl": other.url("/feed.jsonl?token=CANARY")}
        with pytest.raises(SourceError, match="the server redirects from") as caught:
            open_input(found.path)
    assert "CANARY" not in str(caught.value)
    assert other.asked == []
