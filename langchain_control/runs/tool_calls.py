"""Answers that call tools: judged by the tools of the model that gave them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, ToolCall
from langchain_core.runnables import RunnableConfig

from langchain_control._effects import Flow
from langchain_control.contracts.broken import broken
from langchain_control.contracts.tool_calls import (
    NO_ANSWER,
    schemas_of,
    tool_name,
    violations_of_call,
)
from langchain_control.models.variants import tools_of
from langchain_control.outcomes import FailureMode, ValidationResult
from langchain_control.strategies.asking import AnswerContract, ContractAround

if TYPE_CHECKING:
    from langchain_control.components.validator import ResponseValidator
    from langchain_control.policy import ControlPolicy

__all__ = ["CORRECTION", "AnswersOrCalls", "for_tools"]

CORRECTION = (
    "The last answer did not have the requested shape. Call tools with arguments that fit their "
    "schemas; where JSON is asked for, answer with one JSON value and nothing else."
)
"""What a model is told in place of the default for `schema_violation`, which knows no tools."""


def for_tools(policy: ControlPolicy) -> ControlPolicy:
    """Replace the default correction of a wrong shape by one that knows of tools."""
    known = policy.retry.policies
    table = known.with_shape_worded(CORRECTION)
    if table is known:
        return policy
    return policy.override(retry=policy.retry.override(policies=table))


class AnswersOrCalls(ContractAround):
    """A contract of answers, and of calls of the tools that a model has.

    Calls are judged by the schemas of their arguments, not by rules for content: they are no answer
    yet. A model without tools owes what its contract asks for; a call is none of it. What nobody
    can see into may have tools, and its calls pass.
    """

    def __init__(
        self,
        contract: AnswerContract,
        asked: Any,
        validator: ResponseValidator,
        config: RunnableConfig | None = None,
    ) -> None:
        """Take the contract, whoever is held to it, the validator with its rules, and the run."""
        super().__init__(contract)
        self._asked, self._validator, self._config = asked, validator, config

    def judge(self, value: AIMessage) -> Flow[ValidationResult]:
        """Judge an answer."""
        verdict = yield from self._contract.judge(value)
        if not verdict.passed or not value.tool_calls:
            return verdict
        return self._rejection(value.tool_calls) or verdict

    def _rejection(self, calls: Sequence[ToolCall]) -> ValidationResult | None:
        bound = tools_of(self._asked, self._config)
        if bound is None:
            return None
        if not bound:
            return self._rejection_without_tools()
        tools = {tool_name(tool): tool for tool in bound}
        judged = [call for call in calls if call["name"] in tools or None not in tools]
        violations = [found for call in judged for found in violations_of_call(call, tools)]
        if not violations:
            return None
        return broken(FailureMode.SCHEMA_VIOLATION, violations, schemas_of(tools))

    def _rejection_without_tools(self) -> ValidationResult | None:
        if self._validator.expects_json:
            return broken(FailureMode.SCHEMA_VIOLATION, [NO_ANSWER])
        if self._validator.accepts_anything:
            return None
        return broken(FailureMode.CONSTRAINT_VIOLATION, [NO_ANSWER])
