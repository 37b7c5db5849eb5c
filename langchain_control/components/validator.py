"""A gate for answers: what they must be, checked before anything acts on them."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Annotated, Any, ClassVar, NamedTuple, Self, cast

from langchain_core.messages import AIMessage
from pydantic import Field, PrivateAttr, field_validator, model_validator

from langchain_control._effects import Flow
from langchain_control.components.shapes import Gate, Several
from langchain_control.contracts import compile_contract
from langchain_control.contracts.beginnings import broken_for_good
from langchain_control.contracts.broken import broken
from langchain_control.contracts.reading import Problem, Reader, Reading, reader_of
from langchain_control.conversation import answer_of, is_blank
from langchain_control.encodings.surrogates import well_formed_message
from langchain_control.errors import ResponseRejected
from langchain_control.models.confidence import confidence_of
from langchain_control.outcomes import (
    FailureMode,
    Scores,
    ValidationResult,
    Violation,
    passed,
)
from langchain_control.parsing import RepairPolicy, canonical
from langchain_control.parsing.ending import Ending, ending_of
from langchain_control.rules import (
    Answer,
    Expresses,
    ForbiddenPhrases,
    MaxLength,
    MinLength,
    MustContain,
    Rule,
    Verdict,
    ask,
    failure_mode_of,
    violations_of,
)
from langchain_control.rules.folding import fold_phrase
from langchain_control.rules.meaning import Measured

__all__ = ["ResponseValidator"]

Phrase = Annotated[str, Field(min_length=1)]


class ResponseValidator(Gate[AIMessage | str]):
    """Accept an answer only if it is all that it has to be.

    What passes comes back clean: JSON without fences and prose around it, as compact JSON in the
    content and as plain data in `additional_kwargs["parsed"]`. Everything that is wrong is told at
    once.

    A message that calls tools is passed on as it is: its content is not the answer yet. Whether the
    model has such tools is known to a model under control, and to an agent.

    !!! example "Reject answers that are no invoice"

        ```python
        chain = prompt | model | ResponseValidator(response_schema=Invoice)
        ```
    """

    _error: ClassVar = ResponseRejected

    response_schema: Any = None
    """The contract: a type (pydantic model, dataclass, TypedDict, `list[...]`) or a JSON Schema as
    a dict. Implies JSON."""
    must_be_json: bool = False
    """Whether the answer must be JSON, of any kind."""
    required_keys: Several[Phrase] = ()
    """Keys that must be there. Implies a JSON object."""
    max_length: int | None = Field(default=None, gt=0)
    """Most characters, counted on the clean text."""
    min_length: int | None = Field(default=None, ge=0)
    """Fewest characters, counted on the clean text."""
    forbidden_phrases: Several[Phrase] = ()
    """Phrases that must not occur, as whole words, whatever their case, width and spacing."""
    must_contain: Several[Phrase] = ()
    """Phrases that should occur. The share that does is the `score` of the verdict."""
    min_score: float | None = Field(default=None, ge=0, le=1)
    """Least share of `must_contain`. Unset, all of them must occur; 0 scores and never rejects."""
    repair: RepairPolicy = RepairPolicy.AGREED
    """Which repairs of damaged JSON may stand. By default those that are certain, and those in
    which two independent parsers agree. Where nobody says how a message ended, nothing but a last
    bracket is completed, and only if `response_schema` shows that nothing else can be missing."""
    coerce: bool = False
    """Whether values of another type are converted where `response_schema` is a type, such as
    `"7"` to 7, as far as the type lets them be; the rest stays as it is. Without a schema it waits
    for one. Off, because a conversion hides that the model did not keep to the contract."""
    accept_broken_off: bool = False
    """Whether an answer may pass whose provider does not say how it ended. A stream that ends early
    leaves such an answer and raises nothing. This concerns only providers that are known to report
    an ending; set it for a compatible server that never does."""
    rules: Several[Any] = ()
    """Further rules, sync or async: `Rule` objects, or functions of an `Answer`. They are asked
    about answers that meet the contract, and may rely on its shape."""

    _compiled: _Compiled = PrivateAttr()

    @field_validator("response_schema")
    @classmethod
    def _can_be_compiled(cls, schema: Any) -> Any:
        if schema is not None:
            compile_contract(schema)
        return schema

    @field_validator("forbidden_phrases", "must_contain")
    @classmethod
    def _can_be_found(cls, phrases: tuple[str, ...]) -> tuple[str, ...]:
        ForbiddenPhrases(phrases)
        return phrases

    @field_validator("rules")
    @classmethod
    def _can_be_asked(cls, rules: tuple[Any, ...]) -> tuple[Any, ...]:
        for rule in rules:
            if isinstance(rule, type) or not (hasattr(rule, "check") or callable(rule)):
                msg = f"a rule is a function or an object with `check`, got `{rule!r}`"
                raise ValueError(msg)
        return rules

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Refuse settings that contradict each other, and compile the others."""
        shortest, longest = self.min_length, self.max_length
        if shortest is not None and longest is not None and shortest > longest:
            msg = f"`min_length` ({shortest}) exceeds `max_length` ({longest})"
            raise ValueError(msg)
        if self.min_score is not None and not self.must_contain:
            msg = "`min_score` needs `must_contain`: there is nothing to score"
            raise ValueError(msg)
        if self.coerce and isinstance(self.response_schema, Mapping):
            msg = "`coerce` needs a type as `response_schema`: a JSON Schema converts nothing"
            raise ValueError(msg)
        both = set(map(fold_phrase, self.must_contain)) & set(
            map(fold_phrase, self.forbidden_phrases)
        )
        if both:
            msg = f"`must_contain` and `forbidden_phrases` share {sorted(both)}"
            raise ValueError(msg)
        self._compiled = _compile(self)
        if self.response_schema is not None:
            contract = self._compiled.reader.contracts[0]
            excluded = [key for key in self.required_keys if contract.excludes(key)]
            if excluded:
                msg = f"`required_keys` asks for {excluded}, which `response_schema` excludes"
                raise ValueError(msg)
        return self

    @property
    def InputType(self) -> Any:  # noqa: N802
        """An answer, as a message or as text."""
        return AIMessage | str

    @property
    def OutputType(self) -> Any:  # noqa: N802
        """The clean answer."""
        return AIMessage

    @property
    def expects_json(self) -> bool:
        """Whether an answer has to be JSON."""
        return self._compiled.reader.expects_json

    @property
    def expects_type(self) -> bool:
        """Whether an accepted answer is read as an instance of a type, see `typed`."""
        schema = self.response_schema
        return schema is not None and not isinstance(schema, Mapping)

    @property
    def accepts_anything(self) -> bool:
        """Whether any whole answer passes: nothing is asked of its shape or its content."""
        compiled = self._compiled
        return not (compiled.reader.expects_json or compiled.checks or self.rules)

    def glance(self, beginning: str) -> ValidationResult | None:
        """Judge an answer of which only the beginning has arrived.

        Checked: maximum length, forbidden phrases, rules that judge beginnings, and members of the
        leading JSON value that are complete. It does not wait for a model that might start over.
        The work is linear in the text: ask now and then.

        Returns:
            The verdict, if no continuation can make the answer pass; `None` while one may.
        """
        reader, checks, _ = self._compiled
        answer = reader.read_beginning(beginning)
        if answer is None:
            return None
        certain = (v for c in reader.contracts for v in broken_for_good(c, answer.value))
        problems = [Problem(FailureMode.SCHEMA_VIOLATION, violation) for violation in certain]
        for rule in checks if reader.expects_json else (*checks, *self.rules):
            if getattr(rule, "judges_beginnings", False):
                found = violations_of(rule, cast("Verdict", ask(rule, answer)))
                problems += (Problem(failure_mode_of(rule), violation) for violation in found)
        return _verdict_on(*problems, schema=reader.json_schemas) if problems else None

    def judge_unread(self, answer: AIMessage | str) -> ValidationResult | None:
        """Judge an answer by how it came to its end, before anything in it is read.

        Returns:
            The verdict on one that was cut off, refused or is empty, and on one that calls tools;
            `None` if what it says decides.
        """
        message = answer_of(answer)
        return self._judged_unread(message, ending_of(message), message.text.strip())

    def clean(self, answer: AIMessage | str, verdict: ValidationResult) -> AIMessage:
        """Return the message that goes on: a copy of the answer, with what passed as its content.

        Args:
            answer: What was judged.
            verdict: A verdict of this validator that the answer passed.
        """
        message = well_formed_message(answer_of(answer))
        if message.tool_calls:
            return message
        if self._compiled.reader.expects_json:
            content: Any = canonical(verdict.value)
            extras = {**message.additional_kwargs, "parsed": verdict.value}
            return message.model_copy(update={"content": content, "additional_kwargs": extras})
        content = message.content.strip() if isinstance(message.content, str) else message.content
        return message.model_copy(update={"content": content})

    def json_schema(self) -> dict[str, Any] | None:
        """Return the contract as JSON Schema, or `None` if no shape is prescribed."""
        contracts = self._compiled.reader.contracts
        return contracts[0].json_schema() if contracts else None

    def typed(self, value: Any) -> Any:
        """Return an accepted `value` as an instance of `response_schema`, if that is a type."""
        contracts = self._compiled.reader.contracts
        return value if self.response_schema is None else contracts[0].typed(value)

    def judge(self, value: AIMessage | str) -> Flow[ValidationResult]:
        """Judge an answer, as a flow. See `inspect`."""
        message = answer_of(value)
        ending, text = ending_of(message), message.text.strip()
        if (verdict := self._judged_unread(message, ending, text)) is not None:
            return verdict
        compiled = self._compiled  # pydantic looks private attributes up slowly
        reading = compiled.reader.read(text, ending)
        problems = [*reading.problems]
        further = () if reading.problems else self.rules
        for rule in (*compiled.checks, *further):
            problems += yield from _asked(rule, reading.answer)
        answer, scores = reading.answer, (yield from self._scores(message, reading, compiled))
        score = float(not problems) if scores.coverage is None else scores.coverage
        measured = {"score": score, "scores": scores, "notes": reading.notes}
        if problems:
            schema = compiled.reader.json_schemas if reading.problems else None
            return _verdict_on(*problems, schema=schema, **measured)
        repaired = "repaired" in reading.notes
        value = answer.value if answer.is_json else answer.text
        return passed(value, repaired=repaired, **measured)

    def _scores(self, message: AIMessage, reading: Reading, compiled: _Compiled) -> Flow[Scores]:
        """Measure what can be measured; nobody but an embedder is asked."""
        answer, has_shape = reading.answer, not reading.problems
        found: list[float | None] = []
        for rule in self.rules if has_shape else ():
            if isinstance(rule, Expresses) and rule.ranks:
                measured: Measured = yield rule.measuring(answer)
                found.append(measured.score)
        known = [score for score in found if score is not None]
        return Scores(
            schema=float(has_shape) if compiled.reader.expects_json else None,
            coverage=compiled.coverage.score(answer) if compiled.coverage else None,
            meaning=fmean(known) if known and len(known) == len(found) else None,
            confidence=confidence_of(message),
        )

    def _judged_unread(
        self, message: AIMessage, ending: Ending, text: str
    ) -> ValidationResult | None:
        """Return the verdict on an answer that need not be read to its end, if it is one."""
        if ending in _STOPPED and not (ending is Ending.BROKEN_OFF and self.accept_broken_off):
            return _verdict_on(_STOPPED[ending])
        if message.invalid_tool_calls:
            return _verdict_on(_BAD_TOOL_CALL)
        if message.tool_calls:
            return passed(None, notes=("tool_calls",))
        if is_blank(message):
            return _verdict_on(_EMPTY)
        return self.glance(text) if ending is Ending.GIVEN_UP else None


