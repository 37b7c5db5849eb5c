"""Ways to write a text so that a filter does not recognize it and a model still does."""

from __future__ import annotations

import base64
import codecs
import random
import re
from collections.abc import Callable

__all__ = ["DISGUISES"]

_LOOKALIKES = str.maketrans("aceiopsxyjAEOPCTHKMXB", "асеіорѕхујАЕОРСТНКМХВ")  # noqa: RUF001
_LEET = str.maketrans("aeiost", "431057")
_BEFORE = (
    "The train to the coast leaves every hour from the main station, and the ride takes about "
    "ninety minutes. Most visitors buy a day ticket, which also covers the buses in the old town. "
)
_AFTER = (
    " In the evening the small restaurants near the harbor fill up quickly, so it is worth booking "
    "a table in advance. The last train back leaves shortly before midnight."
)


def _scramble(text: str, rng: random.Random) -> str:
    def word(match: re.Match[str]) -> str:
        middle = list(match[0][1:-1])
        rng.shuffle(middle)
        return match[0][0] + "".join(middle) + match[0][-1]

    return re.sub(r"[A-Za-z]{5,}", word, text)


def _space_out(text: str, _: random.Random) -> str:
    return "   ".join(" ".join(word) for word in text.split())


def _split(text: str, rng: random.Random) -> str:
    """Break words in two with a hyphen and a line break, as in a narrow column."""

    def word(match: re.Match[str]) -> str:
        place = rng.randint(2, len(match[0]) - 2)
        return f"{match[0][:place]}-\n{match[0][place:]}" if rng.random() < 0.5 else match[0]

    return re.sub(r"[A-Za-z]{6,}", word, text)


DISGUISES: dict[str, Callable[[str, random.Random], str]] = {
    "none": lambda text, _: text,
    "zero width": lambda text, _: "\u200b".join(text),
    "homoglyphs": lambda text, _: text.translate(_LOOKALIKES),
    "full width": lambda text, _: "".join(
        chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text
    ),
    "tag characters": lambda text, _: "Hello! " + "".join(chr(0xE0000 + ord(c)) for c in text),
    "mixed case": lambda text, rng: "".join(rng.choice((c.upper(), c.lower())) for c in text),
    "leet": lambda text, _: text.lower().translate(_LEET),
    "base64": lambda text, _: base64.b64encode(text.encode()).decode(),
    "hex": lambda text, _: text.encode().hex(),
    "rot13": lambda text, _: codecs.encode(text, "rot13"),
    "reversed": lambda text, _: text[::-1],
    "letter spacing": _space_out,
    "split words": _split,
    "embedded in prose": lambda text, _: _BEFORE + text + _AFTER,
    "scrambled letters": _scramble,
}
"""Name → function of a text and a random generator."""
