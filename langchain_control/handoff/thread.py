"""A conversation as one hand-off reads it: whose answers there are, and what was rejected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import dropwhile, takewhile
from typing import NamedTuple, TypeGuard
from uuid import uuid4

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, RemoveMessage, ToolMessage

__all__ = ["Thread"]

RETURNED = "control_handoff"
"""Key in the `additional_kwargs` of a correction: which hand-off it is for, and what it rejects."""

ACCEPTED_BY = "control_handed_over"
"""Key in the `response_metadata` of an answer: the hand-off that has accepted it."""


@dataclass(frozen=True)
class Thread:
    """The messages of a state, in order, read by one hand-off."""

    messages: list[BaseMessage]
    handoff: str
    """Its name, which its corrections bear."""
    sender: str
    """The node whose answers it judges."""

    @property
    def attempt(self) -> int:
        """Which answer to the present question this is, from 1."""
        return 1 if self._stale else len(self._corrections) + 1

    @cached_property
    def said(self) -> list[AIMessage]:
        """What the sender has answered since it was asked.

        What has its name is its own, what has another's is not. Where nothing is its own, what has
        no name may be, unless it was said before something was handed over.
        """
        bearers = _bearers_in(self.messages)
        own = [m for m in self._open(self.messages) if bearers[id(m)] == self.sender]
        since = _behind(self.messages, lambda m: ACCEPTED_BY in m.response_metadata)
        unnamed = [m for m in self._open(since) if not m.name]
        return self._ends(own or unnamed)

    @property
    def is_unclear(self) -> bool:
        """Whether nobody can tell whose answers they are: there are several, without a name."""
        return len(self.said) > 1 and not self.said[0].name

    @property
    def is_of_others(self) -> bool:
        """Whether others have answered, by their names, and the sender has not."""
        return not self.said and any(m.name for m in self._open(self.messages))

    def returned(self, hint: str) -> list[BaseMessage]:
        """Return what changes where the sender is asked again.

        Tool calls that got no result are taken out: providers refuse them.
        """
        correction = HumanMessage(
            hint,
            id=uuid4().hex,
            additional_kwargs={
                RETURNED: {"name": self.handoff, "rejected": [answer.id for answer in self.said]}
            },
        )
        unanswered = {answer.id for answer in self.said if not self._has_results(answer)}
        return [*self._without(unanswered | self._stale), correction]

    def accepted(self, answers: list[AIMessage]) -> list[BaseMessage]:
        """Return what changes where answers are handed on: they alone are left of all attempts.

        They are marked, or the next hand-off would take them for its own sender's.
        """
        return [*self._without(self._gone), *map(self._marked, answers)]

    def diverted(self) -> list[BaseMessage]:
        """Return what changes where nothing is handed on: all attempts are taken out."""
        return self._without(self._gone | {answer.id for answer in self.said})

    @cached_property
    def _corrections(self) -> list[BaseMessage]:
        return [m for m in self.messages if self._is_correction(m)]

    @cached_property
    def _stale(self) -> set[str | None]:
        """The ids of what was rejected before the present question, if anything was.

        A question is new where it follows an answer to the last correction, or where nobody has
        answered that. Who refuses raises, and changes no state: that answer is rejected as well.
        What a human says before such an answer is no new question: senders may bring their own.
        """
        if not self._corrections:
            return set()
        behind = [m for m in _behind(self.messages, self._is_correction) if self._may_count(m)]
        answered = list(dropwhile(_is_question, behind))
        refused = [m.id for m in takewhile(_is_answer, answered)]
        is_new = len(refused) < len(answered) or (behind and not answered)
        return self._obsolete | set(refused) if is_new else set()

    @property
    def _gone(self) -> set[str | None]:
        """The ids of all that was rejected, and of the corrections."""
        return self._obsolete | self._stale

    @property
    def _obsolete(self) -> set[str | None]:
        return _obsolete(self.messages, self._is_correction, self._may_be_own)

    def _open(self, messages: list[BaseMessage]) -> list[AIMessage]:
        """Return the answers since the sender was asked that no hand-off has judged."""
        asked = _behind(messages, lambda m: _is_question(m) or self._is_correction(m))
        rejected = _obsolete(messages, _mark_of, _is_answer)
        return [m for m in asked if _is_answer(m) and m.id not in rejected]

    def _ends(self, answers: list[AIMessage]) -> list[AIMessage]:
        """Return the answers without calls of tools that the sender has gone on from."""
        return [
            answer
            for answer in answers
            if answer is answers[-1] or not answer.tool_calls or not self._has_results(answer)
        ]

    def _has_results(self, answer: AIMessage) -> bool:
        answered = {m.tool_call_id for m in self.messages if isinstance(m, ToolMessage)}
        return all(call["id"] in answered for call in answer.tool_calls)

    def _may_count(self, message: BaseMessage) -> bool:
        return _is_question(message) or self._may_be_own(message)

    def _may_be_own(self, message: BaseMessage) -> bool:
        return _is_answer(message) and message.name in (None, "", self.sender)

    def _is_correction(self, message: BaseMessage) -> bool:
        mark = _mark_of(message)
        return mark is not None and mark.handoff == self.handoff

    def _marked(self, answer: AIMessage) -> AIMessage:
        marked = {**answer.response_metadata, ACCEPTED_BY: self.handoff}
        return answer.model_copy(update={"response_metadata": marked})

    def _without(self, ids: set[str | None]) -> list[BaseMessage]:
        """Return the removals of messages by their ids; tool results go with their calls.

        Two checks in one step may remove the same message, but LangGraph removes none that is gone:
        so each is given anew first.
        """
        gone, goes = list[BaseMessage](), False
        for message in self.messages:
            goes = goes if isinstance(message, ToolMessage) else message.id in ids
            if goes:
                gone.append(message)
        return [part for m in gone if m.id is not None for part in (m, RemoveMessage(m.id))]


def _bearers_in(messages: list[BaseMessage]) -> dict[int, str | None]:
    """Return who has said each answer, by its identity, as far as names tell.

    An agent that calls tools speaks again, so a message without a name after the call is its own.
    Middleware that ends an agent early, as a limit of calls does, adds such messages.
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


