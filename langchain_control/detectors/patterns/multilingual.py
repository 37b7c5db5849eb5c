"""Overrides, leaks and changes of persona in languages other than English.

One small grammar for all languages: to drop something, then instructions; to tell something, then
the model's own instructions. In languages that put the verb last, the object may come first.
"""

from __future__ import annotations

from langchain_control.detectors.patterns.languages import LANGUAGES, Language
from langchain_control.detectors.rules import InjectionRule

__all__ = ["RULES"]


def _gap(language: Language, words: int, prefix: int = 3) -> str:
    """Match what may stand between two stems.

    Args:
        language: Whose stems they are. Where no blanks are written, a few characters may.
        words: The most words of any kind, behind the rest of the first stem's own.
        prefix: The most characters before the second stem in its word, such as an article.
    """
    if not language.spaced:
        return r"[^\n.!?]{0,14}?"
    return rf"\S{{0,8}}+(?: [^\s.,;:!?]{{1,24}}+){{0,{words}}}? (?:\S{{0,{prefix}}})"


def _either(stems: tuple[str, ...]) -> str:
    """Match one of the stems; one that ends with a blank is a word of its own."""
    return f"(?:{'|'.join(map(_whole_or_begun, stems))})"


def _whole_or_begun(stem: str) -> str:
    return rf"{stem[:-1]}\b" if stem.endswith(" ") else stem


def _rules_of(code: str, language: Language) -> tuple[InjectionRule, ...]:
    drop, objects, tell = language.drop, language.instructions, language.tell
    edge = r"\b" if drop[0].isascii() else ""
    between, near = _gap(language, words=5), _gap(language, words=3)

    def rule(name: str, anchors: tuple[str, ...], pattern: str, category: str) -> InjectionRule:
        return InjectionRule(
            id=f"multilingual.{name}-{code}",
            anchors=anchors,
            pattern=pattern,
            category=category,
            severity="medium",
        )

    overrides = [(drop, objects), (objects, drop)] if language.verb_last else [(drop, objects)]
    tellings = [(tell, language.prompt), (language.prompt, tell)]
    rules = [
        rule(
            "ignore-instructions" + ("-verb-last" if first is objects else ""),
            first,
            edge + _either(first) + between + _either(second),
            "LLM01",
        )
        for first, second in overrides
    ]
    rules += [
        rule(
            "system-prompt" + ("-first" if first is language.prompt else ""),
            first,
            edge + _either(first) + between + _either(second),
            "LLM07",
        )
        for first, second in tellings
    ]
    own = _either(language.yours) + near + _either(objects)
    rules.append(rule("your-instructions", tell, edge + _either(tell) + near + own, "LLM07"))
    if language.secret:
        secret = _either(language.secret)
        close = _gap(language, words=2, prefix=2)
        rules.append(rule("tell-secret", tell, edge + _either(tell) + close + secret, "LLM02"))
    rules.append(
        rule("no-restrictions", language.unbound, edge + _either(language.unbound), "LLM01")
    )
    return tuple(rules)


RULES = tuple(rule for code, language in LANGUAGES.items() for rule in _rules_of(code, language))
