r"""Regular expressions that are matched in linear time, and mean what they mean in `re`.

But `\w` matches combining marks and all connectors, too, as Unicode advises for words.
"""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs

__all__ = ["linear_search"]

_PART = re.compile(
    r"(?P<escape>\\.)|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<dot>\.)"
    r"|\(\?(?P<flags>[a-zA-Z]*(?:-[a-zA-Z]+)?)[:)]",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MEANING = {
    "w": r"\p{L}\p{M}\p{N}\p{Pc}",
    "W": r"\p{Z}\p{S}\p{C}\p{Pd}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Po}",
    "d": r"\p{Nd}",
    "D": r"\P{Nd}",
}
"""Classes of all scripts. The engine reads patterns as JSON Schema does, where they are ASCII."""
_LITERAL = {"<": r"\x3c", ">": r"\x3e"}
"""What the engine takes for borders of words."""
_DOTALL = re.compile(r"\(\?[a-zA-Z]*s[a-zA-Z]*\)")


def linear_search(pattern: str) -> Any:
    """Compile a pattern; its `is_valid` tells whether it matches somewhere in a text.

    Raises:
        ValueError: It is no regular expression, needs backtracking, is too large (the engine does
            not tell these apart), or sets `s` anywhere but at its beginning.
    """
    options = jsonschema_rs.RegexOptions()
    try:
        return jsonschema_rs.validator_for({"pattern": _written(pattern)}, pattern_options=options)
    except jsonschema_rs.ValidationError:
        msg = (
            f"`{pattern}` is not a regular expression that can be matched in linear time, "
            "or is too large, as repetitions of repetitions may be"
        )
        raise ValueError(msg) from None


def _written(pattern: str) -> str:
    """Write a pattern for the engine."""
    opening = _DOTALL.match(pattern)
    start = opening.end() if opening else 0
    dot = r"\p{any}" if opening else r"[^\n]"

    def part(found: re.Match[str]) -> str:
        if "s" in (found["flags"] or ""):
            msg = f"`{pattern}` must set the flag `s` at its beginning, as in `(?s)a.b`"
            raise ValueError(msg)
        if found["set"]:
            return _ESCAPE.sub(_inside, found[0])
        if found["escape"]:
            return _ESCAPE.sub(_outside, found[0])
        return dot if found["dot"] else found[0]

    return pattern[:start] + _PART.sub(part, pattern[start:])


def _inside(escape: re.Match[str]) -> str:
    return {**_MEANING, **_LITERAL}.get(escape[1], escape[0])


def _outside(escape: re.Match[str]) -> str:
    members = _MEANING.get(escape[1])
    return f"[{members}]" if members else _LITERAL.get(escape[1], escape[0])
