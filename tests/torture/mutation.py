"""Mutate inputs: bits, bytes, tokens and pieces of other inputs. The same number gives the same mutant."""

from __future__ import annotations

import random
from collections.abc import Sequence

TOKENS = (
    *(
        b"\0",
        b"\xff",
        b"\n",
        b"\r\n",
        b'"',
        b"\\",
        b"\\u0000",
        b"\\ud800",
        b",",
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
    ),
    *(b"null", b"true", b"-1", b"1e999", b"9223372036854775808", b"0" * 40, b"[" * 300, b'{"a":' * 40),
    *(
        b"<",
        b"</",
        b"<!--",
        b"<p ",
        b"&#x",
        b"%zz",
        b"%",
        b"../",
        b"://",
        b"xn--",
        b"\xe2\x80\xae",
        b"\x1b]0;",
    ),
    *(b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"WARC/1.0\r\n"),
    *(b"Content-Length: 99999999999999\r\n", b"Transfer-Encoding: chunked\r\n\r\nffffffffffff\r\n", b"PAR1"),
    *(b"&a", b"*a", b"!!python/object", b"${HOME}", b"- ", b"? ", b"|\n", b"sha256", b"1.0.0", b"9" * 5000),
)
LONGEST = 1 << 16


def mutant(seeds: Sequence[bytes], number: int) -> bytes:
    """Return a mutant of one of the seeds; every seventeenth number gives a seed as it is."""
    chance = random.Random(number)
    data = bytearray(chance.choice(seeds))
    if number % 17:
        for _ in range(chance.choice((1, 1, 1, 2, 3, 5, 9))):
            _mutate(data, seeds, chance)
    return bytes(data[:LONGEST])


def _mutate(data: bytearray, seeds: Sequence[bytes], chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    end = min(len(data), at + chance.choice((1, 2, 4, 16, 256)))
    way = chance.randrange(8)
    if way == 0 and at < len(data):
        data[at] ^= 1 << chance.randrange(8)
    elif way == 1 and at < len(data):
        data[at] = chance.randrange(256)
    elif way == 2:
        data[at:at] = chance.choice(TOKENS)
    elif way == 3:
        data[at:end] = chance.choice(TOKENS)
    elif way == 4:
        del data[at:end]
    elif way == 5:
        data[at:at] = data[at:end] * chance.choice((1, 2, 30))
    elif way == 6:
        other = chance.choice(seeds)
        begin = chance.randrange(len(other) + 1)
        data[at:end] = other[begin : begin + chance.choice((4, 64, 1024))]
    else:
        del data[at:]
