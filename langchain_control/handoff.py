"""A check on what one agent passes to the next."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import chain, dropwhile, takewhile
from typing import Any, Literal, TypeGuard
from uuid import uuid4

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, RemoveMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
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
        corrections = [m for m in messages if self._is_correction(m)]
        stale = self._stale(corrections, messages)
        number = 1 if stale else len(corrections) + 1
        gone = _obsolete(corrections) | stale
        said = self._said_in(messages)
        answers = self._answers(said, value)
        verdicts = yield from self._verdicts_on(answers, said, messages)
        verdict = verdicts[-1]
        is_final = _is_unclear(said) or any(failure_behind(answer) for answer in answers)
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
                return self._hand_on(clean, said, messages, gone)
            case "returned":
                return self._return(verdict, said, messages, stale)
            case "diverted":
                return self._divert(said, messages, gone)
            case "refused":
                raise error_for(_result(verdict))

    def _answers(self, said: list[AIMessage], value: Any) -> list[AIMessage]:
        """Return what is passed on, as answers to judge: at least one."""
        if self.key != "messages":
            return [_as_answer(_read(value, self.key))]
        return said or [AIMessage("")]

    def _verdicts_on(
        self, answers: list[AIMessage], said: list[AIMessage], messages: list[BaseMessage]
    ) -> Flow[list[ValidationResult]]:
        """Judge each answer, up to the first that does not pass."""
        others = [m for m in self._open(messages) if m.name] if self.key == "messages" else []
        if _is_unclear(said) or (others and not said):
            return [broken(FailureMode.CONSTRAINT_VIOLATION, [_WHOSE])]
        verdicts = list[ValidationResult]()
        for answer in answers:
            verdicts.append((yield from self._verdict_on(answer)))
            if not verdicts[-1].passed:
                break
        return verdicts

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

    def _decision(self, verdict: ValidationResult, number: int, *, is_final: bool) -> Decision:
        """Decide what to do. What is final is not asked for again, whatever attempts are left."""
        if verdict.passed:
            return "accepted"
        if not is_final and self.policy.retry.should_retry(verdict.failure_mode, number):
            return "returned"
        return "diverted" if self.fallback else "refused"

    def _return(
        self,
        verdict: ValidationResult,
        said: list[AIMessage],
        messages: list[BaseMessage],
        stale: set[str | None],
    ) -> Command[str]:
        """Ask the sender again, without tool calls that got no result: providers refuse them."""
        hint = self.policy.retry.hint(verdict.failure_mode, verdict.violations)
        rejected = [answer.id for answer in said]
        correction = HumanMessage(
            hint or "Please do that again.",
            id=uuid4().hex,
            additional_kwargs={RETURNED: {"name": self.get_name(), "rejected": rejected}},
        )
        unanswered = {answer.id for answer in said if not _has_results(answer, messages)}
        changes = _without(messages, unanswered | stale)
        return Command(goto=self.sender, update={"messages": [*changes, correction]})

    def _hand_on(
        self,
        answers: list[AIMessage],
        said: list[AIMessage],
        messages: list[BaseMessage],
        gone: set[str | None],
    ) -> Command[str]:
        """Give the receiver what was accepted, without anything that was rejected on the way."""
        settled = answers if self.key == "messages" else said
        changes = [*_without(messages, gone), *map(self._marked, settled)]
        update: dict[str, Any] = {"messages": changes} if changes else {}
        if self.key != "messages":
            update[self.key] = _plain(answers[0])
        return Command(goto=self.receiver, update=update)

    def _divert(
        self, said: list[AIMessage], messages: list[BaseMessage], gone: set[str | None]
    ) -> Command[str]:
        """Go to the fallback, without anything that was rejected."""
        changes = _without(messages, gone | {answer.id for answer in said})
        update: dict[str, Any] = {} if self.key == "messages" else {self.key: None}
        if changes:
            update["messages"] = changes
        return Command(goto=str(self.fallback), update=update)

    def _said_in(self, messages: list[BaseMessage]) -> list[AIMessage]:
        """Return what the sender has answered since it was asked.

        What has its name is its own, what has another's is not. Where nothing is its own, what has
        no name may be, unless it was said before something was handed over.
        """
        bearers = _bearers_in(messages)
        own = [m for m in self._open(messages) if bearers[id(m)] == self.sender]
        since = _behind(messages, lambda m: ACCEPTED_BY in m.response_metadata)
        unnamed = [m for m in self._open(since) if not m.name]
        return _ends(own or unnamed, messages)

    def _open(self, messages: list[BaseMessage]) -> list[AIMessage]:
        """Return the answers since the sender was asked that no hand-off has judged."""
        asked = _behind(messages, lambda m: _is_question(m) or self._is_correction(m))
        rejected = _obsolete([m for m in messages if RETURNED in m.additional_kwargs])
        return [m for m in asked if _is_answer(m) and m.id not in rejected]

    def _stale(
        self, corrections: list[BaseMessage], messages: list[BaseMessage]
    ) -> set[str | None]:
        """Return the ids of what was rejected before the present question, if anything was.

        A question is new where it follows an answer to the last correction, or where nobody has
        answered that. Who refuses raises, and changes no state: that answer is rejected as well.
        What a human says before such an answer is no new question: senders may bring their own.
        """
        if not corrections:
            return set()
        behind = [m for m in _behind(messages, self._is_correction) if self._may_count(m)]
        answered = list(dropwhile(_is_question, behind))
        refused = [m.id for m in takewhile(_is_answer, answered)]
        is_new = len(refused) < len(answered) or (behind and not answered)
        return _obsolete(corrections) | set(refused) if is_new else set()

    def _may_count(self, message: BaseMessage) -> bool:
        return _is_question(message) or (
            _is_answer(message) and message.name in (None, "", self.sender)
        )

    def _marked(self, answer: AIMessage) -> AIMessage:
        """Mark an answer as accepted, or the next hand-off would take it for its own sender's."""
        marked = {**answer.response_metadata, ACCEPTED_BY: self.get_name()}
        return answer.model_copy(update={"response_metadata": marked})

    def _is_correction(self, message: BaseMessage) -> bool:
        note = message.additional_kwargs.get(RETURNED)
        return isinstance(note, Mapping) and note.get("name") == self.get_name()


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


