"""What an agent's answer must be: tool calls that fit, structured output, or a good answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from langchain.agents.middleware.types import ModelRequest, ModelResponse
from langchain.agents.structured_output import AutoStrategy, ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage

from langchain_control._effects import Flow
from langchain_control.components.validator import ResponseValidator
from langchain_control.contracts import Contract, JsonSchemaContract, compile_contract
from langchain_control.contracts.broken import broken
from langchain_control.contracts.members import all_members
from langchain_control.contracts.tool_calls import (
    portable_json,
    schemas_of,
    tool_name,
    violations_of_call,
    violations_of_value,
)
from langchain_control.middleware.agent_model import Responses
from langchain_control.outcomes import FailureMode, ValidationResult, Violation, passed
from langchain_control.parsing import (
    Fault,
    Unparsed,
    canonical,
    read_answer,
)
from langchain_control.parsing.ending import ending_of
from langchain_control.runs.storable import StorableAnswers, without_unstorable_reports

__all__ = ["Accepted", "AgentContract"]


class Accepted(NamedTuple):
    """What of a response goes into the agent's state beside the answer."""

    rest: tuple[BaseMessage, ...] = ()
    """LangChain's own tool message for structured output."""
    structured_response: Any = None
    value: Any = None
    """Structured output as plain data."""
    goes_on: bool = False
    """Whether the answer only calls tools, whose results the model is to see."""


