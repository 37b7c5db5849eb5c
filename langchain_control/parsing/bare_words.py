"""Words without quotes: those that can only be strings, and those that only hold a place."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["BareWord", "read_bare_word", "read_measure"]


class BareWord(NamedTuple):
    """A string that lacks its quotes, and where it ends."""

    value: str
    end: int
    repair: str
    is_certain: bool = False


def read_measure(text: str, start: int) -> BareWord | None:
    """Read the quantity, date, time, version or address at `start`, if there is one."""
    measure = _MEASURE.match(text, start)
    return measure and BareWord(measure[0], measure.end(), "bare_string", is_certain=True)


def read_bare_word(text: str, start: int) -> BareWord | None:
    """Read the word or words at `start`, up to where a value can end."""
    if measure := read_measure(text, start):
        return measure
    if symbol := _SYMBOL.match(text, start):
        return BareWord(symbol[1], symbol.end(), "bare_string", is_certain=True)
    if _PLACEHOLDER.match(text, start) and (bare := _BARE.match(text, start)):
        return BareWord(bare[0].rstrip(), bare.end(), "placeholder")
    if dressed := _DRESSED.match(text, start):
        return BareWord(dressed[2], dressed.end(), "bare_string")
    if bare := _BARE.match(text, start):
        words = bare[0].rstrip()
        kinds = (kind for kind, pattern in _NO_STRINGS if pattern.match(words))
        return BareWord(words, bare.end(), next(kinds, "bare_string"))
    return None


_ENDS = r"(?=\s{0,100}(?:[,}\]\n]|//|/\*|\Z))"
_QUANTITY = r"[-+\u2212]?\d{1,3}(?>(?:,\d{3})+)(?:\.\d++)?|[-+\u2212]?\d++(?:\.\d++)?"
_UNITS = (
    r"(?:[kcm\u00b5n]?m[\u00b2\u00b32-3]?|[kmg\u00b5]?g|kg|lbs?|oz|tons?|[mcd]?l|mi|ft|in|yd|ha|acres?|miles?|inch(?:es)?"
    r"|m?s|sec(?:onds?)?|min(?:utes?|s)?|hrs?|h|hours?|days?|weeks?|months?|years?"
    r"|[KMGT]i?B|bytes?|px|em|rem|pt|[kMG]?Hz|k?Wh?|MW|GW|[mk]?V|m?A|k?cal|k?J|k?Pa|bar|bpm|mph|km/h|m/s"
    r"|USD|EUR|GBP|CHF|JPY|INR|dollars|euros|percent|\u00b0\s?[CF]?)"
)
_MONTHS = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?"
_MEASURE = re.compile(
    r"(?:"
    + "|".join(
        (
            rf"(?:{_QUANTITY})\s?(?:%|\u2030|[$\u20ac\u00a3\u00a5\u20b9\u20a9])",
            rf"[-+]?(?:US|A|C)?[$\u20ac\u00a3\u00a5\u20b9\u20a9]\s?(?:{_QUANTITY})\s?(?:[kKMB]|bn)?",
            rf"(?:{_QUANTITY})\s?{_UNITS}",
            r"\d++(?:\.\d++)?(?![eExXbBoO])[A-Za-z]{1,4}",
            rf"\d{{4}}-\d{{2}}-\d{{2}}(?:[T ]{_CLOCK}\s?(?:Z|UTC|[-+]\d{{2}}:?\d{{2}})?)?",
            rf"{_CLOCK}(?:\s?[AaPp]\.?[Mm]\.?)?",
            rf"\d{{1,2}}(?:st|nd|rd|th)?\.? {_MONTHS} \d{{4}}",
            r"\d{1,2}/\d{1,2}/\d{4}|\d{1,2}\.\d{1,2}\.\d{4}",
            r"v?\d{1,5}(?:\.\d{1,5}){2,3}(?:[-+][\w.]{1,40})?",
            r"\+\d{1,3}(?:[ -]\(?\d{2,4}\)?){2,5}",
            r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}",
            r"https?://[^\s\"',{}\[\]]{1,500}",
            r"#[0-9a-fA-F]{3,8}",
            r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
        )
    )
    + rf"){_ENDS}"
)
"""Quantities, dates, times, versions, numbers of telephones, addresses, colors: there is no other
way to say them in JSON than as a string."""

_SYMBOL = re.compile(rf":([A-Za-z_]\w{{0,60}}){_ENDS}")
"""A symbol of Ruby."""

_TYPE = (
    r"(?:string|number|integer|boolean|bool|str|int|float|double|array|object|any|list|dict"
    r"|date|datetime|timestamp|null|undefined)(?:\[\])?\??"
)
_PLACEHOLDER = re.compile(
    rf"(?:{_TYPE}(?:\s{{0,9}}\|\s{{0,9}}{_TYPE}){{0,9}}"
    r"|(?:insert|enter|your|fill in|put|add|specify)\s[^\n,}\]]{1,100}|[^\n,}\]\"]{1,100}\shere"
    r"|object Object|TODO|FIXME|XXX+|placeholder"
    rf"|[YMDHhms]{{2,4}}(?:[-/:. ][YMDHhms]{{2,4}}){{1,5}}){_ENDS}"
)
"""The name of a type, an instruction, or the pattern of a date, where a value was meant to be."""

_MALFORMED = re.compile(
    r"(?:[-+]?[\d.]*\.\.[\d.]*|[-+]?\d[\d.]*[eE][-+]?|0[xXbBoO]\w*|[-+.*/?!=]+"
    rf"|\w[\w.]*(?: ?[+*/] ?\w[\w.]*)*? [+*/] \w[\w.]*){_ENDS}"
)
"""Broken numbers, signs alone and expressions: whatever they are, they are no words."""

_ALTERNATIVES = re.compile(
    r"[^|]{0,200}\|(?!\|)|.{1,200}\s(?:x?or|oder|ou)\s|either\s"
    r"|[^\W\d_]{1,60}(?: ?/ ?[^\W\d_]{1,60}){1,9}\Z"
)
"""Several words of which one was to be chosen."""

_FILLER = re.compile(
    r"(?:not (?:given|specified|provided|available|mentioned|stated|sure|known|found|disclosed)"
    r"|to be (?:determined|decided|confirmed|announced|filled(?: in)?|added)"
    r"|(?:see|as) (?:above|below|before)|(?:the )?same as\b.{0,60}|tb[dca]|ditto"
    r"|(?:omitted|left out|shortened|truncated|redacted)\b.{0,60})\W*\Z",
    re.IGNORECASE,
)
"""What is said where a value is not."""

_NO_STRINGS = (
    ("malformed", _MALFORMED),
    ("several_strings", _ALTERNATIVES),
    ("placeholder", _FILLER),
)
"""Words that are no value, and the repair that it is to take them for one."""

_DRESSED = re.compile(rf"(\*{{1,2}})([^*\n,:{{}}\[\]\"]{{1,200}})\1{_ENDS}")
"""Words in the bold or italic type of Markdown."""

_BARE = re.compile(
    r"""(?:/[^/\n]{1,200}/[a-z]{0,8}|[~<>\u2248\u2264\u2265]=?\s?-?\d[\d.]{0,40}"""
    r"""|[^\s,:{}\[\]()"'`\u2018\u2019\u201c\u201d<>;][^\n,:{}\[\]()"'`\u2018\u2019\u201c\u201d<>;]{0,500}+)"""
    r"(?=\s{0,100}[,}\]\n])"
)
"""A bare word ends where a value can end. Before a colon it would be a key, before a bracket a call
of a function, and at the end of the text nobody knows how it goes on."""
