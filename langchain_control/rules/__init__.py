"""What an answer must be besides well-formed: lengths, phrases, and what an application demands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

from langchain_control.outcomes import FailureMode, Violation
from langchain_control.rules.answer import Answer
from langchain_control.rules.coverage import MustContain
from langchain_control.rules.forbidden import ForbiddenPatterns, ForbiddenPhrases
from langchain_control.rules.length import MaxLength, MinLength
from langchain_control.rules.local_embedder import LocalEmbedder
from langchain_control.rules.meaning import Embedder, Expresses
from langchain_control.rules.refusal import NotRefusal
from langchain_control.rules.repetition import NotRepetitive

__all__ = [
    "Answer",
    "Embedder",
    "Expresses",
    "ForbiddenPatterns",
    "ForbiddenPhrases",
    "LocalEmbedder",
    "MaxLength",
    "MinLength",
    "MustContain",
    "NotRefusal",
    "NotRepetitive",
    "Predicate",
    "Rule",
    "Verdict",
    "ask",
    "failure_mode_of",
    "violations_of",
]

Verdict: TypeAlias = Violation | Sequence[Violation] | bool | None
"""What a rule says: what is wrong, or `None` or `True` where nothing is.

A bool may be NumPy's. `False` is enough for a predicate; its name then stands in the violation.
"""

Predicate: TypeAlias = Callable[[Answer], Verdict | Awaitable[Verdict]]
"""A function will do as a rule, too."""


@runtime_checkable
class Rule(Protocol):
    """Judges one answer.

    `check` may be `def` or `async def`. It must not change the answer, and must take time that is
    bounded for any text: answers are shaped by whoever writes to the model. What it raises is taken
    for a bug and reaches the caller.

    A rule may have an attribute `failure_mode`, a `FailureMode` that names what its violations
    mean; without it they are a `constraint_violation`. A rule whose `judges_beginnings` is true
    says that what it finds wrong with the beginning of an answer stays wrong however it goes on.
    Such a rule must be sync. It is shown texts, but no JSON, while they still arrive.
    """

    def check(self, answer: Answer) -> Verdict | Awaitable[Verdict]:
        """Return what is wrong with the answer; nothing is `None`, `True` or an empty sequence."""


def ask(rule: Rule | Predicate, answer: Answer) -> Verdict | Awaitable[Verdict]:
    """Return what a rule says, or an awaitable of it."""
    return rule.check(answer) if isinstance(rule, Rule) else rule(answer)


def failure_mode_of(rule: Rule | Predicate) -> FailureMode:
    """Return what violations of a rule amount to."""
    return FailureMode(getattr(rule, "failure_mode", FailureMode.CONSTRAINT_VIOLATION))


def violations_of(rule: Rule | Predicate, verdict: Verdict) -> tuple[Violation, ...]:
    """Bring a verdict into one form.

    Raises:
        TypeError: It is no verdict. A mistake of the rule's author.
    """
    match bool(verdict) if _is_numpys_bool(verdict) else verdict:
        case None | True:
            return ()
        case False:
            name = getattr(rule, "__name__", type(rule).__name__)
            return (Violation(rule=name, expected=f"`{name}` to hold"),)
        case Violation() as violation:
            return (violation,)
        case Sequence() as found if all(isinstance(item, Violation) for item in found):
            return tuple(found)
    msg = f"a rule returns violations or a bool, `{rule!r}` returned `{type(verdict).__name__}`"
    raise TypeError(msg)


def _is_numpys_bool(verdict: Any) -> bool:
    """Tell without an import; the name has an underscore in NumPy 1."""
    kind = type(verdict)
    return kind.__module__ == "numpy" and kind.__name__ in ("bool", "bool_")
