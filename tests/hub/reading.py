"""Answer requests that look, list and download."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from hub.store import Commit, File, Repo, pointer

if TYPE_CHECKING:
    from hub.server import Request


def who(request: Request) -> None:
    """Return the user of the token."""
    if not request.authorized:
        request.refuse(401, "Invalid username or password.")
    else:
        token = {"accessToken": {"displayName": "stand-in", "role": "write"}}
        request.answer({"type": "user", "name": "harbour", "fullname": "Harbour", "orgs": [], "auth": token})


def info(request: Request, repo: Repo, revision: str) -> None:
    """Return the facts of a repository at a revision."""
    commit = request.commit(repo, revision)
    if commit:
        blobs = "blobs" in request.query
        files = [
            {"rfilename": name, **(_facts(file) if blobs else {})} for name, file in commit.files.items()
        ]
        facts = {"_id": "0" * 24, "id": repo.id, "author": repo.id.partition("/")[0], "sha": commit.id}
        facts |= {"private": repo.private, "gated": False, "disabled": False, "tags": [], "downloads": 0}
        facts |= {"likes": 0, "lastModified": commit.date, "createdAt": commit.date, "siblings": files}
        request.answer(facts)


def refs(request: Request, repo: Repo) -> None:
    """List branches and tags."""
    listed = {
        "branches": [
            {"name": name, "ref": f"refs/heads/{name}", "targetCommit": commit}
            for name, commit in repo.branches.items()
        ],
        "tags": [
            {"name": name, "ref": f"refs/tags/{name}", "targetCommit": commit}
            for name, commit in repo.tags.items()
        ],
    }
    request.answer({**listed, "converts": []})


def commits(request: Request, repo: Repo, revision: str) -> None:
    """List commits, newest first, a page at a time."""
    if request.commit(repo, revision):
        listed = [
            {"id": c.id, "title": c.title, "message": c.message, "date": c.date, "authors": []}
            for c in request.hub.store.history(repo, revision)
        ]
        _page(request, listed)


def tree(request: Request, repo: Repo, revision: str, folder: str) -> None:
    """List files and folders, a page at a time."""
    commit = request.commit(repo, revision)
    if not commit:
        return
    below = f"{folder}/" if folder else ""
    inside = {name: file for name, file in commit.files.items() if name.startswith(below)}
    if folder and not inside:
        request.refuse(404, f"{folder} does not exist", code="EntryNotFound", commit=commit.id)
        return
    deep = request.query.get("recursive", ["false"])[0].lower() == "true"
    found: dict[str, dict[str, Any]] = {}
    for name, file in inside.items():
        parts = name[len(below) :].split("/")
        for depth in range(1, len(parts) if deep else min(2, len(parts))):
            path = below + "/".join(parts[:depth])
            found[path] = {"type": "directory", "oid": "0" * 40, "size": 0, "path": path}
        if deep or len(parts) == 1:
            found[name] = _entry(request, commit, name, file)
    _page(request, list(found.values()))


def paths_info(request: Request, repo: Repo, revision: str) -> None:
    """Return the facts of some paths; skip paths that do not exist."""
    commit = request.commit(repo, revision)
    if commit:
        entries = []
        for name in request.form().get("paths", []):
            if name in commit.files:
                entries.append(_entry(request, commit, name, commit.files[name]))
            elif any(one.startswith(f"{name}/") for one in commit.files):
                entries.append({"type": "directory", "oid": "0" * 40, "size": 0, "path": name})
        request.answer(entries)


def resolve(request: Request, repo: Repo, revision: str, path: str) -> None:
    """Send a file or a range of it; answer a HEAD request with its facts."""
    commit = request.commit(repo, revision)
    if not commit:
        return
    file = commit.files.get(path)
    if file is None:
        request.refuse(404, f"{path} does not exist", code="EntryNotFound", commit=commit.id)
        return
    headers = {
        "X-Repo-Commit": commit.id,
        "ETag": f'"{file.etag}"',
        "Accept-Ranges": "bytes",
        "X-Linked-Size": str(file.size),
        "X-Linked-Etag": f'"{file.etag}"',
    }
    if name := request.hub.xet_name(file):
        url = f"{request.hub.url}/api/datasets/{repo.id}/xet-read-token/{commit.id}"
        headers |= {"X-Xet-Hash": name, "Link": f'<{url}>; rel="xet-auth"'}
    if request.method == "HEAD":
        request.send(200, b"", {**headers, "Content-Length": str(file.size)})
    else:
        _give(request, file, headers)


def _give(request: Request, file: File, headers: dict[str, str]) -> None:
    path = request.hub.bytes_of(file)
    begin, end = 0, file.size
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("Range", ""))
    if match and match.group(0) != "bytes=-":
        begin = int(match[1]) if match[1] else max(0, file.size - int(match[2]))
        end = min(file.size, int(match[2]) + 1) if match[1] and match[2] else file.size
        if begin >= file.size:
            request.send(416, b"", {"Content-Range": f"bytes */{file.size}"})
            return
        headers = {**headers, "Content-Range": f"bytes {begin}-{end - 1}/{file.size}"}
    with path.open("rb") as stream:
        stream.seek(begin)
        request.send(206 if match else 200, stream.read(end - begin), headers)


def _facts(file: File) -> dict[str, Any]:
    if not file.sha256:
        return {"blobId": file.oid, "size": file.size}
    size = len(pointer(file.sha256, file.size))
    lfs = {"sha256": file.sha256, "size": file.size, "pointerSize": size}
    return {"blobId": file.oid, "size": file.size, "lfs": lfs}


def _entry(request: Request, commit: Commit, name: str, file: File) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "oid": file.oid, "size": file.size, "path": name}
    if file.sha256:
        size = len(pointer(file.sha256, file.size))
        entry["lfs"] = {"oid": file.sha256, "size": file.size, "pointerSize": size}
        if xet := request.hub.xet_name(file):
            entry["xetHash"] = xet
    wanted = request.query.get("expand", [*request.form().get("expand", []), "false"])[0]
    if str(wanted).lower() == "true":
        entry["lastCommit"] = {"id": commit.id, "title": commit.title, "date": commit.date}
        entry["securityFileStatus"] = None
    return entry


def _page(request: Request, entries: Iterable[Any]) -> None:
    """Answer with one page; the header ``Link`` has the URL of the next page."""
    listed = list(entries)
    size = min(int(request.query.get("limit", ["1000"])[0]), request.hub.page_size)
    begin = int(request.query.get("cursor", ["0"])[0])
    headers = {}
    if begin + size < len(listed):
        query = {name: values[0] for name, values in request.query.items()} | {"cursor": str(begin + size)}
        headers["Link"] = f'<{request.hub.url}{request.path}?{urlencode(query)}>; rel="next"'
    request.answer(listed[begin : begin + size], headers=headers)
