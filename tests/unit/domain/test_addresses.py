"""Public forms of addresses, and messages without secrets."""

from __future__ import annotations

import pytest

from builder.domain.addresses import mask_values, public_address, redact, redact_urls


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("https://h.example/a.jsonl?X-Amz-Signature=s3cr3t", "https://h.example/a.jsonl"),
        ("https://h.example/a.jsonl#s3cr3t", "https://h.example/a.jsonl"),
        ("https://h.example?token=s3cr3t", "https://h.example"),
        ("HTTPS://ann:s3cr3t@h.example:8/a", "HTTPS://h.example:8/a"),
        ("https://ann:s3@cr3t@h.example/a", "https://h.example/a"),
        ("https://s3cr3t@h.example/a", "https://h.example/a"),
        ("simplecache::https://h.example/a?t=s3cr3t", "simplecache::https://h.example/a"),
        ("zip://*.jsonl::https://h.example/a.zip?t=s3cr3t", "zip://*.jsonl::https://h.example/a.zip"),
        ("https://h.example/a?t=s3::cr3t", "https://h.example/a"),
        ("ftp://ann:s3cr3t@h.example/*/a?.gz", "ftp://h.example/*/a?.gz"),
        ("s3://bucket/a?.jsonl", "s3://bucket/a?.jsonl"),
        ("s3://bucket/a.jsonl?versionId=s3cr3t", "s3://bucket/a.jsonl"),
        ("/data/page.php?id=2", "/data/page.php?id=2"),
        ("/data/a@b::c.html", "/data/a@b::c.html"),
    ],
)
def test_a_public_address_has_no_secret_part(address: str, public: str) -> None:
    """Query strings, fragments and user information are removed; everything else stays."""
    assert public_address(address) == public


def test_a_glob_of_a_file_system_keeps_its_question_mark() -> None:
    """Only in addresses of the web does `?` always begin a query."""
    assert public_address("s3://bucket/200?/x.jsonl") == "s3://bucket/200?/x.jsonl"
    assert public_address("https://h.example/200?/x.jsonl") == "https://h.example/200"


@pytest.mark.parametrize(
    "message",
    [
        "404, message='Not Found', url='https://h.example/a?token=s3cr3t+value%3D'",
        "https://ann:pa%24%24word@h.example/a?token=s3cr3t+value%3D: refused",
        "cannot open URL('https://h.example/a?token=s3cr3t%2Bvalue=')",
        "bad token s3cr3t+value%3D of ann with pa$$word",
        "headers: Basic YW5uOnBhJCR3b3Jk",
        "redirected to https://other.example/b?sig=another",
    ],
)
def test_a_message_of_a_library_is_redacted(message: str) -> None:
    """A library may quote the address, its parts in another encoding, or another URL."""
    address = "https://ann:pa%24%24word@h.example/a?token=s3cr3t+value%3D"
    text = redact(message, address=address, variables=(("TOK", "s3cr3t+value%3D"),))
    for part in ("s3cr3t", "value", "word", "YW5u", "another"):
        assert part not in text.replace("other.example", "")
    assert text


def test_short_values_of_variables_are_replaced_only_as_words() -> None:
    """Otherwise a folder called `out` would change every message that says `without`."""
    text = mask_values("/out/a.jsonl: without text, 17 of 7", [("DIR", "out"), ("N", "7")])
    assert text == "/${DIR}/a.jsonl: without text, 17 of 7"


def test_a_message_without_a_url_is_unchanged() -> None:
    """Paths and prose have no query strings."""
    assert redact_urls("no such file: page.php?id=2 (a://)") == "no such file: page.php?id=2 (a://)"
