"""Text that a model wrote to itself before its answer."""

from __future__ import annotations

import re

__all__ = ["after_reasoning"]

_TAGS = "think|thinking|thought|reasoning"
_TAG = re.compile(rf"<({_TAGS})>", re.IGNORECASE)
_OPENING = re.compile(rf"\s*{_TAG.pattern}", re.IGNORECASE)
_CLOSING = re.compile(rf"</(?:{_TAGS})>", re.IGNORECASE)
_CLOSING_LINE = re.compile(rf"^[ \t]*</(?:{_TAGS})>", re.IGNORECASE | re.MULTILINE)


def after_reasoning(text: str) -> str | None:
    """Return what follows the reasoning blocks at the start of a text.

    Some chat templates put the opening tag into the prompt, so a closing tag at the start of a line
    is enough. Tags anywhere else may be part of the answer and stay.

    Returns:
        The text itself if there is no reasoning in it, `None` if its reasoning never ends.
    """
    if "<" not in text or ("</" not in text and not _OPENING.match(text)):
        return text
    start = 0
    while opening := _OPENING.match(text, start):
        closing = re.compile(f"</{opening[1]}>", re.IGNORECASE).search(text, opening.end())
        if closing is None:
            return None
        start = closing.end()
    if start == 0 and _CLOSING.search(text) and not _TAG.search(text):
        for closed in _CLOSING_LINE.finditer(text):
            start = closed.end()
    return text[start:]