def _bearers_in(messages: list[BaseMessage]) -> dict[int, str | None]:
    """Return who has said each answer, by its identity, as far as names tell.

    Who calls tools speaks again: what follows a call without a name is its caller's. It is what
    others end an agent with, as a limit of calls does, and they know no names.
    """
    bearers: dict[int, str | None] = {}
    waiting: str | None = None
    for message in messages:
        if isinstance(message, AIMessage):
            bearer = bearers[id(message)] = message.name or waiting
            waiting = bearer if message.tool_calls else None
        elif isinstance(message, HumanMessage):
            waiting = None
    return bearers


def _is_question(message: BaseMessage) -> bool:
    return isinstance(message, HumanMessage) and RETURNED not in message.additional_kwargs


def _is_answer(message: BaseMessage) -> TypeGuard[AIMessage]:
    """Say whether it is an answer that no hand-off has accepted."""
    return isinstance(message, AIMessage) and ACCEPTED_BY not in message.response_metadata


def _behind(messages: list[BaseMessage], is_it: Callable[[BaseMessage], bool]) -> list[BaseMessage]:
    """Return what follows the last such message: all, if there is none."""
    return [*takewhile(lambda message: not is_it(message), reversed(messages))][::-1]


def _ends(answers: list[AIMessage], messages: list[BaseMessage]) -> list[AIMessage]:
    """Return the answers without calls of tools that the sender has gone on from."""
    return [
        answer
        for answer in answers
        if answer is answers[-1] or not answer.tool_calls or not _has_results(answer, messages)
    ]


def _is_unclear(said: list[AIMessage]) -> bool:
    """Say whether nobody can tell whose answers they are: there are several, without a name."""
    return len(said) > 1 and not said[0].name


def _obsolete(corrections: list[BaseMessage]) -> set[str | None]:
    """Return the ids of corrections, and of the answers that they rejected."""
    rejected = (m.additional_kwargs[RETURNED]["rejected"] for m in corrections)
    return {*chain.from_iterable(rejected), *(m.id for m in corrections)} - {None}


def _has_results(answer: AIMessage, messages: list[BaseMessage]) -> bool:
    answered = {m.tool_call_id for m in messages if isinstance(m, ToolMessage)}
    return all(call["id"] in answered for call in answer.tool_calls)


def _without(messages: list[BaseMessage], ids: set[str | None]) -> list[BaseMessage]:
    """Return the removals of messages by their ids; tool results go with their calls.

    Two checks in one step may remove the same message, but LangGraph removes none that is gone: so
    each is given anew first.
    """
    gone, goes = list[BaseMessage](), False
    for message in messages:
        goes = goes if isinstance(message, ToolMessage) else message.id in ids
        if goes:
            gone.append(message)
    return [part for m in gone if m.id is not None for part in (m, RemoveMessage(m.id))]


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
