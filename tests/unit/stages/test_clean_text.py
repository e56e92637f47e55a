"""``clean_text``: what leaves a text, what stays, which documents are rejected, and that it is linear."""

from __future__ import annotations

import numpy as np
import pytest

from builder.stages.cleaning.cleaner import Cleaner

BODIES = {
    "en": (
        "The old ferry left the harbour at six in the morning, with twelve passengers and two "
        "crates of apples.\n\n"
        "Nobody on board knew that the engine had been repaired the night before, by lamplight, by "
        "the captain's "
        "daughter.\n\n"
        "She had found the fault in an hour. The part that failed was older than she was, and she "
        "replaced it with "
        "one from a tractor."
    ),
    "de": (
        "Die alte Fähre verließ den Hafen um sechs Uhr morgens, mit zwölf Fahrgästen und zwei "
        "Kisten Äpfeln.\n\n"
        "Niemand an Bord wusste, dass die Tochter des Kapitäns in der Nacht zuvor den Motor "
        "repariert hatte, bei "
        "Laternenlicht.\n\n"
        "Sie fand den Fehler in einer Stunde. Das Teil war älter als sie selbst, und sie ersetzte "
        "es durch eines aus "
        "einem Traktor."
    ),
    "ja": (
        "古い渡し船は朝六時に港を出た。乗客は十二人、りんごの箱が二つ積まれていた。\n\n"
        "前の晩に船長の娘がランプの明かりで機関を直したことを、乗っている人は誰も知らなかった。\n\n"
        "彼女は一時間で故障を見つけた。壊れた部品は彼女よりも古く、トラクターの部品と取り替えられた。"
    ),
    "fr": (
        "Le vieux bac quitta le port à six heures du matin, avec douze passagers et deux caisses de "
        "pommes.\n\n"
        "Personne à bord ne savait que la fille du capitaine avait réparé le moteur pendant la "
        "nuit, à la lueur "
        "d'une lampe.\n\n"
        "Elle avait trouvé la panne en une heure. La pièce était plus vieille qu'elle, et elle la "
        "remplaça par celle "
        "d'un tracteur."
    ),
}


def clean(text: str, title: str = "") -> str:
    """Return a text without what the stage removes."""
    data = text.encode()
    found = Cleaner().clean(np.frombuffer(data or b" ", np.uint8), 0, len(data), title.encode())
    return text if found.text is None else found.text.decode()


@pytest.mark.parametrize("language", sorted(BODIES))
def test_a_text_of_paragraphs_stays_as_it_is(language: str) -> None:
    """Nothing but main text: not a byte changes."""
    assert clean(BODIES[language]) == BODIES[language]