class _Compiled(NamedTuple):
    """The settings of a validator, ready for use."""

    reader: Reader
    checks: tuple[Rule, ...]
    coverage: MustContain | None


def _compile(settings: ResponseValidator) -> _Compiled:
    coverage = None
    if settings.must_contain:
        least = 1.0 if settings.min_score is None else settings.min_score
        coverage = MustContain(settings.must_contain, min_score=least)
    checks: tuple[Rule | None, ...] = (
        MaxLength(settings.max_length) if settings.max_length else None,
        MinLength(settings.min_length) if settings.min_length else None,
        ForbiddenPhrases(settings.forbidden_phrases) if settings.forbidden_phrases else None,
        coverage,
    )
    reader = reader_of(
        settings.response_schema,
        settings.required_keys,
        must_be_json=settings.must_be_json,
        repair=settings.repair,
        coerce=settings.coerce,
    )
    return _Compiled(reader, tuple(check for check in checks if check), coverage)


def _verdict_on(*problems: Problem, **details: Any) -> ValidationResult:
    """Reject for all problems, under the name of the first one."""
    return broken(problems[0].mode, [p.violation for p in problems], **details)


def _asked(rule: Any, answer: Answer) -> Flow[list[Problem]]:
    """Ask a rule. One that waits for an embedder must not stop others meanwhile."""
    if not isinstance(rule, Expresses) or rule.ranks:
        said = yield ask(rule, answer)
    else:
        measured: Measured = yield rule.measuring(answer)
        if measured.score is None:
            return [Problem(measured.failure_mode, _NOT_COMPARED)]
        said = rule.verdict_on(measured.score)
    mode = failure_mode_of(rule)
    return [Problem(mode, violation) for violation in violations_of(rule, said)]


