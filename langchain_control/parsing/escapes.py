"""Escapes in strings, of JSON and of the languages around it."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

__all__ = ["Escape", "read_escape", "unescaped"]


class Escape(NamedTuple):
    """What an escape stands for, and where it ends."""

    value: str
    end: int
    repair: str | None = None
    """The kind of repair that reading it was, unless JSON has this escape."""


def read_escape(text: str, start: int) -> Escape:
    """Read the escape whose backslash is at `start`."""
    match = _ESCAPE.match(text, start)
    if match is None:  # a backslash ends the text
        return Escape("", len(text))
    written, end = match[0], match.end()
    if match["json"]:
        return Escape(json.loads(f'"{written}"'), end)
    if digits := match["hex"] or match["braced"]:
        return Escape(chr(int(digits, 16)), end, "escape")
    if (meant := _FOREIGN.get(written[1])) is not None:
        return Escape(meant, end, "escape")
    if written[1] in _MARKS:
        is_in_word = text[start - 1 : start].isalnum() and text[end : end + 1].isalnum()
        return Escape(written[1], end, "escape" if is_in_word else "unknown_escape")
    return Escape(written, end, "unknown_escape")


def unescaped(body: str) -> str | None:
    """Return what the body of a string stands for, unless an escape in it is unknown."""
    pieces: list[str] = []
    position = 0
    while (found := body.find("\\", position)) >= 0:
        escape = read_escape(body, found)
        if escape.repair == "unknown_escape":
            return None
        pieces += (body[position:found], escape.value)
        position = escape.end
    return "".join((*pieces, body[position:]))


_ESCAPE = re.compile(
    r"""\\(?:(?P<json>["\\/bfnrt]
    |u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}
    |u[0-9a-fA-F]{4})
    |[xU](?P<hex>(?<=x)[0-9a-fA-F]{2}|(?<=U)00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})
    |u\{(?P<braced>0{0,3}[0-9a-fA-F]{1,5}|10[0-9a-fA-F]{4})\}
    |.)""",
    re.VERBOSE | re.DOTALL,
)
_FOREIGN = {"'": "'", "`": "`", "\n": "", "0": "\0", "v": "\v"}
"""Escapes of JavaScript and Python that JSON lacks."""
_MARKS = frozenset("_*$%!~#@&<>")
"""Signs that Markdown escapes, too. Within a word nothing else can have been meant."""