class _Mark(NamedTuple):
    """What a correction says of itself."""

    handoff: str
    rejected: frozenset[str]


def _mark_of(message: BaseMessage) -> _Mark | None:
    """Read the mark of a correction; `None` of what has none, or one that no hand-off writes."""
    match message.additional_kwargs.get(RETURNED):
        case {"name": str(name), "rejected": list(ids)} if isinstance(message, HumanMessage):
            return _Mark(name, frozenset(known for known in ids if isinstance(known, str)))
    return None


def _is_question(message: BaseMessage) -> bool:
    return isinstance(message, HumanMessage) and _mark_of(message) is None


def _is_answer(message: BaseMessage) -> TypeGuard[AIMessage]:
    """Say whether it is an answer that no hand-off has accepted."""
    return isinstance(message, AIMessage) and ACCEPTED_BY not in message.response_metadata


def _behind(messages: list[BaseMessage], is_it: Callable[[BaseMessage], bool]) -> list[BaseMessage]:
    """Return what follows the last such message: all, if there is none."""
    return [*takewhile(lambda message: not is_it(message), reversed(messages))][::-1]


def _obsolete(
    messages: list[BaseMessage],
    is_correction: Callable[[BaseMessage], object],
    is_answer: Callable[[BaseMessage], bool],
) -> set[str | None]:
    """Return the ids of corrections, and of the answers before them that they rejected.

    Clients can write a mark as well. It must not take anything else out of a conversation.
    """
    rejected, found = set[str](), set[str | None]()
    for message in reversed(messages):
        if (mark := _mark_of(message)) is not None and is_correction(message):
            rejected |= mark.rejected
            found.add(message.id)
        elif message.id in rejected and is_answer(message):
            found.add(message.id)
    return found - {None}
