"""The gate in front of the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Annotated, Any, Literal, get_args

from langchain_core.messages import AnyMessage
from langchain_core.prompt_values import ChatPromptValueConcrete, StringPromptValue
from pydantic import Field, SkipValidation, field_validator

from langchain_control._effects import Flow, arun, run
from langchain_control.components.shapes import Gate, Several
from langchain_control.detectors import NormalizedText, RuleDetector, normalize
from langchain_control.detectors.framework_texts import FRAMEWORK_TEXTS
from langchain_control.detectors.model import WordModelDetector
from langchain_control.detectors.presets import PRESETS, Mode, Preset
from langchain_control.detectors.redaction import mask
from langchain_control.detectors.sanitize import sanitize
from langchain_control.detectors.texts import MAX_DEPTH, MAX_VALUES, Part, Parts, take_apart
from langchain_control.detectors.treatment import Judged, Treatment, is_nothing_left, joined
from langchain_control.errors import classify
from langchain_control.errors.logged import log_failure
from langchain_control.outcomes import (
    FailureMode,
    Finding,
    Source,
    ValidationResult,
    failure,
    passed,
)

__all__ = ["InputGuard"]

Probability = Annotated[float, Field(gt=0, le=1)]


def _default_detectors() -> tuple[Any, ...]:
    return (RuleDetector(), WordModelDetector())


class InputGuard(Gate[Any]):
    """Stop empty input, input that is too long, and prompt injection, before any model call.

    Takes a string, a prompt value, a message, a list of messages, documents, or a mapping, with the
    texts it holds at any depth, and hands on the same kind of value, sanitized. Of a conversation,
    the messages of people and tools after the last model answer are judged and sanitized; what came
    earlier was judged when it was new, and system messages are the application's own, with all that
    was formatted into them. Objects in a mapping, collections other than lists and tuples, and keys
    are judged by what a template would make of them and handed on as they are.

    !!! example "Guard a chain"

        ```python
        chain = InputGuard() | prompt | model
        ```
    """

    max_chars: int = Field(default=2000, gt=0)
    """Longest input of a user, in characters after sanitizing. Bounds what a request can cost;
    retrieved context and tool output are not bound by it."""

    preset: Preset = "balanced"
    """How sure the guard has to be: `strict` finds more, `lenient` disturbs fewer people."""

    thresholds: Mapping[Source, Probability] = Field(default_factory=dict)
    """Scores from which on a finding counts, by source, in place of those of the preset."""

    mode: Mode = "block"
    """What to do with an attack: `block` it, `sanitize` by cutting its sentences out (a user's
    text of which nothing is left is blocked), `fence` it as data, or `observe` it and hand it on,
    for a trial run. What cannot be rewritten, such as an object in a mapping, is blocked in place
    of being sanitized or fenced."""

    modes: Mapping[Source, Mode] = Field(default_factory=dict)
    """Exceptions from `mode` by source, such as fencing what tools return."""

    allow: Several[str] = ()
    """Phrases that are harmless here, whatever their case: no detector sees them."""

    detectors: Annotated[Several[Any], SkipValidation] = Field(default_factory=_default_detectors)
    """Asked in order. Each has `detect(text)`, or is a function of the sanitized text; it may be
    async. The built-in tiers need no service and take well under a millisecond on
    short texts; the first use in a process also loads them."""

    second_opinion: Annotated[Any, SkipValidation] = None
    """A detector that is slow or costs money, asked only if the strongest finding lies in the
    `grey_zone`. It overrules the built-in model, not the rules."""

    grey_zone: tuple[float, float] = (0.2, 0.8)
    """Scores between which the other detectors are in doubt."""

    when_detector_fails: Literal["block", "pass"] = "block"
    """What to do when a detector that asks a service gets no answer: an attacker could wait
    for such an outage, so the default is to block. Errors that are not the service's are raised."""

    @field_validator("detectors", "second_opinion", mode="after")
    @classmethod
    def _can_detect(cls, given: Any) -> Any:
        for detector in given if isinstance(given, list | tuple) else (given,):
            if not (detector is None or callable(detector) or callable(_detect_of(detector))):
                msg = f"a detector is a function or has `detect`, got `{type(detector).__name__}`"
                raise ValueError(msg)
        return tuple(given) if isinstance(given, list) else given

    @field_validator("grey_zone", mode="after")
    @classmethod
    def _from_low_to_high(cls, zone: tuple[float, float]) -> tuple[float, float]:
        low, high = zone
        if not 0 <= low < high <= 1:
            msg = "`grey_zone` goes from a lower to a higher probability"
            raise ValueError(msg)
        return zone

    @field_validator("allow", mode="after")
    @classmethod
    def _says_something(cls, phrases: tuple[str, ...]) -> tuple[str, ...]:
        if not all(map(str.strip, phrases)):
            msg = "an allowed phrase must not be blank"
            raise ValueError(msg)
        return phrases

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

    def clean(self, value: Any, verdict: ValidationResult) -> Any:  # noqa: ARG002
        """Return the sanitized value."""
        return verdict.value

    def inspect(self, value: Any, source: Source = "user") -> ValidationResult:
        """Judge a value without stopping anything.

        Args:
            value: Anything the guard takes as a Runnable.
            source: Who wrote it. `max_chars` and the check for emptiness hold for `user` only.

        Returns:
            The verdict. `value` is the sanitized value if it passed; `findings` are all signs of an
            attack, also those too weak to stop it, with spans in the text as it was given.

        Raises:
            ValueError: There is no such source.
            TypeError: A detector of your own gives something other than findings.
        """
        return run(self.judge(value, _known(source)))

    async def ainspect(self, value: Any, source: Source = "user") -> ValidationResult:
        """Judge a value without stopping anything; detectors may be async. See `inspect`."""
        return await arun(self.judge(value, _known(source)))

    def judge(
        self, value: Any, source: Source = "user", *, is_question: bool = True
    ) -> Flow[ValidationResult]:
        """Judge a value, as a flow. See `inspect`.

        Args:
            value: See `inspect`.
            source: Who wrote it.
            is_question: Whether it is what the user asks. An earlier turn may be empty, and of any
                length, as it is searched to the end.
        """
        taken = take_apart(value, source)
        is_bound = is_question and source == "user"
        if verdict := self._judge_size(taken, is_bound=is_bound):
            return verdict
        judged: list[Judged] = []
        for part in (*taken.parts, *joined(taken.parts)):
            answer = yield from self._judge(part)
            if isinstance(answer, ValidationResult):
                return answer
            judged.append(answer)
        return self._verdict(taken, judged)

    def _judge_size(self, taken: Parts, *, is_bound: bool) -> ValidationResult | None:
        if not taken.complete:
            return failure(
                FailureMode.TOKEN_OVERFLOW,
                f"the input holds more than {MAX_VALUES} values, or more than {MAX_DEPTH} deep",
            )
        if not is_bound:
            return None
        by_user = [part for part in taken.parts if part.source == "user"]
        if _is_empty(taken, [part.text for part in by_user if not part.is_fixed]):
            return failure(FailureMode.CONSTRAINT_VIOLATION, "the input is empty")
        chars = sum(len(sanitize(part.text)) for part in by_user)
        if chars > self.max_chars:
            return failure(
                FailureMode.TOKEN_OVERFLOW,
                f"the input has {chars} characters, more than the {self.max_chars} that the "
                "guard's `max_chars` allows",
            )
        return None

    def _judge(self, part: Part) -> Flow[Judged | ValidationResult]:
        if part.source != "user" and part.text in FRAMEWORK_TEXTS:
            return Judged(part, (), ())
        text = mask(part.text, self.allow)
        findings = self._built_in_findings(normalize(text))
        for detector in self.detectors:
            if _detect_normalized_of(detector):
                continue
            answer = yield from self._ask(detector, text)
            if isinstance(answer, ValidationResult):
                return answer
            findings += answer
        decisive, overruled = findings, []
        if self.second_opinion is not None and self._in_doubt(findings):
            answer = yield from self._ask(self.second_opinion, text)
            if isinstance(answer, ValidationResult):
                return answer
            overruled = [f for f in findings if f.tier == "model" and f not in answer]
            decisive = [*(f for f in findings if f.tier != "model"), *answer]
            findings += answer
        threshold = self._threshold(part.source)
        hits = tuple(finding for finding in decisive if finding.score >= threshold)
        is_overruled = any(finding.score >= threshold for finding in overruled)
        return Judged(part, tuple(findings), hits, is_overruled)

    def _built_in_findings(self, text: NormalizedText) -> list[Finding]:
        """Ask the detectors that read normalized text, then those that weigh what all found."""
        found = [
            finding
            for detector in self.detectors
            if (detect := _detect_normalized_of(detector))
            for finding in detect(text)
        ]
        for detector in self.detectors:
            if reconsider := getattr(detector, "reconsider", None):
                found = reconsider(found, text)
        return found

    def _in_doubt(self, findings: Sequence[Finding]) -> bool:
        low, high = self.grey_zone
        return low <= max((finding.score for finding in findings), default=0.0) <= high

    def _ask(self, detector: Any, text: str) -> Flow[Sequence[Finding] | ValidationResult]:
        """Ask a detector that is not ours; a failing service is a verdict or an empty answer."""
        detect = _detect_of(detector) or detector
        shown = sanitize(text)
        try:
            given: Any = yield detect(shown)
        except Exception as exc:
            mode = classify(exc)
            if mode is None:
                raise
            log_failure(f"the detector `{type(detector).__name__}`", exc)
            if self.when_detector_fails == "pass":
                return ()
            return failure(mode, f"the detector `{type(detector).__name__}` did not answer")
        findings = _findings_in(given, detector)
        # Places in the sanitized text are not places in the text as it was given.
        return findings if shown == text else [replace(found, span=None) for found in findings]

    def _verdict(self, taken: Parts, judged: Sequence[Judged]) -> ValidationResult:
        findings = tuple(chain.from_iterable(item.findings for item in judged))
        suspect = [item for item in judged if item.hits]
        for item in suspect:
            if self._mode(item.part) == "block":
                return _attack(item.hits, findings)
        pieces, wholes = judged[: len(taken.parts)], judged[len(taken.parts) :]
        texts = Treatment(self._mode, self._built_in_hits).of_pieces(pieces, wholes)
        if suspect and is_nothing_left(texts, taken.parts):
            return _attack([hit for item in suspect for hit in item.hits], findings)
        return passed(
            taken.rebuild(texts),
            message=_reason([hit for item in suspect for hit in item.hits]) if suspect else "",
            findings=findings,
            notes=tuple(dict.fromkeys(self._mode(item.part) for item in suspect)),
            flagged=tuple(dict.fromkeys(item.part.source for item in suspect)),
            repaired=texts != [part.text for part in taken.parts],
            score=round(1 - max((f.score for f in findings), default=0.0), 3),
        )

    def _built_in_hits(self, text: str, source: Source) -> list[Finding]:
        threshold = self._threshold(source)
        found = self._built_in_findings(normalize(mask(text, self.allow)))
        return [finding for finding in found if finding.score >= threshold]

    def _threshold(self, source: Source) -> float:
        return self.thresholds.get(source, PRESETS[self.preset][source])

    def _mode(self, part: Part) -> Mode:
        mode = self.modes.get(part.source, self.mode)
        return "block" if part.is_fixed and mode != "observe" else mode


