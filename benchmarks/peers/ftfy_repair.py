"""ftfy on each document, set as ``repair_text`` is, then NFC, control characters and white space."""

import json
import re
import sys
import time
import unicodedata
from pathlib import Path

import ftfy
import orjson

BLANKS = "\t \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
BREAKS = re.compile("\n{3,}")
CONFIG = ftfy.TextFixerConfig(uncurl_quotes=False, fix_character_width=False, fix_latin_ligatures=False)


def repair(text: str) -> str:
    text = unicodedata.normalize("NFC", ftfy.fix_text(text, CONFIG))
    text = CONTROLS.sub("", text.replace("\f", "\n"))
    return BREAKS.sub("\n\n", "\n".join(line.rstrip(BLANKS) for line in text.split("\n"))).strip("\n")


texts = [orjson.loads(line)["text"] for line in Path(sys.argv[1]).read_bytes().splitlines()]
began, used = time.perf_counter(), time.process_time()
repaired = [repair(text) for text in texts]
seconds, cpu = time.perf_counter() - began, time.process_time() - used
Path(sys.argv[2]).write_bytes(orjson.dumps(repaired))
print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "documents": len(texts)}))
