"""Contracts from files: how references are resolved, and that none reaches the network."""

from __future__ import annotations

import http.server
import json
import pickle
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from builder.domain.contract.judge import Judge, judge_of
from builder.errors import ContractError
from builder.io.contracts import builtin_contract, load_contract, load_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

STRING = {"type": "string"}


def write(path: Path, schema: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema), encoding="utf-8")


def with_reference(reference: str, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": {"$ref": reference}}, **more}


def test_built_in_contracts_have_their_published_columns() -> None:
    """Other code relies on these columns of page-1 and document-1, in this order."""
    page, document = builtin_contract("page-1"), builtin_contract("document-1")
    names = "url html text fetched_at status content_type title author date language headers extra"
    assert page.columns.names == names.split()
    assert document.columns.names == [
        "id",
        "url",
        "text",
        "title",
        "author",
        "date",
        "language",
        "fetched_at",
    ]
    assert (page.name, page.major, page.label, page.outgoing) == ("page", 1, "page-1", document)
    assert load_contract("page-1", folder=Path("nowhere")) is page


def test_a_contract_can_be_pickled() -> None:
    """Workers receive contracts by pickle, and the copy is the same cache key."""
    page = builtin_contract("page-1")
    copy = pickle.loads(pickle.dumps(page))
    assert (copy, hash(copy), copy.columns) == (page, hash(page), page.columns)
    assert judge_of(copy) is judge_of(page)


def test_the_file_name_gives_the_name_and_the_major_version(tmp_path: Path) -> None:
    """``article-2.schema.json`` is version 2 of ``article``."""
    write(tmp_path / "article-2.schema.json", {"type": "object", "properties": {"a": STRING}})
    contract = load_contract("article-2.schema.json", folder=tmp_path)
    assert (contract.name, contract.major) == ("article", 2)


def test_references_resolve_inside_below_and_in_given_folders(tmp_path: Path) -> None:
    """Anchors and pointers; files below the schema's folder and back; ids and paths of given folders."""
    own, given = tmp_path / "own", tmp_path / "given"
    properties = {
        "inside": {"$ref": "#/$defs/x"},
        "anchor": {"$ref": "#y"},
        "below": {"$ref": "parts/a%20b.json#/$defs/z"},
        "back": {"$ref": "parts/back.json"},
        "by_id": {"$ref": "https://schemas.example/named"},
        "by_path": {"$ref": "http://localhost:1234/nested/path.json"},
        "by_host": {"$ref": "http://h.example/host.json"},
    }
    defs = {"x": STRING, "y": {"$anchor": "y", "type": "integer"}}
    write(own / "root.json", {"type": "object", "properties": properties, "$defs": defs})
    write(own / "parts" / "a b.json", {"$defs": {"z": {"$ref": "c.json"}}})
    write(own / "parts" / "c.json", {"type": "boolean"})
    write(own / "parts" / "back.json", {"$ref": "../root.json#/$defs/x"})
    write(given / "any.json", {"$id": "https://schemas.example/named", "type": "number"})
    write(given / "nested" / "path.json", {"type": "integer"})
    write(given / "h.example" / "host.json", STRING)
    contract = load_contract("root.json", folder=own, schemas=[given])
    types = {f.name: str(f.type) for f in contract.columns}
    assert types == {
        "inside": "string",
        "anchor": "int64",
        "below": "bool",
        "back": "string",
        "by_id": "double",
        "by_path": "int64",
        "by_host": "string",
        "extra": "string",
    }
    assert not any(str(tmp_path) in uri for uri in contract.documents)
    assert judge_of(contract).accepts({"below": True, "by_path": 1})
    assert not judge_of(contract).accepts({"below": 1})


def test_references_relative_to_an_id_are_below_the_folder(tmp_path: Path) -> None:
    """A schema with a URL as its id finds neighbouring files in its own folder."""
    write(tmp_path / "root.json", with_reference("part.json", **{"$id": "https://s.example/x/root.json"}))
    write(tmp_path / "part.json", STRING)
    assert load_contract("root.json", folder=tmp_path).columns.field("a").type == "string"


def test_the_digest_covers_everything_that_can_change_a_verdict(tmp_path: Path) -> None:
    """A change in a referenced document changes the digest; the folder's name does not."""
    digests = []
    for folder, part in (("a", STRING), ("b", STRING), ("c", {"type": "integer"})):
        write(tmp_path / folder / "root.json", with_reference("part.json"))
        write(tmp_path / folder / "part.json", part)
        digests.append(load_contract("root.json", folder=tmp_path / folder).digest)
    assert digests[0] == digests[1] != digests[2]


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """Start a local server that would return a schema and that records each request."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: Any) -> None:
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", asked
        running.shutdown()
        thread.join()


REMOTE = [
    lambda url: with_reference(f"{url}/a.json"),
    lambda url: with_reference("a.json", **{"$id": f"{url}/root.json"}),
    lambda url: with_reference("#", **{"$defs": {"unused": {"$ref": f"{url}/a.json#/x"}}}),
    lambda url: with_reference("#x", **{"$defs": {"x": {"$id": f"{url}/b/", "$ref": "a.json"}}}),
    lambda url: with_reference("#", **{"$dynamicRef": f"{url}/a.json#x"}),
    lambda url: with_reference("#", **{"$schema": f"{url}/schema"}),
    lambda url: {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "id": f"{url}/r.json",
        "$ref": "a.json",
    },
    lambda url: {"$schema": "http://json-schema.org/draft-07/schema#", "$ref": f"{url}/a.json"},
    lambda url: {"$schema": "https://json-schema.org/draft/2019-09/schema", "$recursiveRef": f"{url}/a.json"},
]


@pytest.mark.parametrize("make", REMOTE)
def test_remote_references_are_not_followed(make: Any, server: tuple[str, list[str]], tmp_path: Path) -> None:
    """A reference to a running server is refused, and the server receives no request."""
    url, asked = server
    write(tmp_path / "root.json", make(url))
    with pytest.raises(ContractError):
        load_schema("root.json", folder=tmp_path)
    assert asked == []


def test_nothing_is_fetched_when_records_are_judged(server: tuple[str, list[str]], tmp_path: Path) -> None:
    """Identifiers, media types and metaschemas that look like addresses are only names."""
    url, asked = server
    schema = {
        "$id": f"{url}/root.json",
        "$comment": f"{url}/comment",
        "properties": {
            "a": {"$id": f"{url}/part.json", "default": {"$ref": f"{url}/x"}, "enum": [{"$ref": url}]}
        },
    }
    write(tmp_path / "root.json", schema)
    loaded = load_schema("root.json", folder=tmp_path)
    judge = Judge(loaded.schema, loaded.documents)
    assert judge.accepts({"a": {"$ref": url}})
    assert judge.explain({"a": {"$ref": "other"}})
    assert asked == []


@pytest.mark.parametrize(
    ("reference", "advice"),
    [
        ("../outside.json", "it leads out of the schema's folder"),
        ("sub/../../outside.json", "it leads out of the schema's folder"),
        ("..%2Foutside.json", "the file is neither below"),
        ("/etc/passwd", "it leads out of the schema's folder"),
        ("link.json", "the file is neither below"),
        ("missing.json", "the file is neither below"),
        ("FILE", "file: references are never followed"),
        ("#/$defs/missing", "the document has no such place"),
        ("https://schemas.example/x.json", "nothing is fetched: save https://schemas.example/x.json"),
    ],
)
def test_references_outside_the_folder_are_refused(reference: str, advice: str, tmp_path: Path) -> None:
    """The outside is reached by ``..``, an absolute path, ``file:`` or a link."""
    write(tmp_path / "outside.json", STRING)
    own = tmp_path / "own"
    reference = reference.replace("FILE", (tmp_path / "outside.json").as_uri())
    write(own / "root.json", with_reference(reference))
    (own / "link.json").symlink_to(tmp_path / "outside.json")
    with pytest.raises(ContractError) as refused:
        load_contract("root.json", folder=own)
    (fault,) = refused.value.faults
    assert fault.where == "root.json/properties/a/$ref"
    assert repr(reference) in fault.what
    assert fault.advice.startswith(advice)


def test_all_missing_references_are_reported(tmp_path: Path) -> None:
    """Also those of referenced documents, so that one run finds them all."""
    write(tmp_path / "root.json", {"allOf": [{"$ref": "a.json"}, {"$ref": "b.json"}]})
    write(tmp_path / "a.json", {"$ref": "c.json"})
    with pytest.raises(ContractError) as refused:
        load_schema("root.json", folder=tmp_path)
    assert [fault.what for fault in refused.value.faults] == [
        "the reference 'b.json' cannot be resolved",
        "the reference 'c.json' cannot be resolved",
    ]


OLD_DRAFTS = [
    "http://json-schema.org/draft-04/schema#",
    "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-07/schema#",
]


@pytest.mark.parametrize("draft", OLD_DRAFTS)
@pytest.mark.parametrize("order", [("schema", "names"), ("names", "schema")])
def test_dependencies_may_mix_schemas_and_lists_of_names(
    draft: str, order: tuple[str, str], tmp_path: Path
) -> None:
    """References in the schemas are followed, whichever comes first."""
    dependencies = {"schema": {"$ref": "needs.json"}, "names": ["b"]}
    schema = {"$schema": draft, "type": "object", "properties": {"a": STRING}}
    write(tmp_path / "root.json", {**schema, "dependencies": {name: dependencies[name] for name in order}})
    with pytest.raises(ContractError, match=r"'needs\.json' cannot be resolved"):
        load_schema("root.json", folder=tmp_path)
    write(tmp_path / "needs.json", {"required": ["c"]})
    loaded = load_schema("root.json", folder=tmp_path)
    judge = Judge(loaded.schema, loaded.documents)
    given = [{"schema": 1}, {"names": 1}, {"schema": 1, "names": 1, "b": 1, "c": 1}, {}]
    assert [judge.accepts(value) for value in given] == [False, False, True, True]
    assert load_contract("root.json", folder=tmp_path).columns.names == ["a", "extra"]


UNUSED = [
    {"$ref": "missing.json"},
    {"$ref": "https://schemas.example/missing.json#/definitions/x"},
    {"$ref": "#/definitions/nowhere"},
    {"$ref": "#nowhere"},
    {"properties": {"a": {"$ref": "missing.json#/x"}}},
]


@pytest.mark.parametrize("unused", UNUSED)
@pytest.mark.parametrize("reference", ["other.json", "other.json#/definitions/used"])
def test_a_reference_in_an_unused_part_of_another_document_need_not_resolve(
    reference: str, unused: dict[str, Any], tmp_path: Path
) -> None:
    """The reference implementation never follows it. A part that is used is still refused."""
    other = {"definitions": {"used": {"type": "string"}, "unused": unused}}
    write(tmp_path / "root.json", with_reference(reference))
    write(tmp_path / "other.json", other)
    loaded = load_schema("root.json", folder=tmp_path)
    judge = Judge(loaded.schema, loaded.documents)
    assert judge.accepts({"a": "x"})
    assert judge.accepts({"a": 1}) == (reference == "other.json")
    write(tmp_path / "root.json", with_reference("other.json#/definitions/unused"))
    with pytest.raises(ContractError, match="cannot be resolved"):
        load_schema("root.json", folder=tmp_path)


@pytest.mark.parametrize(
    "reference", ["http://[bad", "#/properties/a/$ref/x", "#/allOf/x", "#/type/0/x", "#/minProperties/x"]
)
def test_a_malformed_reference_is_refused(reference: str, tmp_path: Path) -> None:
    """The error names the place; the library that resolves references raises ValueError or TypeError."""
    schema = with_reference(reference, allOf=[True], minProperties=0)
    write(tmp_path / "root.json", schema)
    with pytest.raises(ContractError) as refused:
        load_schema("root.json", folder=tmp_path)
    assert refused.value.faults[0].where == "root.json/properties/a/$ref"


def test_a_referenced_document_may_hold_other_things_than_schemas(tmp_path: Path) -> None:
    """Only the target of the reference must be a schema."""
    other = {"x": {"$id": 5, "$anchor": [], "allOf": 7}, "y": {"z": STRING, "$id": "http://[bad"}}
    write(tmp_path / "root.json", with_reference("other.json#/y/z"))
    write(tmp_path / "other.json", other)
    loaded = load_schema("root.json", folder=tmp_path)
    assert not Judge(loaded.schema, loaded.documents).accepts({"a": 1})


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "not JSON (broken_json)"),
        ('{"type": "object", "type": "array"}', "duplicate_key"),
        ('{"type": "strin"}', "is not valid under any of the given schemas"),
        ('{"pattern": "("}', 'the value is not a "regex"'),
    ],
)
def test_a_file_that_is_not_a_schema_is_refused(text: str, what: str, tmp_path: Path) -> None:
    """The error names the place in the file."""
    (tmp_path / "root.json").write_text(text, encoding="utf-8")
    with pytest.raises(ContractError, match="/") as refused:
        load_contract("root.json", folder=tmp_path)
    assert what in str(refused.value)


def test_a_missing_contract_is_a_contract_error(tmp_path: Path) -> None:
    """The error names the nearest built-in contract."""
    with pytest.raises(ContractError, match="did you mean page-1"):
        load_contract("pgae-1", folder=tmp_path)


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"type": "strin"}, "root.json/type: "),
        ({"properties": {"a": {"pattern": "("}}}, "root.json/properties/a/pattern: "),
        ({"properties": {"a": {"type": ["string", "integer"]}}}, "root.json/properties/a: it may be"),
        ({"$schema": "https://e.example/none"}, "root.json/$schema: $schema names an unknown draft"),
    ],
)
def test_each_fault_of_a_schema_names_its_file(schema: dict[str, Any], place: str, tmp_path: Path) -> None:
    """The message is read next to a recipe, which has places of its own."""
    (tmp_path / "root.json").write_text(json.dumps({"type": "object", **schema}))
    with pytest.raises(ContractError) as error:
        load_contract("root.json", folder=tmp_path)
    assert str(error.value).startswith(place)
