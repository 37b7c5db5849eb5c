"""A check on what one agent passes to the next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from langchain_core.messages import AIMessage, BaseMessage, RemoveMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command
from pydantic import BaseModel, Field

from langchain_control._effects import Flow
from langchain_control.components.shapes import Component
from langchain_control.components.validator import ResponseValidator
from langchain_control.contracts.broken import broken
from langchain_control.errors import error_for
from langchain_control.events import EventName, event, flagged, rules_of, with_listener
from langchain_control.handoff.thread import Thread
from langchain_control.outcomes import (
    ControlResult,
    FailureMode,
    ValidationResult,
    Violation,
    failure,
)
from langchain_control.policy import ControlPolicy, policy_of
from langchain_control.runs.notices import failure_behind

__all__ = ["Handoff", "control_handoff"]

Decision = Literal["accepted", "returned", "diverted", "refused"]


def control_handoff(  # noqa: PLR0913  (keywords, each with a meaning of its own)
    contract: Any,
    *,
    sender: str,
    receiver: str,
    fallback: str | None = None,
    policy: ControlPolicy | Mapping[str, Any] | None = None,
    key: str = "messages",
) -> Handoff:
    """Make the node that stands between two agents of a graph.

    What meets the contract goes on to the receiver, clean. What does not goes back to the sender
    with a correction, while attempts are left, and then to the fallback. Neither what was rejected
    nor the corrections stay in the conversation.

    !!! example "A researcher and a writer"

        ```python
        check = control_handoff(Findings, sender="researcher", receiver="writer", fallback="editor")
        builder.add_edge("researcher", "check")
        builder.add_node("check", check, destinations=check.destinations)
        ```

    Args:
        contract: A `ResponseValidator`, or what its `response_schema` takes: a pydantic model, a
            dataclass, a TypedDict, a type such as `list[int]`, or a JSON Schema as a dict.
        sender: The node that is asked to correct what it passes. Answers with a name must have this
            one to count as its own.
        receiver: The node that gets it.
        fallback: The node to go to when the attempts are used up. Without one the graph stops with
            a `ControlError`.
        policy: The rules, or the plain data of them. The retry engine decides about attempts and
            corrections, the guard looks for attacks in what is passed, and the trail is told. The
            rest plays no part.
        key: Where in the state it is. `messages` means what the sender has answered since the last
            question; any other key holds text or JSON, and those answers go with it: they are
            removed where the value is rejected. Corrections always travel in `messages`.

    In a graph the node raises a `ValueError` where the state's `messages` are not merged by id, as
    `add_messages` does: nothing could be taken back there.
    """
    validator = (
        contract
        if isinstance(contract, ResponseValidator)
        else ResponseValidator(response_schema=contract)
    )
    return Handoff(
        sender=sender,
        receiver=receiver,
        fallback=fallback,
        contract=validator,
        policy=policy_of(policy),
        key=key,
    )


class Handoff(Component[Any, "Command[str]"]):
    """The node that `control_handoff` makes: judge what a state holds, and say where to go."""

    sender: str
    """The node that is asked to correct what it passes."""

    receiver: str
    """The node that gets it."""

    fallback: str | None = None
    """The node to go to when the attempts are used up. By default none: the graph stops."""

    contract: ResponseValidator
    """What is passed must meet it."""

    policy: ControlPolicy = Field(default_factory=ControlPolicy)
    """Its retry engine decides about attempts, its guard looks for attacks, its trail is told."""

    key: str = "messages"
    """Where in the state it is. The default means what the sender has answered."""

    @property
    def OutputType(self) -> Any:  # noqa: N802
        """Where to go, and what changes in the state."""
        return Command[str]

    @property
    def destinations(self) -> tuple[str, ...]:
        """The nodes this one may go to, for `add_node` to draw."""
        return (self.receiver, self.sender, *((self.fallback,) if self.fallback else ()))

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """Name runs, records and corrections after the two nodes."""
        title = name or self.name or f"{self.sender} to {self.receiver}"
        return super().get_name(suffix, name=title)

    def _flow(self, value: Any, config: RunnableConfig) -> Flow[Command[str]]:
        config = with_listener(config, self.policy.audit)
        messages = _merged(_read(value, "messages") or (), config)
        thread = Thread(messages, handoff=self.get_name(), sender=self.sender)
        answers, number = self._answers(thread, value), thread.attempt
        verdicts = yield from self._verdicts_on(answers, thread, config)
        verdict = verdicts[-1]
        is_final = thread.is_unclear or any(failure_behind(answer) for answer in answers)
        decision = self._decision(verdict, number, is_final=is_final)
        yield event(
            EventName.HANDED_OVER,
            config,
            key=self.get_name(),
            status=decision,
            number=number,
            failure_mode=verdict.failure_mode.value,
            message=verdict.message or None,
            rules=rules_of(verdict),
        )
        match decision:
            case "accepted":
                pairs = zip(answers, verdicts, strict=True)
                clean = [self.contract.clean(answer, passed) for answer, passed in pairs]
                return Command(goto=self.receiver, update=self._handed_on(clean, thread))
            case "returned":
                hint = self.policy.retry.hint(verdict.failure_mode, verdict.violations)
                changes = thread.returned(hint or "Please do that again.")
                return Command(goto=self.sender, update={"messages": changes})
            case "diverted":
                return Command(goto=str(self.fallback), update=self._diverted(thread))
            case "refused":
                raise error_for(_result(verdict))

    def _answers(self, thread: Thread, value: Any) -> list[AIMessage]:
        """Return what is passed on, as answers to judge: at least one."""
        if self.key != "messages":
            return [_as_answer(_read(value, self.key))]
        return thread.said or [AIMessage("")]

    def _verdicts_on(
        self, answers: list[AIMessage], thread: Thread, config: RunnableConfig
    ) -> Flow[list[ValidationResult]]:
        """Judge each answer, up to the first that does not pass."""
        is_of_others = self.key == "messages" and thread.is_of_others
        if thread.is_unclear or is_of_others:
            return [broken(FailureMode.CONSTRAINT_VIOLATION, [_WHOSE])]
        verdicts = list[ValidationResult]()
        for answer in answers:
            verdicts.append((yield from self._verdict_on(answer, config)))
            if not verdicts[-1].passed:
                break
        return verdicts

    def _verdict_on(self, answer: AIMessage, config: RunnableConfig) -> Flow[ValidationResult]:
        mode = failure_behind(answer)
        if mode is not None:
            return failure(mode, f"`{self.sender}` has no answer: {mode}")
        if self.policy.guard is not None and answer.text:
            screened = yield from self.policy.guard.judge(str(answer.text), source="context")
            if screened.failure_mode is FailureMode.PROMPT_INJECTION:
                return failure(
                    FailureMode.PROMPT_INJECTION, screened.message, findings=screened.findings
                )
            yield flagged("InputGuard", screened, config, status="observe")  # goes on as it is
        if answer.tool_calls:
            return broken(FailureMode.CONSTRAINT_VIOLATION, [_CALLS_TOOLS])
        return (yield from self.contract.judge(answer))

    def _decision(self, verdict: ValidationResult, number: int, *, is_final: bool) -> Decision:
        """Decide what to do. What is final is not asked for again, whatever attempts are left."""
        if verdict.passed:
            return "accepted"
        if not is_final and self.policy.retry.should_retry(verdict.failure_mode, number):
            return "returned"
        return "diverted" if self.fallback else "refused"

    def _handed_on(self, answers: list[AIMessage], thread: Thread) -> dict[str, Any]:
        """Give the receiver what was accepted, without anything that was rejected on the way."""
        changes = thread.accepted(answers if self.key == "messages" else thread.said)
        update: dict[str, Any] = {"messages": changes} if changes else {}
        if self.key != "messages":
            update[self.key] = _plain(answers[0])
        return update

    def _diverted(self, thread: Thread) -> dict[str, Any]:
        """Give the fallback what there was before the first attempt."""
        changes = thread.diverted()
        update: dict[str, Any] = {} if self.key == "messages" else {self.key: None}
        if changes:
            update["messages"] = changes
        return update


_CALLS_TOOLS = Violation(rule="tool_calls", expected="an answer", found="calls of tools")
_WHOSE = Violation(rule="sender", expected="an answer that has the name of its sender")


def _read(state: Any, key: str) -> Any:
    return state.get(key) if isinstance(state, Mapping) else getattr(state, key, None)


def _merged(messages: Any, config: RunnableConfig) -> list[BaseMessage]:
    """Return the messages of a state. Raises `ValueError` where a graph does not merge them."""
    is_in_graph = "langgraph_node" in (config.get("metadata") or {})
    if is_in_graph and not all(map(_has_id, messages)):
        msg = (
            "a hand-off takes messages back by their ids: give the state `messages` that "
            "`add_messages` merges, as `MessagesState` does"
        )
        raise ValueError(msg)
    return list(messages)


def _has_id(message: Any) -> bool:
    """Say whether `add_messages` may have merged it: it gives ids, and keeps no removals."""
    is_kept = isinstance(message, BaseMessage) and not isinstance(message, RemoveMessage)
    return is_kept and bool(message.id)


def _as_answer(value: Any) -> AIMessage:
    """Return what is passed on as an answer to judge; nothing is an empty one."""
    match value:
        case None:
            return AIMessage("")
        case AIMessage():
            return value
        case str():
            return AIMessage(value)
        case BaseModel():
            return AIMessage(value.model_dump_json())
    try:
        return AIMessage(json.dumps(value, ensure_ascii=False, default=str))
    except (RecursionError, ValueError):  # too deep, or part of itself: nobody can read it
        return AIMessage("")


def _plain(answer: AIMessage) -> Any:
    """Return what was accepted as it stands in the state: parsed, or as text."""
    return answer.additional_kwargs.get("parsed", answer.text)


def _result(verdict: ValidationResult) -> ControlResult:
    return ControlResult(
        status="exhausted",
        failure_mode=verdict.failure_mode,
        reason=verdict.message,
        step="validate",
        violations=verdict.violations,
        findings=verdict.findings,
    )