def _attack(hits: Sequence[Finding], findings: Sequence[Finding]) -> ValidationResult:
    return failure(
        FailureMode.PROMPT_INJECTION,
        _reason(hits),
        findings=tuple(findings),
        score=round(1 - max(finding.score for finding in hits), 3),
    )


def _reason(hits: Sequence[Finding]) -> str:
    """Name the strongest rule, which says more than that the model found something."""
    worst = max(hits, key=lambda finding: (finding.tier != "model", finding.score))
    return f"the input looks like an attack: `{worst.rule}` ({worst.category})"


def _detect_of(detector: Any) -> Any:
    return getattr(detector, "detect", None)


def _findings_in(given: Any, detector: Any) -> list[Finding]:
    found = list(given) if isinstance(given, Iterable) else None
    if found is not None and all(isinstance(item, Finding) for item in found):
        return found
    name = getattr(detector, "__name__", type(detector).__name__)
    msg = f"a detector returns a list of findings, `{name}` returned `{type(given).__name__}`"
    raise TypeError(msg)


def _known(source: Source) -> Source:
    if source not in (known := get_args(Source)):
        msg = f"`source` must be one of {', '.join(known)}, got {source!r}"
        raise ValueError(msg)
    return source


def _detect_normalized_of(detector: Any) -> Any:
    return getattr(detector, "detect_normalized", None)


def _is_empty(taken: Parts, texts: Sequence[str]) -> bool:
    """Whether nothing is asked, where `texts` is what the user wrote.

    What is asked may be in an image or follow from what a tool returned; a prompt without a turn of
    the user asks by its documents or by the messages that are not judged.
    """
    if any(sanitize(text).strip() for text in texts) or taken.has_other_content:
        return False
    if any(part.source == "tool" for part in taken.parts):
        return False
    return bool(texts) or not (taken.parts or taken.has_unjudged_messages)