class AgentContract:
    """Judge what a model gives to an agent.

    Tool calls are judged by the schemas of their arguments, not by rules for content: they are no
    answer yet. Structured output is judged by its schema in whatever way it came, as a tool call,
    in the provider's own mode or as text, and as JSON by the rules of the policy. Anything else is
    an answer, and the policy's business alone.
    """

    def __init__(
        self, validator: ResponseValidator, request: ModelRequest[Any], responses: Responses
    ) -> None:
        """Prepare for the answers to one request."""
        self._validator = validator
        self._storable = StorableAnswers(validator)
        self._tools = {tool_name(tool): tool for tool in request.tools}
        self._schemas = _schemas_in(request.response_format)
        self._responses = responses
        self.accepted = Accepted()

    @property
    def expects_type(self) -> bool:
        """Whether an answer is read as an instance of a type."""
        schemas = self._schemas.values()
        is_read = any(not isinstance(schema, JsonSchemaContract) for schema in schemas)
        return is_read or self._validator.expects_type

    def judge(self, value: AIMessage) -> Flow[ValidationResult]:
        """Judge an answer."""
        self.accepted = Accepted()
        if not value.tool_calls and self._schemas:
            return (yield from self._judge_text(value))
        verdict = yield from self._storable.judge(value)
        if not verdict.passed or not value.tool_calls:
            return verdict
        return (yield from self._judge_calls(value))

    def clean(self, message: AIMessage, verdict: ValidationResult) -> AIMessage:
        """Return the answer as it enters the agent's history."""
        if message.tool_calls or not self._schemas:
            return self._storable.clean(message, verdict)
        kept = without_unstorable_reports(message)
        return kept.model_copy(update={"content": canonical(verdict.value)})

    # --- tool calls -----------------------------------------------------------------------------

    def _judge_calls(self, answer: AIMessage) -> Flow[ValidationResult]:
        response = self._responses.behind(answer)
        structured = [call for call in answer.tool_calls if self._is_structured(call, response)]
        others = [call for call in answer.tool_calls if call not in structured]
        violations = [v for call in others for v in violations_of_call(call, self._tools)]
        if len(structured) > 1:
            violations.append(Violation("tool.structured", "one structured answer", "several"))
        if violations:
            return broken(FailureMode.SCHEMA_VIOLATION, violations, schemas_of(self._tools))
        if not structured:
            self.accepted = Accepted(goes_on=not all(map(self._is_direct, others)))
            return passed(None, notes=("tool_calls",))
        [call] = structured
        schema = self._schemas.get(call["name"]) or next(iter(self._schemas.values()), None)
        return (yield from self._judge_structured(schema, call["args"], answer, call["name"]))

    def _is_structured(self, call: ToolCall, response: ModelResponse[Any]) -> bool:
        """Whether a call is the answer itself: by its name, or because LangChain answered it."""
        answered = {m.tool_call_id for m in response.result if isinstance(m, ToolMessage)}
        return call["name"] in self._schemas or call["id"] in answered

    def _is_direct(self, call: ToolCall) -> bool:
        """Whether the result of a call is the agent's answer."""
        return bool(getattr(self._tools.get(call["name"]), "return_direct", False))

    # --- structured output ----------------------------------------------------------------------

    def _judge_text(self, answer: AIMessage) -> Flow[ValidationResult]:
        """Judge structured output that came as text, from the provider's mode or a fallback."""
        if (decided := self._validator.judge_unread(answer)) is not None:
            return decided
        found = read_answer(
            str(answer.text),
            policy=self._validator.repair,
            accepts=self._accepts,
            ending=ending_of(answer),
            members=self._members(),
        )
        if isinstance(found, Unparsed):
            verdict = yield from self._storable.judge(answer)
            return self._without_structure(found.fault) if verdict.passed else verdict
        schemas = list(self._schemas.values())
        schema = next((s for s in schemas if _fits(s, found.value)), schemas[0])
        verdict = yield from self._judge_structured(schema, found.value, answer, "/")
        repaired = found.how == "repaired"
        return replace(verdict, repaired=repaired, notes=found.notes) if verdict.passed else verdict

    def _without_structure(self, fault: Fault) -> ValidationResult:
        names = ", ".join(f"`{name}`" for name in self._schemas)
        breaks_off = fault.kind == "truncated"
        instead = "JSON that breaks off" if breaks_off else "prose"
        missing = Violation("structured_response", f"structured output: {names}", instead)
        mode = FailureMode.TRUNCATED if breaks_off else FailureMode.SCHEMA_VIOLATION
        return broken(mode, [missing])

    def _members(self) -> frozenset[str]:
        """Return the names of all members an answer may have; empty if that is not known."""
        schemas = list(self._schemas.values())
        return all_members(schemas[0].json_schema()) if len(schemas) == 1 else frozenset()

    def _judge_structured(
        self, schema: Contract | None, value: Any, answer: AIMessage, name: str
    ) -> Flow[ValidationResult]:
        response = self._responses.behind(answer)
        if schema is not None and (violations := violations_of_value(schema, value)):
            return broken(FailureMode.SCHEMA_VIOLATION, violations, schema.json_schema())
        if schema is None and response.structured_response is None:
            missing = Violation("structured_response", f"arguments that `{name}` takes")
            return broken(FailureMode.SCHEMA_VIOLATION, [missing])
        text = portable_json(value)
        if isinstance(text, Violation):
            return broken(FailureMode.SCHEMA_VIOLATION, [text])
        verdict = yield from self._storable.judge(_saying(text, answer))
        if not verdict.passed:
            return verdict
        typed = response.structured_response
        if typed is None and schema is not None:
            typed = schema.typed(value, lax=True)
        self.accepted = Accepted(_rest_of(response), typed, value)
        return replace(verdict, value=value)

    def _accepts(self, value: Any) -> bool:
        return any(_fits(schema, value) for schema in self._schemas.values())


def _saying(text: str, answer: AIMessage) -> AIMessage:
    """Return an answer whose only content is `text`; the provider's metadata stays."""
    bare = {"content": text, "tool_calls": [], "invalid_tool_calls": []}
    return answer.model_copy(update=bare)


def _fits(schema: Contract, value: Any) -> bool:
    return not violations_of_value(schema, value)


def _rest_of(response: ModelResponse[Any]) -> tuple[BaseMessage, ...]:
    return tuple(message for message in response.result if isinstance(message, ToolMessage))


def _schemas_in(response_format: Any) -> dict[str, Contract]:
    """Compile the schemas of a response format, by name."""
    match response_format:
        case None:
            return {}
        case ToolStrategy():
            specs = response_format.schema_specs
        case ProviderStrategy():
            specs = [response_format.schema_spec]
        case AutoStrategy():
            specs = ToolStrategy(response_format.schema).schema_specs
        case schema:
            specs = ToolStrategy(schema).schema_specs
    return {spec.name: compile_contract(spec.schema) for spec in specs}
