"""What an answer must not say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from langchain_control.outcomes import FailureMode, Violation
from langchain_control.rules.answer import Answer
from langchain_control.rules.folding import fold_parts, phrase_pattern
from langchain_control.rules.linear import linear_search
from langchain_control.rules.several import refuse_one_text

__all__ = ["ForbiddenPatterns", "ForbiddenPhrases"]


@dataclass(frozen=True)
class ForbiddenPhrases:
    """Reject an answer that holds one of some phrases.

    Compared as whole words with case, width, spacing, invisible characters and emphasis folded:
    "hell" is not in "shell", "user" not in "user_name", "5" not in "0.5", and neither two spaces
    nor `**` hide anything. Dates, versions and lists are several figures: "2024" is in
    "31.12.2024", and "Python 3" in "Python 3.12". In JSON, keys and values are searched, each by
    itself.
    """

    failure_mode: ClassVar[FailureMode] = FailureMode.CONSTRAINT_VIOLATION
    judges_beginnings: ClassVar[bool] = True

    phrases: Sequence[str]
    disclose: bool = True
    """Whether a violation names the phrase, and with it the correction sent to the model. Turn it
    off for lists that nobody outside may learn; the model then only hears how many there are."""
    _patterns: tuple[re.Pattern[str], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the phrases.

        Raises:
            ValueError: One of them is blank, or they are one text instead of several.
        """
        refuse_one_text("phrases", self.phrases)
        object.__setattr__(self, "_patterns", tuple(map(phrase_pattern, self.phrases)))

    def check(self, answer: Answer) -> list[Violation]:
        """Name every phrase that occurs, once."""
        text = fold_parts(answer.parts)
        found = zip(self.phrases, self._patterns, strict=True)
        return [self._violation(phrase) for phrase, pattern in found if pattern.search(text)]

    def _violation(self, phrase: str) -> Violation:
        if self.disclose:
            expected = f'an answer without "{phrase}"'
        else:
            expected = f"none of {len(self.phrases)} forbidden phrases"
        return Violation(rule="forbidden_phrase", expected=expected)


@dataclass(frozen=True)
class ForbiddenPatterns:
    r"""Reject an answer in which one of some regular expressions matches.

    They are matched in linear time by the Rust engine of `jsonschema-rs`, so there is no lookaround
    and no backreference. `\w` and `\d` know all scripts, as in `re`; unlike there, `\w` matches
    combining marks and all that connects words, too, as Unicode advises. Begin one with `(?i)` to
    ignore case, with `(?s)` to let dots match line breaks. In JSON, keys and values are searched.
    Patterns often describe secrets, so violations give their number only.
    """

    failure_mode: ClassVar[FailureMode] = FailureMode.CONSTRAINT_VIOLATION

    patterns: Sequence[str]
    _searches: tuple[Any, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the patterns.

        Raises:
            ValueError: One of them is not a regular expression, needs backtracking, is too large,
                or sets `s` elsewhere than at its beginning; or they are one text instead of
                several.
        """
        refuse_one_text("patterns", self.patterns)
        object.__setattr__(self, "_searches", tuple(map(linear_search, self.patterns)))

    def check(self, answer: Answer) -> list[Violation]:
        """Name every pattern that matches by its number, from 1."""
        text = answer.prose.encode(errors="replace").decode()
        total = len(self.patterns)
        return [
            Violation(
                rule="forbidden_pattern",
                expected=f"no match of {total} forbidden patterns",
                found=f"a match of pattern {number}",
            )
            for number, search in enumerate(self._searches, start=1)
            if search.is_valid(text)
        ]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the compiled patterns."""
        return ForbiddenPatterns, (self.patterns,)
