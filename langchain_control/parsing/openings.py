"""Which brackets begin an object or array, in JSON or in what models write for it."""

from __future__ import annotations

import re

from langchain_control.parsing.blanks import BLANK

__all__ = ["BEGINS_JSON", "OPENING"]

OPENING = re.compile(r"[{\[]|(?:array|dict)\(")
"""Where a value may begin. `BEGINS_JSON` tells whether it does."""

_BLANKS = rf"[{BLANK}]{{0,1000}}"
_FENCE_OR_END = r"(?:```|\Z)"
_QUOTES = r"\"'\u201c\u201d\u2018`\u201e\u00ab\uff02\u00b4"
_COMMENT = r"//|/\*|\#|<!--"

_IN_BRACES = {
    "a key in quotes, or nothing": rf"[{_QUOTES}}}]",
    "a comment": _COMMENT,
    "a key without quotes": r"""[\w$.@-]{1,100}\s{0,9}["']?\s{0,9}(?:[:\uff1a]|=>?)""",
    "a key of several words": r"""[A-Za-z]\w{0,30}(?: \w{1,30}){1,3}:\s{0,9}["'\d\[{]""",
    "a key in brackets": r"""\[\s{0,9}["'][^"'\n]{1,100}["']\s{0,9}\]\s{0,9}:""",
    "a symbol of Ruby": r":\w{1,100}\s{0,9}=>",
    "a prefix of Python": r"""[uU]["']""",
    "a doubled brace": r"""\{\s{0,100}["']""",
    "an item of a Markdown list": r"""(?:\*{1,3}|[-*\u2022][ \t]{1,9})["']""",
    "a set of numbers": rf"-?\d[^{{}}]{{0,1000}}\}}\s{{0,100}}{_FENCE_OR_END}",
}
_IN_BRACKETS = {
    "a string, an array or object, or nothing": rf"[{_QUOTES}\[\]{{]",
    "a number": r"[-+]?\.?\d",
    "a comment": _COMMENT,
    "a comma too many": rf""",{_BLANKS}[\d"'{{\[]""",
    "a tuple of Python": r"\(",
    "a prefix of Python": r"""[uU]["']""",
    "a constant": r"(?:true|false|null|True|False|None)\b",
    "a call": r"""[\w.]{1,60}\(["'\d]""",
    "words without quotes": rf"[\w-]{{1,60}}\s{{0,9}},[^\n]{{1,1000}}\]\s{{0,100}}{_FENCE_OR_END}",
    "a word that lacks its first quote": r'[\w -]{1,60}"\s{0,9},\s{0,9}"',
    "an item of a Markdown list": r"""[-*\u2022][ \t]{1,9}["'{\[]""",
}


def _any_of(forms: dict[str, str]) -> str:
    return f"(?:{'|'.join(forms.values())})"


BEGINS_JSON = re.compile(
    rf"\{{{_BLANKS}{_any_of(_IN_BRACES)}"
    rf"""|(?<!\w)\{{{_BLANKS},{_BLANKS}["']"""
    rf"|(?<!CDATA)\[{_BLANKS}{_any_of(_IN_BRACKETS)}"
    r"|(?<![\w.])array\(\s{0,100}[\"'\d\[a)]"
    r"|(?<!\w)dict\(\s{0,100}(?:\w{1,60}\s{0,9}=|\))"
)
"""An opening bracket and what shows that it is one of a value: `{name}` and `[see below]` are
prose."""
