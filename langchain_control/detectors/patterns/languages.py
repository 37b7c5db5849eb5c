"""The words of which overrides are made in other languages, read from `languages.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from langchain_control.detectors.folding import fold

__all__ = ["LANGUAGES", "Language"]


class Language(NamedTuple):
    """The word stems of one language, folded."""

    drop: tuple[str, ...]
    """To ignore, forget, disregard."""
    instructions: tuple[str, ...]
    """Instructions, rules, guidelines, directives."""
    tell: tuple[str, ...]
    """To show, reveal, repeat, print."""
    yours: tuple[str, ...]
    """Your, initial, hidden: what sets the model's own instructions apart from others."""
    prompt: tuple[str, ...]
    """Words for a system prompt that need no further sign."""
    unbound: tuple[str, ...]
    """Phrases that announce a persona without rules."""
    secret: tuple[str, ...] = ()
    """The password, the secret, with the article where there is one."""
    verb_last: bool = False
    """Whether the object comes before the verb."""
    spaced: bool = True
    """Whether blanks stand between words."""


def _read() -> dict[str, Language]:
    text = Path(__file__).with_name("languages.toml").read_text(encoding="utf-8")
    return {
        code: Language(**{key: _folded(value) for key, value in words.items()})
        for code, words in tomllib.loads(text).items()
    }


def _folded(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    return tuple(dict.fromkeys(fold(stem).lower() for stem in value))


LANGUAGES = _read()
