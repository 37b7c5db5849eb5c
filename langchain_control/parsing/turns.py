"""Where the turn of a model ends, if its template's tokens were left in the text."""

from __future__ import annotations

import re

__all__ = ["first_turn"]

_END_OF_TURN = re.compile(
    r"(?<=[\s}\]`>.!?\"])(?:<\|(?:eot_id|eom_id|im_end|end|endoftext|end_of_text|eos)\|>"
    r"|<end_of_turn>|</s>|<\uff5cend\u2581of\u2581sentence\uff5c>)"
)


def first_turn(text: str) -> str:
    """Return a text up to the end of the turn that it begins with.

    What follows is what the model made of somebody else's next turn.
    """
    end = _END_OF_TURN.search(text) if "<" in text else None
    return text[: end.end()] if end and text[: end.start()].strip() else text
