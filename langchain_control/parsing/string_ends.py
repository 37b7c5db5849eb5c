"""Which quote ends a string: the one before what can follow a string in its place."""

from __future__ import annotations

import re
from typing import NamedTuple

from langchain_control.parsing.quotation_marks import ANY_QUOTE, QUOTES

__all__ = ["QUOTED_KEY", "Place", "ends_before", "surely_ends_before"]


class Place(NamedTuple):
    """Where in the structure a string stands: this decides which quote ends it."""

    is_key: bool
    in_object: bool
    depth: int
    finished: bool = False
    """Whether the text is known to be complete."""
    in_parentheses: bool = False
    """Whether a tuple or call is open around it."""
    in_tuple: bool = False
    """Whether a tuple is what it stands in."""
    key_words: bool = False
    """Whether the keys of the object are words without quotes."""


def ends_before(text: str, after: int, place: Place) -> bool:
    """Say whether a quote just before `after` ends a string, by what comes next."""
    if place.is_key:
        return _AFTER_KEY.match(text, after) is not None
    if place.depth == 1 and _LAST_CLOSER[place.in_object].match(text, after):
        return True
    if place.in_parentheses and _PARENTHESIS.match(text, after):
        return True
    if place.key_words and _BEFORE_KEY_WORDS.match(text, after):
        return True
    follows = _AFTER_MEMBER if place.in_object else _AFTER_ITEM
    return follows.match(text, after) is not None


def surely_ends_before(text: str, after: int, place: Place) -> bool:
    """Say whether what comes next is a whole key, or the end of the container."""
    follows = _SURELY_AFTER_MEMBER if place.in_object else _SURELY_AFTER_ITEM
    return not place.is_key and follows.match(text, after) is not None


# Looking ahead is bounded, so that reading a string stays linear.
_COLON_SIGN = r"(?::|\uff1a|[=-]>|=)"
_COMMA_SIGN = r"[,\uff0c\u3001\uff1b]"
_QUOTED = (
    r"""(?:"[^"\n]{0,200}"|'[^'\n]{0,200}'|[\u201c\u201d][^\u201c\u201d"\n]{0,200}[\u201c\u201d"]"""
    r"""|[\u201e\u00ab\uff02\u00b4][^\n:]{0,200}[\u201c\u201d\u00bb\uff02\u00b4]"""
    r"""|`[^`\n]{0,200}`|[\u2018\u2019][^\u2018\u2019'\n]{0,200}[\u2018\u2019'])"""
    rf"\*{{0,3}}\s*+{_COLON_SIGN}"
)
QUOTED_KEY = re.compile(_QUOTED)
_DRESSING = r"(?:\*{1,3}|(?:[-*\u2022]|\d{1,3}[.)])[ \t]+)?"
_KEY = rf"{_DRESSING}(?:{_QUOTED})|[:@]?[\w$.-]{{1,100}}\s*+{_COLON_SIGN}|[uU]{_QUOTED}"
_OPERATOR = r"(?:\+|(?<=\s)\.(?=\s))"
_DAMAGED_KEY = (
    r"""["'\u201c][\w$.@/ -]{1,60}:|""[\w$.-]{1,60}""?\s*+:|[\w$.@/-]{1,60}["'\u201d]\s*+:"""
    r"""|"[\w$.@/ -]{1,60}"\s*+(?:["{\[\d]|-\d|(?:true|false|null)\b)"""
)
"""A key that lacks a quote or its colon."""
_CUT_KEY = r"""["'][\w$.@/ -]{0,60}\Z"""
_COMMENT = (
    r"//|/\*|(?<![\"'])\#|<!--|<--|--\s|<br"
    r"|\([^()\[\]{}\"\n]{1,200}\)[ \t]*+,?[ \t]*+(?:\n|\Z)"
)
_END = r"$|```|~~~|</|<\|"
_AFTER_KEY = re.compile(
    rf"\*{{0,3}}\s*+(?:[:=,}}\]{{\[\d\uff1a-]|(?:true|false|null)\b|{ANY_QUOTE}|{_COMMENT}|{_END})"
)
_LAST_CLOSER = {
    True: re.compile(r"\s*+(?:\}|[\])]\s*+\Z)"),
    False: re.compile(r"\s*+(?:\]|[})]\s*+\Z)"),
}
"""What ends the container, by whether it is an object."""
_PARENTHESIS = re.compile(r"\s*+\)\s*+[,)}\];]")
_CLOSER = (
    rf"(?:[}}\]](?=\s*+(?:[,}}\]);\uff0c]|{_QUOTED}|{_COMMENT}|{_END}))"
    rf"|[}}\]](?=\s++{ANY_QUOTE})|\}}(?=\s*+\{{)|\](?=\s++\[)|\)(?=\s*+[}}\]]))"
)
_AFTER_MEMBER = re.compile(
    rf"\*{{0,3}}\s*+(?:{_CLOSER}"
    rf"|{_COMMA_SIGN}\s*+(?:{_KEY}|{_DAMAGED_KEY}|{_CUT_KEY}|[}}\],]|\.\.\.|{_COMMENT}|{_END})"
    rf"|{_QUOTED}|{_OPERATOR}\s*+{ANY_QUOTE}|;|{_COMMENT}|{_END})"
    rf"|[ \t]*+\n\s*+(?:[\w$-]{{1,100}}\s*+[:=]|[^{QUOTES}{{}}\[\]:]{{1,500}}\Z)"
)
_WORD_ITEM = r"""[\w$-]{1,100}["']?\s*+[,\]]"""
_AFTER_ITEM = re.compile(
    rf"\*{{0,3}}\s*+(?:{_CLOSER}"
    rf"|{_COMMA_SIGN}\s*+(?:{_DRESSING}{ANY_QUOTE}|[\]}}{{\[(,]|[-+.]?\d|{_WORD_ITEM}|\.\.\.|{_COMMENT}|{_END})"
    rf"|:|=>|{_OPERATOR}\s*+{ANY_QUOTE}|;|{_COMMENT}|{_END})|\s++{ANY_QUOTE}"
)
_BEFORE_KEY_WORDS = re.compile(r"""\s*+,\s*+[\w$.@ -]{1,60}:\s{0,100}["'\d{\[tfn-]""")
_SURE_CLOSERS = r"\s{0,1000}(?:[,}\]]|```|\Z)"
_SURELY_AFTER_MEMBER = re.compile(
    r"""\s{0,1000}(?:,?\s{0,1000}(?:"[^"\\\n]{1,200}"|'[^'\\\n]{1,200}'|\u201c[^\u201d\n]{1,200}\u201d)\s{0,100}:"""
    rf"""|,?\s{{0,1000}}\}}{_SURE_CLOSERS})"""
    r"""|\s{0,100},\s{0,1000}[\w$]{1,100}\s{0,100}:"""
)
_SURELY_AFTER_ITEM = re.compile(
    rf"""\s{{0,1000}}(?:,\s{{0,1000}}["'\d{{\[]|,?\s{{0,1000}}\]{_SURE_CLOSERS})"""
)
