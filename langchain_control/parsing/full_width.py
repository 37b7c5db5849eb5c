"""JSON in the full-width signs of Chinese and Japanese typesetting."""

from __future__ import annotations

import re

__all__ = ["HOLDS_FULL_WIDTH", "in_ascii"]

_SIGNS = {
    "\uff5b": "{",
    "\uff5d": "}",
    "\uff3b": "[",
    "\uff3d": "]",
    "\u3010": "[",
    "\u3011": "]",
    "\uff1a": ":",
    "\uff0c": ",",
    "\u3001": ",",
    "\uff1b": ",",
    "\uff02": '"',
    "\uff0d": "-",
    "\uff0e": ".",
    **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
}
_STRING_OR_SIGN = re.compile(
    r'"[^"\\\n]*+(?>(?:\\.[^"\\\n]*+)*)"|\u201c[^\u201c\u201d\n]*+\u201d'
    rf"|[{''.join(map(re.escape, _SIGNS))}]"
)
HOLDS_FULL_WIDTH = re.compile(
    r"""[^"'{\[]*?(?:[\uff5b\uff3b\u3010]\s{0,100}["'\u201c\uff02\uff5b\uff3b\u3010\[{0-9\uff10-\uff19]"""
    r"""|[{\[]\s{0,100}"[^"\\\n]{1,100}"\s{0,9}[:\uff1a]\s{0,9}[\uff10-\uff19])"""
)
"""A text whose first bracket is one of those, or whose first value is a number of such digits."""


def in_ascii(text: str) -> str:
    """Put the signs between the strings of a text into those of JSON."""
    return _STRING_OR_SIGN.sub(lambda found: _SIGNS.get(found[0], found[0]), text)