_STOPPED = {
    Ending.TRUNCATED: Problem(
        FailureMode.TRUNCATED,
        Violation(rule="truncated", expected="a complete answer", found="one cut off by a limit"),
    ),
    Ending.BROKEN_OFF: Problem(
        FailureMode.MODEL_ERROR,
        Violation(rule="broken_off", expected="a complete answer", found="one without its end"),
    ),
    Ending.FAILED: Problem(
        FailureMode.MODEL_ERROR,
        Violation(rule="failed", expected="a complete answer", found="one that its provider ended"),
    ),
    Ending.MALFORMED: Problem(
        FailureMode.SCHEMA_VIOLATION,
        Violation(rule="malformed", expected="an answer that can be read", found="a damaged one"),
    ),
    Ending.REFUSED: Problem(
        FailureMode.REFUSAL,
        Violation(rule="refusal", expected="an answer", found="a refusal or a content filter"),
    ),
}
"""Endings after which the content does not matter."""

_NOT_COMPARED = Violation(
    rule="expresses", expected="an embedder that answers", found="one that failed"
)
_BAD_TOOL_CALL = Problem(
    FailureMode.SCHEMA_VIOLATION,
    Violation(rule="tool_call", expected="tool calls with JSON arguments"),
)
_EMPTY = Problem(
    FailureMode.CONSTRAINT_VIOLATION,
    Violation(rule="empty", expected="an answer", found="nothing but space"),
)
