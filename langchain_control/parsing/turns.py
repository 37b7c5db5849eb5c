"""Where the turn of a model ends, if its template's tokens were left in the text."""

from __future__ import annotations

import re

__all__ = ["first_turn"]

_END_OF_TURN = re.compile(
    r"<(?:\|(?:eot_id|eom_id|im_end|end|endoftext|end_of_text|eos)\|>"
    r"|end_of_turn>|/s>|\uff5cend\u2581of\u2581sentence\uff5c>)"
)
_MAY_END = frozenset("}]`>.!? \n")
"""What a turn may end with. Elsewhere the token is what the text speaks of."""


def first_turn(text: str) -> str:
    """Return a text up to the end of the turn that it begins with.

    What follows is what the model made of somebody else's next turn.
    """
    for end in _END_OF_TURN.finditer(text):
        if text[end.start() - 1 : end.start()] in _MAY_END and text[: end.start()].strip():
            return text[: end.end()]
    return text
