"""``block_urls`` through the command line: lists of every form, and the memory that a long list takes."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import builder, ledger_rows
from planted import sentence, write_lines

LISTS = {
    "lists/ut1/adult/domains": "bad.example\nxn--bcher-kva.example\n192.0.2.7\n",
    "lists/ut1/adult/urls": "mixed.example/adult\n",
    "lists/ut1/adult/expressions": "(.*\n",
    "lists/ads.hosts": "# hosts\n127.0.0.1 localhost\n0.0.0.0 ads.mixed.example track.mixed.example\n",
    "lists/mine.txt": "co.uk\n*.blogs.example\n||adblock.example^\nweb.de # mine\nhttps://mixed.example/?p=3\n",
    "lists/bad-words.txt": "free games\n",
    "good.txt": "fine.bad.example\nbad.example/about\n",
}
ADULT = "lists/ut1/adult/domains"
BLOCKED = {
    "https://bad.example/": "blocked_domain: lists/ut1/adult/domains, line 1: domain bad.example",
    "http://www.BAD.example/x": "blocked_domain: lists/ut1/adult/domains, line 1: domain bad.example",
    "https://bücher.example/": f"blocked_domain: {ADULT}, line 2: domain xn--bcher-kva.example",
    "http://192.0.2.7/x": "blocked_domain: lists/ut1/adult/domains, line 3: domain 192.0.2.7",
    "https://mixed.example/adult/1": "blocked_url: lists/ut1/adult/urls, line 1: url mixed.example/adult",
    "https://ads.mixed.example/": "blocked_host: lists/ads.hosts, line 3: host ads.mixed.example",
    "https://track.mixed.example/": "blocked_host: lists/ads.hosts, line 3: host track.mixed.example",
    "https://co.uk/": "blocked_host: lists/mine.txt, line 1: host co.uk",
    "https://ann.blogs.example/": "blocked_domain: lists/mine.txt, line 2: domain blogs.example",
    "https://adblock.example/": "blocked_domain: lists/mine.txt, line 3: domain adblock.example",
    "https://www.web.de/": "blocked_domain: lists/mine.txt, line 4: domain web.de",
    "http://mixed.example/?p=3": "blocked_url: lists/mine.txt, line 5: url mixed.example/?p=3",
    "https://mixed.example/free_GAMES/1": "blocked_word: lists/bad-words.txt, line 1: word free games",
}
KEPT = (
    "https://xbad.example/",
    "https://fine.bad.example/",
    "https://bad.example/about/us",
    "https://mixed.example/adults",
    "https://x.ads.mixed.example/",
    "https://news.co.uk/",
    "https://eb.de/",
    "https://mixed.example/?p=4",
    "https://mixed.example/freegames",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with lists, pages and a recipe; tables of lists are not in the cache of the user."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, text in LISTS.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    rows = [{"url": url, "text": f"{url} {sentence(n)}"} for n, url in enumerate([*BLOCKED, *KEPT])]
    write_lines(tmp_path / "pages.jsonl", rows)
    block: dict[str, Any] = {"lists": ["lists/ut1", "lists/*.hosts", "lists/*.txt"], "allow": ["good.txt"]}
    recipe = {
        "name": "blocked",
        "sources": [{"jsonl": {"path": "*.jsonl"}}],
        "stages": [{"block_urls": block}],
        "corpus": "out",
    }
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    return tmp_path


def test_lists_of_every_form_block_through_the_command_line(folder: Path) -> None:
    """Each hit names list, line and rule; ``allow`` wins; a public suffix blocks no site below it."""
    done = builder("build", "recipe.yaml", "--workers", "1", cwd=folder)
    assert done.returncode == 0, done.stderr
    rows = {row["url"]: row for row in ledger_rows(folder / "out")}
    blocked = {url: f"{row['reason']}: {row['message']}" for url, row in rows.items() if row["reason"]}
    assert blocked == BLOCKED
    assert {url for url, row in rows.items() if row["outcome"] == "kept"} == set(KEPT)
    shown = builder("why", "out", "https://ads.mixed.example/", cwd=folder)
    assert (
        "rejected by block_urls/blocked_host: lists/ads.hosts, line 3: host ads.mixed.example" in shown.stdout
    )


def test_a_change_of_a_list_is_a_change_of_the_version(folder: Path) -> None:
    """The manifest has the hash of each list and of ``allow``, so the next build decides about all pages."""
    builder("build", "recipe.yaml", "--workers", "1", cwd=folder)
    manifest = json.loads((folder / "out/1.0.0/manifest.json").read_text())
    assert {"lists/mine.txt", "lists/ut1/adult/domains", "good.txt"} <= set(
        str(manifest["inputs"]).split("'")
    )
    (folder / "lists/mine.txt").write_text("news.co.uk\n")
    done = builder("build", "recipe.yaml", "--workers", "1", cwd=folder)
    assert done.returncode == 0, done.stderr
    rows = {row["url"]: row["reason"] for row in ledger_rows(folder / "out")}
    assert rows["https://news.co.uk/"] == "blocked_domain"
    assert rows["https://www.web.de/"] is None


def test_a_missing_list_is_refused_before_a_record_is_read(folder: Path) -> None:
    """The message names the list and says what is read in a folder."""
    (folder / "good.txt").unlink()
    done = builder("build", "recipe.yaml", cwd=folder)
    assert done.returncode == 1
    assert "'good.txt' names no list" in done.stderr
    assert not (folder / "out").exists()


N_DOMAINS = 4_000_000
MEGABYTE = 1 << 20
WATCH = """
import sys
from pathlib import Path
from builder.stages.blocking.list_files import find_lists
from builder.stages.blocking.rule_table import open_rules
rules = open_rules(find_lists(["domains"], [], Path(sys.argv[1])))
assert rules.find([b"d" + sys.argv[2].encode()]) == [(0, int(sys.argv[3]))]
status = Path("/proc/self/status").read_text()
print(status.partition("VmHWM:")[2].split()[0])
"""


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_a_list_of_four_million_domains_takes_less_than_400_mb(folder: Path) -> None:
    """Once for all workers: the process that sorts it needs a piece of it, and all map one file."""
    chance = random.Random(5)
    with (folder / "domains").open("w") as file:
        for n in range(N_DOMAINS):
            last = f"{chance.getrandbits(48):x}-{n}.example"
            file.write(f"{last}\n")
    peaks = []
    for _ in range(2):
        command = [sys.executable, "-c", WATCH, str(folder), last, str(N_DOMAINS)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout) / 1024)
    (table,) = (folder / "cache/builder/lists").iterdir()
    shared = table.stat().st_size / MEGABYTE
    print(f"peak {peaks[0]:.0f} MB, then {peaks[1]:.0f} MB; mapped {shared:.0f} MB")  # noqa: T201
    assert max(peaks) < 400
    assert shared < 250
