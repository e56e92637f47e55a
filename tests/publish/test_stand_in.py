"""The stand-in Hub works with unchanged real clients, and it fails on request."""

from __future__ import annotations

from pathlib import Path

import pytest
from hub.faults import KINDS
from hub.process import StandIn

PROGRAMS = Path(__file__).with_name("programs")
WRITE, READ = ((PROGRAMS / name).read_text() for name in ("write.py", "read.py"))

EXPECTED = """\
3000
3000
.gitattributes README.md data data/a.parquet
two one initial commit
main v1.0.0
4
[]
DatasetNotFoundError
DatasetNotFoundError
"""


def test_real_clients_publish_and_load(any_hub: StandIn, home: Path, tmp_path: Path) -> None:
    """By LFS and by Xet: commits, copies, deletions, tags, listing, loading, streaming, ranges."""
    wrote = any_hub.python(WRITE, tmp_path, home=home)
    assert (wrote.returncode, wrote.stdout) == (0, "412\n409\n"), wrote.stderr
    read = any_hub.python(READ, home=tmp_path / "second")
    assert (read.returncode, read.stdout) == (0, EXPECTED), read.stderr


def test_repositories_survive_a_restart(own_hub: StandIn, home: Path, tmp_path: Path) -> None:
    """The folder keeps all data. This test also uses short pages of lists."""
    own_hub.python(WRITE, tmp_path, home=home)
    own_hub.stop()
    with StandIn(own_hub.folder, page_size=1) as again:
        read = again.python(READ, home=tmp_path / "second")
        assert (read.returncode, read.stdout) == (0, EXPECTED), read.stderr


def test_nobody_writes_without_the_token(hub: StandIn, home: Path, tmp_path: Path) -> None:
    """Without the token, changes are refused and private repositories are invisible."""
    refused = hub.python(WRITE, tmp_path, home=home, token=None)
    assert "401" in refused.stderr
    code = "import huggingface_hub as h; h.create_repo('harbour/x', repo_type='dataset', private=True)"
    assert hub.python(code, home=home).returncode == 0
    look = "from huggingface_hub import HfApi; print(HfApi().dataset_info('harbour/x').private)"
    assert hub.python(look, home=home).stdout == "True\n"
    assert "RepositoryNotFoundError" in hub.python(look, home=home, token=None).stderr


@pytest.mark.parametrize("kind", KINDS)
def test_a_planned_fault_happens_at_its_request_only(kind: str, hub: StandIn, home: Path) -> None:
    """The log shows the fault."""
    code = (
        "import httpx2, os\n"
        "url = os.environ['HF_ENDPOINT'] + '/api/whoami-v2'\n"
        "headers = {'Authorization': 'Bearer ' + os.environ['HF_TOKEN']}\n"
        "for _ in range(3):\n"
        "    try: print(httpx2.get(url, headers=headers).status_code)\n"
        "    except httpx2.TransportError: print('gone')\n"
    )
    hub.plan({"kind": kind, "at": 2})
    wrong = "gone" if kind in ("drop", "lost") else kind
    done = hub.python(code, home=home)
    assert done.stdout.split() == ["200", wrong, "200"], done.stderr
    assert [entry["fault"] for entry in hub.log()] == [None, kind, None]
