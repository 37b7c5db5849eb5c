"""Where the turn of a model ends, if the text goes on behind it."""

from __future__ import annotations

import re

__all__ = ["first_turn", "next_turn_begins"]

_END_OF_TURN = re.compile(
    r"<(?:\|(?:eot_id|eom_id|im_end|end|endoftext|end_of_text|eos)\|>"
    r"|end_of_turn>|/s>|\uff5cend\u2581of\u2581sentence\uff5c>)"
    r"(?!\s{0,9}<\|(?:start|im_start|start_header_id)\|>assistant)"
)
_OTHERS_TURN = (
    r"^[ \t]{0,9}(?:\#{1,6}[ \t]{1,9}(?:Input|Instruction|User|Human|Question)\b"
    r"|(?:\*\*)?(?:User|Human|Q|Question)(?:\*\*)?:)|\[INST\]|<\|user\|>"
)
"""How the turn of whoever asks begins in transcripts and templates."""
_NEXT_TURN = re.compile(rf"{_OTHERS_TURN}|<\|assistant\|>", re.MULTILINE)
_TRANSCRIPT = re.compile(rf"[^{{\[]{{0,1000}}?(?:{_OTHERS_TURN})", re.MULTILINE)
"""A text in which such a turn comes before any value."""
_BRACKET = re.compile(r"[{\[]")
_MAY_END = frozenset("}]`>.!? \n")
"""What a turn may end with. Elsewhere the token is what the text speaks of."""


def first_turn(text: str) -> str:
    """Return a text up to the token that ends the turn that it begins with.

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


def next_turn_begins(text: str, start: int, end: int) -> bool:
    """Say whether another turn begins between a complete value and the next one.

    A text that begins with somebody else's turn repeats a conversation: its values are of several
    turns in any case, and the last one is the answer.
    """
    begins = text.startswith("[INST]", end) or _NEXT_TURN.search(text, start, end)
    return bool(begins) and not _TRANSCRIPT.match(text)
