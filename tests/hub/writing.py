"""Answer requests that upload, commit and tag."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

from hub.store import Commit, File, Repo

if TYPE_CHECKING:
    from hub.server import Request

LARGE_BYTES = 10_000_000
LARGE_SUFFIXES = (".parquet", ".bin", ".gz", ".zst", ".arrow")


def create(request: Request) -> None:
    """Create a repository."""
    asked = request.json()
    name = f"{asked.get('organization') or 'harbour'}/{asked['name']}"
    private = bool(asked.get("private")) or asked.get("visibility") == "private"
    url = f"{request.hub.url}/datasets/{name}"
    if request.hub.store.create(name, private=private):
        request.answer({"url": url, "name": name, "id": name})
    else:
        request.refuse(409, "You already created this dataset repo", url=url)


def delete(request: Request) -> None:
    """Delete a repository."""
    asked = request.json()
    request.hub.store.delete(f"{asked.get('organization') or 'harbour'}/{asked['name']}")
    request.answer({})


def validate_yaml(request: Request) -> None:
    """Check whether the front matter of a card can be parsed."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    parts = request.json()["content"].split("---\n")
    try:
        found = YAML(typ="safe", pure=True).load(parts[1]) if len(parts) > 2 else {}
        errors = [] if isinstance(found, dict) else [{"message": "the front matter is not a mapping"}]
    except YAMLError as error:
        errors = [{"message": str(error)}]
    request.answer({"errors": errors, "warnings": []}, status=400 if errors else 200)


def preupload(request: Request, repo: Repo, revision: str) -> None:
    """Return which files need large storage, and what the repository has at their paths."""
    commit = request.commit(repo, revision)
    if commit:
        asked = request.json()
        ignored = "*.parquet" in asked.get("gitIgnore", _text(request, commit, ".gitignore"))
        request.answer({"files": [_mode(one, commit, ignored=ignored) for one in asked["files"]]})


def _mode(asked: dict[str, Any], commit: Commit, *, ignored: bool) -> dict[str, Any]:
    path = asked["path"]
    large = asked["size"] >= LARGE_BYTES or path.endswith(LARGE_SUFFIXES)
    mode = {"path": path, "uploadMode": "lfs" if large else "regular"}
    mode["shouldIgnore"] = ignored and path.endswith(".parquet")
    if path in commit.files:
        mode["oid"] = commit.files[path].etag
    return mode


def _text(request: Request, commit: Commit, name: str) -> str:
    file = commit.files.get(name)
    return request.hub.bytes_of(file).read_text() if file else ""


def lfs_batch(request: Request, name: str) -> None:
    """Return the upload URLs of large files; files that exist get no URL."""
    asked = request.json()
    objects = []
    for one in asked["objects"]:
        entry: dict[str, Any] = {"oid": one["oid"], "size": one["size"]}
        if request.hub.large_size(one["oid"]) is None:
            place = f"{request.hub.url}/lfs/{one['oid']}"
            verify = {"href": f"{request.hub.url}/lfs-verify/{name}"}
            entry["actions"] = {"upload": {"href": place}, "verify": verify}
        objects.append(entry)
    request.answer({"transfer": "basic", "objects": objects})


def lfs_put(request: Request, sha256: str) -> None:
    """Store a large file; refuse it if its hash is not its name."""
    if hashlib.sha256(request.body).hexdigest() != sha256:
        request.refuse(400, "the bytes have another SHA-256")
        return
    path = request.hub.store.new_file()
    path.write_bytes(request.body)
    path.replace(request.hub.store.object_path(sha256))
    request.send(200, b"")


def lfs_verify(request: Request) -> None:
    """Check whether a large file exists."""
    asked = request.json()
    size = request.hub.large_size(asked["oid"])
    if size == asked["size"]:
        request.answer({})
    else:
        request.refuse(404, "no such object")


def xet_token(request: Request) -> None:
    """Return the URL of the folder of pieces."""
    until = int(time.time()) + 3600
    url = request.hub.pieces.url if request.hub.pieces else ""
    headers = {
        "X-Xet-Cas-Url": url,
        "X-Xet-Access-Token": "xet_standin",
        "X-Xet-Token-Expiration": str(until),
    }
    request.answer({"accessToken": "xet_standin", "exp": until, "casUrl": url}, headers=headers)


def commit(request: Request, name: str, branch: str) -> None:
    """Add a commit to a branch, completely or not at all."""
    lines = [json.loads(line) for line in request.body.splitlines() if line.strip()]
    header = next(line["value"] for line in lines if line["key"] == "header")
    store = request.hub.store
    with store.changing(name) as repo:
        head = store.resolve(repo, repo.branches.get(branch, ""))
        if head is None:
            request.refuse(404, f"Invalid rev id: {branch}", code="RevisionNotFound")
            return
        if header.get("parentCommit") not in (None, head.id):
            request.refuse(412, "A commit has happened since. Please refresh and try again.")
            return
        files = dict(head.files)
        for line in lines:
            if fault := _apply(request, files, line["key"], line["value"]):
                request.refuse(400, fault)
                return
        made = store.add_commit(
            head.id, files, title=header["summary"], message=header.get("description", "")
        )
        repo.branches[branch] = made.id
    url = f"{request.hub.url}/datasets/{name}/commit/{made.id}"
    request.answer({"success": True, "commitOid": made.id, "commitUrl": url, "hookOutput": ""})


def _apply(request: Request, files: dict[str, File], key: str, value: dict[str, Any]) -> str | None:
    """Apply one operation of a commit; return its fault, or None."""
    if key == "file":
        files[value["path"]] = request.hub.store.keep(base64.b64decode(value["content"]))
    elif key == "lfsFile":
        size = request.hub.large_size(value["oid"])
        if size is None or size != value.get("size", size):
            return f"{value['path']}: the LFS object {value['oid']} was not uploaded"
        files[value["path"]] = request.hub.store.large_file(value["oid"], size)
    elif key == "deletedFile":
        if files.pop(value["path"], None) is None:
            return f"{value['path']}: A file with this name doesn't exist"
    elif key == "deletedFolder":
        for path in [one for one in files if one.startswith(value["path"].rstrip("/") + "/")]:
            del files[path]
    return None


def add_ref(request: Request, name: str, kind: str, ref: str, revision: str) -> None:
    """Create a branch or a tag; an existing branch or tag stays unchanged."""
    with request.hub.store.changing(name) as repo:
        refs = repo.tags if kind == "tag" else repo.branches
        target = request.hub.store.resolve(repo, revision)
        if target is None:
            request.refuse(404, f"Invalid rev id: {revision}", code="RevisionNotFound")
            return
        if ref in refs:
            request.refuse(409, f"Reference already exists: {ref}")
            return
        refs[ref] = target.id
    request.answer({})


def drop_ref(request: Request, name: str, kind: str, ref: str) -> None:
    """Delete a branch or a tag."""
    with request.hub.store.changing(name) as repo:
        found = (repo.tags if kind == "tag" else repo.branches).pop(ref, None)
    if found:
        request.answer({})
    else:
        request.refuse(404, f"no such {kind}: {ref}", code="RevisionNotFound")


def squash(request: Request, name: str, branch: str) -> None:
    """Delete the history of a branch; tags keep their history."""
    store = request.hub.store
    with store.changing(name) as repo:
        head = store.resolve(repo, branch)
        assert head
        made = store.add_commit(None, head.files, title=request.json()["message"], message="")
        repo.branches[branch] = made.id
    request.answer({})
