"""Where the turn of a model ends, if its template's tokens were left in the text."""

from __future__ import annotations

import re

__all__ = ["first_turn"]

_END_OF_TURN = re.compile(
    r"<(?:\|(?:eot_id|eom_id|im_end|end|endoftext|end_of_text|eos)\|>"
    r"|end_of_turn>|/s>|\uff5cend\u2581of\u2581sentence\uff5c>)"
    r"(?!\s{0,9}<\|(?:start|im_start|start_header_id)\|>assistant)"
)
_BRACKET = re.compile(r"[{\[]")
_MAY_END = frozenset("}]`>.!? \n")
"""What a turn may end with. Elsewhere the token is what the text speaks of."""


def first_turn(text: str) -> str:
    """Return a text up to the end of the turn that it begins with.

    What follows is what the model made of somebody else's next turn. A turn without any bracket
    holds no answer.
    """
    bracket = _BRACKET.search(text) if "<" in text else None
    if bracket is None:
        return text
    for end in _END_OF_TURN.finditer(text, bracket.end()):
        if text[end.start() - 1] in _MAY_END:
            return text[: end.end()]
    return text
