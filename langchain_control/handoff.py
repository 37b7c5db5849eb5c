"""A check on what one agent passes to the next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import takewhile
from typing import Any, Literal
from uuid import uuid4
from weakref import WeakKeyDictionary

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, RemoveMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.runtime import get_runtime
from langgraph.types import Command
from pydantic import BaseModel, Field

from langchain_control._effects import Flow
from langchain_control.components.shapes import Component
from langchain_control.components.validator import ResponseValidator
from langchain_control.contracts.broken import broken
from langchain_control.errors import error_for
from langchain_control.events import EventName, event, rules_of, with_listener
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

RETURNED = "control_handoff"
"""Key in the `additional_kwargs` of a correction: which hand-off it is for, and what it rejects."""

ACCEPTED_BY = "control_handed_over"
"""Key in the `response_metadata` of an answer: the hand-off that has accepted it."""

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
        contract: A `ResponseValidator`, or a schema: a pydantic model, a TypedDict, or a JSON
            Schema as a dict.
        sender: The node that is asked to correct what it passes.
        receiver: The node that gets it.
        fallback: The node to go to when the attempts are used up. Without one the graph stops with
            a `ControlError`.
        policy: The rules, or the plain data of them. The retry engine decides about attempts and
            corrections, the guard looks for attacks in what is passed, and the trail is told. The
            rest plays no part.
        key: Where in the state it is. `messages` means the last answer after the last question or
            hand-over; any other key holds text or JSON, and that answer goes with it: it is removed
            where the value is rejected. Corrections always travel in `messages`.
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
    """Where in the state it is. The default means the last answer of the conversation."""

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
        messages = list(_read(value, "messages") or ())
        corrections = [m for m in messages if self._is_correction(m)]
        stale = [m for m in corrections if _invocation_of(m) != _invocation()]
        number = len(corrections) - len(stale) + 1
        gone = _obsolete(corrections) | _refused_after(stale, messages)
        said = _answer_in(messages)
        answer = _as_answer(said if self.key == "messages" else _read(value, self.key))
        verdict = yield from self._verdict_on(answer)
        decision = self._decision(verdict, number, gave_up=failure_behind(answer) is not None)
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
                clean = self.contract.clean(answer, verdict)
                return self._hand_on(clean, said, messages, gone)
            case "returned":
                before = _obsolete(stale) | _refused_after(stale, messages)
                return self._return(verdict, said, messages, before)
            case "diverted":
                return self._divert(said, messages, gone)
            case "refused":
                raise error_for(_result(verdict))

    def _verdict_on(self, answer: AIMessage) -> Flow[ValidationResult]:
        mode = failure_behind(answer)
        if mode is not None:
            return failure(mode, f"`{self.sender}` has no answer: {mode}")
        if self.policy.guard is not None and answer.text:
            screened = yield from self.policy.guard.judge(str(answer.text), source="context")
            if screened.failure_mode is FailureMode.PROMPT_INJECTION:
                return failure(
                    FailureMode.PROMPT_INJECTION, screened.message, findings=screened.findings
                )
        if answer.tool_calls:
            return broken(FailureMode.CONSTRAINT_VIOLATION, [_CALLS_TOOLS])
        return (yield from self.contract.judge(answer))

    def _decision(self, verdict: ValidationResult, number: int, *, gave_up: bool) -> Decision:
        """Decide what to do. A sender that gave up has used its own attempts up: none is left."""
        if verdict.passed:
            return "accepted"
        if not gave_up and self.policy.retry.should_retry(verdict.failure_mode, number):
            return "returned"
        return "diverted" if self.fallback else "refused"

    def _return(
        self,
        verdict: ValidationResult,
        said: AIMessage | None,
        messages: list[BaseMessage],
        before: set[str | None],
    ) -> Command[str]:
        """Ask the sender again, without tool calls that got no result: providers refuse them."""
        hint = self.policy.retry.hint(verdict.failure_mode, verdict.violations)
        rejected = said.id if said else None
        correction = HumanMessage(
            hint or "Please do that again.",
            id=uuid4().hex,
            additional_kwargs={
                RETURNED: {
                    "name": self.get_name(),
                    "rejected": rejected,
                    "invocation": _invocation(),
                }
            },
        )
        unanswered = {rejected} if _waits_for_tools(said, messages) else set()
        changes = _without(messages, unanswered | before)
        return Command(goto=self.sender, update={"messages": [*changes, correction]})

    def _hand_on(
        self,
        answer: AIMessage,
        said: AIMessage | None,
        messages: list[BaseMessage],
        gone: set[str | None],
    ) -> Command[str]:
        """Give the receiver what was accepted, without anything that was rejected on the way."""
        changes = _without(messages, gone)
        if self.key == "messages":
            update: dict[str, Any] = {"messages": [*changes, self._marked(answer)]}
            return Command(goto=self.receiver, update=update)
        if said is not None:
            changes.append(self._marked(said))
        update = {self.key: _plain(answer), **({"messages": changes} if changes else {})}
        return Command(goto=self.receiver, update=update)

    def _divert(
        self, said: AIMessage | None, messages: list[BaseMessage], gone: set[str | None]
    ) -> Command[str]:
        """Go to the fallback, without anything that was rejected."""
        changes = _without(messages, gone | ({said.id} if said else set()))
        update: dict[str, Any] = {} if self.key == "messages" else {self.key: None}
        if changes:
            update["messages"] = changes
        return Command(goto=str(self.fallback), update=update)

    def _marked(self, answer: AIMessage) -> AIMessage:
        """Mark an answer as accepted, or the next hand-off would take it for its own sender's."""
        marked = {**answer.response_metadata, ACCEPTED_BY: self.get_name()}
        return answer.model_copy(update={"response_metadata": marked})

    def _is_correction(self, message: BaseMessage) -> bool:
        note = message.additional_kwargs.get(RETURNED)
        return isinstance(note, Mapping) and note.get("name") == self.get_name()


