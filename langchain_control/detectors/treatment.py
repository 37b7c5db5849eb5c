"""What goes on of a value in which an attack was found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from langchain_control.detectors.presets import Mode
from langchain_control.detectors.redaction import REMOVED, cut_out, fence, is_spent, narrowed
from langchain_control.detectors.sanitize import sanitize
from langchain_control.detectors.texts import Part
from langchain_control.outcomes import Finding, Source

__all__ = ["Judged", "Treatment", "is_nothing_left", "joined"]

MAX_CUTS = 4
"""How often what is left of a text is judged again before none of it is let through."""


class Judged(NamedTuple):
    """A text, what was found in it, and what of that counts as an attack."""

    part: Part
    findings: tuple[Finding, ...]
    hits: tuple[Finding, ...]
    is_overruled: bool = False
    """Whether a second opinion has overruled what the built-in model found."""


class Treatment(NamedTuple):
    """How texts are treated, once it is clear that none of them blocks the value."""

    mode_of: Callable[[Part], Mode]
    """What to do with an attack in a text."""
    hits_in: Callable[[str, Source], Sequence[Finding]]
    """What the built-in tiers find in a text by somebody that counts as an attack."""

    def of_pieces(self, pieces: Sequence[Judged], wholes: Sequence[Judged]) -> list[str]:
        """Return what goes on of each text.

        Args:
            pieces: All texts of a value.
            wholes: Those of them that are read as one, see `joined`.
        """
        texts = [self._of_piece(piece) for piece in pieces]
        for whole in wholes:
            if whole.hits:
                self._treat_split(whole, pieces, texts)
        return texts

    def _of_piece(self, piece: Judged) -> str:
        text = piece.part.text
        if piece.part.is_fixed:
            return text
        if piece.hits:
            match self.mode_of(piece.part):
                case "sanitize":
                    return sanitize(self._without_attacks(piece))
                case "fence":
                    return fence(sanitize(text))
        return sanitize(text)

    def _treat_split(self, whole: Judged, pieces: Sequence[Judged], texts: list[str]) -> None:
        """Treat all texts of a whole if they still make an attack together, each being treated."""
        mode = self.mode_of(whole.part)
        if mode == "observe":
            return
        own = [n for n, p in enumerate(pieces) if _whole_of(p.part) == _whole_of(whole.part)]
        left = [n for n in own if mode == "sanitize" or not pieces[n].hits]
        is_only_together = not any(pieces[n].hits for n in own)
        rest = "\n".join(texts[n] for n in left)
        if is_only_together or self.hits_in(rest, whole.part.source):
            for n in left:
                texts[n] = REMOVED if mode == "sanitize" else fence(texts[n])

    def _without_attacks(self, piece: Judged) -> str:
        """Cut sentences out until the built-in tiers find nothing in what is left.

        What the model finds has the size of its window, and a rule may begin in the sentence
        before, so places are narrowed to the sentences that score. A model that was overruled by
        the second opinion stays so.
        """

        def hits_in(text: str) -> list[Finding]:
            found = self.hits_in(text, piece.part.source)
            return [hit for hit in found if hit.tier != "model" or not piece.is_overruled]

        text = piece.part.text
        ours = {hit.rule for hit in hits_in(text)}
        text = cut_out(text, [hit.span for hit in piece.hits if hit.rule not in ours])
        for _ in range(MAX_CUTS):
            hits = hits_in(text)
            if not hits:
                return text
            spans = [
                place
                for span in {hit.span for hit in hits}
                for place in narrowed(text, span, lambda part: bool(hits_in(part)))
            ]
            text = cut_out(text, spans)
        return REMOVED


def is_nothing_left(texts: Sequence[str], parts: Sequence[Part]) -> bool:
    """Whether of what the user wrote only marks are left, of the texts as they would go on."""
    by_user = [text for text, part in zip(texts, parts, strict=True) if part.source == "user"]
    return any(map(is_spent, by_user)) and all(is_spent(text) or not text for text in by_user)


def joined(parts: Sequence[Part]) -> list[Part]:
    """Return the texts that are read as one, joined: an attack may be split over several."""
    wholes: dict[Any, list[Part]] = {}
    for part in parts:
        wholes.setdefault(_whole_of(part), []).append(part)
    wholes.pop(None, None)
    return [
        replace(
            pieces[0],
            text="\n".join(piece.text for piece in pieces),
            is_fixed=any(piece.is_fixed for piece in pieces),
        )
        for pieces in wholes.values()
        if len(pieces) > 1
    ]


def _whole_of(part: Part) -> int | str | None:
    """Return what a text is read as a piece of: all that the user wrote, or one message."""
    return "user" if part.source == "user" else part.message
