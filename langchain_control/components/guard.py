"""The gate in front of the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from langchain_core.messages import AnyMessage
from langchain_core.prompt_values import ChatPromptValueConcrete, StringPromptValue
from pydantic import Field, SkipValidation, field_validator

from langchain_control._effects import Flow, arun, run
from langchain_control.components._base import Gate
from langchain_control.detectors import NormalizingDetector, RuleDetector, normalize
from langchain_control.detectors.sanitize import sanitize
from langchain_control.detectors.texts import Part, Parts, take_apart
from langchain_control.outcomes import (
    FailureMode,
    Finding,
    Source,
    ValidationResult,
    failure,
    passed,
)

__all__ = ["InputGuard"]

BLOCKING_SCORE = 0.8
"""From this score on a finding stops a value."""


def _default_detectors() -> tuple[Any, ...]:
    return (RuleDetector(),)


class InputGuard(Gate[Any]):
    """Stop empty input, input that is too long, and prompt injection, before any model call.

    Takes a string, a prompt value, a message, a list of messages, or a mapping with string values,
    and hands on the same kind of value, sanitized. Of a conversation, the human and tool messages
    after the last model answer are judged and sanitized; what came earlier was judged when it was
    new, and system messages are the application's own.

    !!! example "Guard a chain"

        ```python
        chain = InputGuard() | prompt | model
        ```
    """

    max_chars: int = Field(default=2000, gt=0)
    """Longest input of a user, in characters after sanitizing. Bounds what a request can cost;
    retrieved context and tool output are not bound by it."""

    detectors: Annotated[tuple[Any, ...], SkipValidation] = Field(
        default_factory=_default_detectors
    )
    """Asked in order. Each has `detect(text)`, or is a function of the sanitized text; it may be
    async. The built-in tiers cost microseconds, so that they are on by default."""

    @field_validator("detectors", mode="after")
    @classmethod
    def _can_detect(cls, detectors: Any) -> tuple[Any, ...]:
        for detector in detectors:
            if not callable(detector) and not callable(getattr(detector, "detect", None)):
                msg = f"a detector is a function or has `detect`, got `{type(detector).__name__}`"
                raise ValueError(msg)  # noqa: TRY004  (pydantic reports it with the field)
        return tuple(detectors)

    @property
    def InputType(self) -> Any:  # noqa: N802
        """What may be guarded."""
        return str | StringPromptValue | ChatPromptValueConcrete | list[AnyMessage] | dict[str, Any]

    @property
    def OutputType(self) -> Any:  # noqa: N802
        """The same kind of value as came in."""
        return self.InputType

    def sanitize(self, text: str) -> str:
        """Return the text without invisible and control characters; idempotent."""
        return sanitize(text)

    def judge(self, value: Any, source: Source = "user") -> Flow[ValidationResult]:
        """Judge a value, as a flow for whoever performs flows. See `inspect`."""
        return self._inspect(value, source)

    def inspect(self, value: Any, source: Source = "user") -> ValidationResult:
        """Judge a value without stopping anything.

        Args:
            value: Anything the guard takes as a Runnable.
            source: Who wrote it. `max_chars` and the check for emptiness hold for `user` only.

        Returns:
            The verdict. `value` is the sanitized value if it passed; `findings` are all signs of an
            attack, also those too weak to stop it, with spans in the text as it was given.
        """
        return run(self._inspect(value, source))

    async def ainspect(self, value: Any, source: Source = "user") -> ValidationResult:
        """Judge a value without stopping anything; detectors may be async. See `inspect`."""
        return await arun(self._inspect(value, source))

    def _inspect(self, value: Any, source: Source = "user") -> Flow[ValidationResult]:
        taken = take_apart(value, source)
        parts = [Part(sanitize(part.text), part.source) for part in taken.parts]
        if verdict := self._judge_size(parts, taken, source):
            return verdict
        findings: list[Finding] = []
        for part in _with_joined(taken.parts):
            findings += yield from self._detect(part)
        strongest = max(findings, key=lambda finding: finding.score, default=None)
        if strongest is not None and strongest.score >= BLOCKING_SCORE:
            return failure(
                FailureMode.PROMPT_INJECTION,
                f"the input looks like an attack: `{strongest.rule}` ({strongest.category})",
                findings=tuple(findings),
                score=round(1 - strongest.score, 3),
            )
        return passed(
            taken.rebuild([part.text for part in parts]),
            findings=tuple(findings),
            repaired=any(new.text != old.text for new, old in zip(parts, taken.parts, strict=True)),
            score=round(1 - strongest.score, 3) if strongest else 1.0,
        )

    def _judge_size(
        self, parts: Sequence[Part], taken: Parts, source: Source
    ) -> ValidationResult | None:
        if source != "user":
            return None
        texts = [part.text for part in parts if part.source == "user"]
        from_tools = any(part.source == "tool" for part in parts)
        if not any(map(str.strip, texts)) and not taken.has_other_content and not from_tools:
            return failure(FailureMode.CONSTRAINT_VIOLATION, "the input is empty")
        chars = sum(map(len, texts))
        if chars > self.max_chars:
            return failure(
                FailureMode.TOKEN_OVERFLOW,
                f"the input has {chars} characters, more than the {self.max_chars} allowed",
            )
        return None

    def _detect(self, part: Part) -> Flow[list[Finding]]:
        findings: list[Finding] = []
        normalized = normalize(part.text)
        for detector in self.detectors:
            if isinstance(detector, NormalizingDetector):
                findings += detector.detect_normalized(normalized)
            else:
                detect = getattr(detector, "detect", detector)
                findings += yield detect(sanitize(part.text))
        return findings

    def clean(self, value: Any, verdict: ValidationResult) -> Any:  # noqa: ARG002
        """Return the sanitized value."""
        return verdict.value


def _with_joined(parts: Sequence[Part]) -> list[Part]:
    """Add the user's texts read as one: an attack may be split over several."""
    by_user = [part.text for part in parts if part.source == "user"]
    joined = [Part("\n".join(by_user), "user")] if len(by_user) > 1 else []
    return [*parts, *joined]
