"""JSON that is sound up to where it breaks off."""

from __future__ import annotations

import re

from langchain_control.parsing.quotation_marks import QUOTES
from langchain_control.parsing.strict import MAX_DEPTH, Scanned

__all__ = ["breaks_off"]


def breaks_off(text: str, strict: Scanned) -> bool:
    """Say whether a text surely is the beginning of one object or array, and nothing else.

    Args:
        text: Any text.
        strict: What came of reading strict JSON at its beginning.
    """
    fault = strict.fault
    if fault is None or fault.kind != "truncated" or not _SOUND.match(text, strict.start):
        return False
    is_closed_in_the_margin = text.rstrip().endswith(("\n}", "\n]"))
    return not is_closed_in_the_margin and text.count("{") + text.count("[") <= MAX_DEPTH


_DOUBTFUL = r"\\:{}\[\]<`~\x00-\x1f\ud800-\udfff"
"""Characters of strings that leave a doubt: escapes, JSON, ends of wrappings, and no text."""
_SOUND = re.compile(
    r"""(?=\{[ \t\r\n]{0,100}"|\[[ \t\r\n]{0,100}["\[{0-9])"""
    rf"""(?>(?:[ \t\r\n{{}}\[\]:,]++|"[^"{_DOUBTFUL}]{{0,100}}+"|true|false|null"""
    r"""|-?[0-9]{1,30}+(?:\.[0-9]{1,30}+)?(?:[eE][+-]?[0-9]{1,2}+)?)*)"""
    rf"""(?:"[^{QUOTES}{_DOUBTFUL}()]{{0,100}}+)?\Z"""
)
"""Brackets, plain strings, numbers and constants, and at the end the beginning of a string."""
