"""Inputs on object storage, from a server on this machine that answers as S3 does."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import builder, ledger_rows
from planted import sentence


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Return the address of an empty store."""
    pytest.importorskip("s3fs", reason="needs the extra s3")
    server = pytest.importorskip("moto.server", reason="needs moto[server]")
    store = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    store.start()
    host, port = store.get_host_and_port()
    yield f"http://{host}:{port}"
    store.stop()


@pytest.fixture
def folder(tmp_path: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a recipe; its inputs are in a local folder and in a bucket."""
    import s3fs

    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret-key",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "feed").mkdir()
    for number in range(3):
        rows = [
            {"url": f"https://a.example/{number}/{i}", "text": sentence(9 * number + i)} for i in range(9)
        ]
        text = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
        (tmp_path / f"feed/{number}.jsonl.gz").write_bytes(gzip.compress(text, mtime=0))
    store = s3fs.S3FileSystem(key="key", secret="secret-key", endpoint_url=endpoint)
    store.mkdirs("bucket", exist_ok=True)
    store.put(f"{tmp_path}/feed/", "bucket/feed/", recursive=True)
    recipe = {
        "name": "stored",
        "sources": [{"jsonl": {"path": "${IN}/*.jsonl.gz"}}],
        "stages": [{"dedup_exact": {}}],
        "corpus": "out",
    }
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    return tmp_path


def build(folder: Path, place: str, monkeypatch: pytest.MonkeyPatch, *, corpus: str) -> str:
    monkeypatch.setenv("IN", place)
    done = builder("build", "recipe.yaml", "--set", f"corpus={corpus}", "--workers", "2", cwd=folder)
    assert done.returncode == 0, done.stderr
    return str(done.stdout).rpartition("digest  ")[2].split()[0]


def test_inputs_from_s3_give_the_digest_of_local_ones(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The place of the inputs is not a part of the dataset; keys and endpoint are not written anywhere."""
    local = build(folder, "feed", monkeypatch, corpus="local")
    remote = build(folder, "s3://bucket/feed", monkeypatch, corpus="remote")
    assert remote == local
    assert len(ledger_rows(folder / "remote")) == 27
    written = b"".join(one.read_bytes() for one in (folder / "remote").rglob("*") if one.is_file())
    assert b"secret-key" not in written


def test_a_bucket_without_such_objects_is_a_fault_with_its_address(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a local folder without files is."""
    monkeypatch.setenv("IN", "s3://bucket/none")
    done = builder("build", "recipe.yaml", cwd=folder)
    assert done.returncode == 1
    assert "${IN}/*.jsonl.gz: no file matches" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "out").exists()


def test_a_corpus_in_a_bucket_is_refused_with_the_reason(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is read, and nothing is written to the store."""
    monkeypatch.setenv("IN", "feed")
    done = builder("build", "recipe.yaml", "--set", "corpus=s3://bucket/corpus", cwd=folder)
    assert done.returncode == 1
    assert "object storage has no renames, links and locks" in done.stderr