_CALLS_TOOLS = Violation(rule="tool_calls", expected="an answer", found="calls of tools")


def _read(state: Any, key: str) -> Any:
    return state.get(key) if isinstance(state, Mapping) else getattr(state, key, None)


def _answer_in(messages: list[BaseMessage]) -> AIMessage | None:
    """Return the last answer, unless it was given to someone else or before something was asked."""
    for message in reversed(messages):
        if isinstance(message, AIMessage):
            return None if ACCEPTED_BY in message.response_metadata else message
        if isinstance(message, HumanMessage):
            return None
    return None


def _obsolete(corrections: list[BaseMessage]) -> set[str | None]:
    """Return the ids of corrections, and of the answers that they rejected."""
    rejected = {m.additional_kwargs[RETURNED]["rejected"] for m in corrections}
    return rejected | {m.id for m in corrections}


def _refused_after(stale: list[BaseMessage], messages: list[BaseMessage]) -> set[str | None]:
    """Return the ids of answers that were refused in an earlier invocation of the graph.

    Who refuses raises, and changes no state. Its last answers stand behind its last correction.
    """
    if not stale:
        return set()
    after = messages[messages.index(stale[-1]) + 1 :]
    answers = takewhile(lambda message: not isinstance(message, HumanMessage), after)
    return {message.id for message in answers} if _is_asked_again(after) else set()


def _is_asked_again(after: list[BaseMessage]) -> bool:
    return any(isinstance(message, HumanMessage) for message in after)


def _invocation() -> str | None:
    """Return what is the same within one invocation of the graph, and in no other."""
    try:
        runtime: Any = get_runtime()
    except RuntimeError:
        runtime = None
    if runtime is None:  # outside of a graph
        return None
    return _INVOCATIONS.setdefault(runtime.stream_writer, uuid4().hex)


_INVOCATIONS: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def _invocation_of(correction: BaseMessage) -> str | None:
    invocation: str | None = correction.additional_kwargs[RETURNED].get("invocation")
    return invocation


def _waits_for_tools(said: AIMessage | None, messages: list[BaseMessage]) -> bool:
    answered = {m.tool_call_id for m in messages if isinstance(m, ToolMessage)}
    return said is not None and any(call["id"] not in answered for call in said.tool_calls)


def _without(messages: list[BaseMessage], ids: set[str | None]) -> list[BaseMessage]:
    """Return the removals of messages by their ids; tool results go with their calls."""
    gone, goes = list[BaseMessage](), False
    for message in messages:
        goes = goes if isinstance(message, ToolMessage) else message.id in ids
        if goes:
            gone.append(message)
    return [RemoveMessage(m.id) for m in gone if m.id is not None]


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
