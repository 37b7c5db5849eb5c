"""What of a history need not be judged again, and what must be."""

from __future__ import annotations

import pytest
from langchain_core.messages import HumanMessage, ToolMessage

from langchain_control import InputGuard
from langchain_control._effects import run
from langchain_control.runs.judged_before import JudgedBefore, Remembering
from tests.scenarios import ATTACK

HARMLESS = "It is sunny in Oslo."


@pytest.fixture
def seen():
    return []


@pytest.fixture
def guard(seen):
    """A guard that remembers, and writes down what its detector is shown."""
    inner = InputGuard(detectors=(*InputGuard().detectors, lambda text: seen.append(text) or ()))
    return Remembering(inner, JudgedBefore())


@pytest.mark.parametrize(
    "message",
    [
        HumanMessage(HARMLESS),
        ToolMessage(HARMLESS, tool_call_id="1"),
        ToolMessage([{"type": "text", "text": HARMLESS}], tool_call_id="1"),
        HARMLESS,
    ],
    ids=["human", "tool", "blocks", "document"],
)
def test_what_was_let_through_is_not_judged_again(guard, seen, message):
    """The verdict is the same, without the work."""
    verdicts = [run(guard.judge(message, source="tool", is_question=False)) for _ in range(3)]

    assert [verdict.value for verdict in verdicts] == [message] * 3
    assert seen == [HARMLESS]


def test_what_was_edited_is_judged(guard):
    """Neither an id nor a place says what a message holds."""
    message = HumanMessage(HARMLESS, id="1")
    run(guard.judge(message, source="user", is_question=False))

    edited = message.model_copy(update={"content": ATTACK})

    assert not run(guard.judge(edited, source="user", is_question=False)).passed


def test_another_source_is_judged_by_its_own_measure(guard, seen):
    """What may stand in a tool's result may be an attack of a user."""
    message = HumanMessage(HARMLESS)

    for source in ("user", "tool", "context"):
        run(guard.judge(message, source=source, is_question=False))

    assert len(seen) == 3


def test_an_attack_is_found_each_time(guard):
    """Only what was let through is remembered."""
    verdicts = [run(guard.judge(ATTACK, source="context", is_question=False)) for _ in range(2)]

    assert not any(verdict.passed for verdict in verdicts)


def test_what_was_changed_is_judged_again(guard, seen):
    """It is another text that goes on."""
    for _ in range(2):
        verdict = run(guard.judge("sun\u200bny", source="context", is_question=False))
        assert verdict.value == "sunny"

    assert len(seen) == 2


def test_old_texts_are_forgotten():
    """What is remembered does not grow for ever."""
    before = JudgedBefore(kept=10)

    for number in range(100):
        before.add(bytes([number]))

    assert bytes([99]) in before
    assert bytes([1]) not in before


def test_what_was_fenced_is_not_fenced_again():
    """A thread holds the text as it went on: with every turn it had one fence more."""
    guard = Remembering(InputGuard(mode="fence"), JudgedBefore())
    message = ToolMessage(ATTACK, tool_call_id="1")

    fenced = run(guard.judge(message, source="tool", is_question=False)).value
    again = run(guard.judge(fenced, source="tool", is_question=False)).value

    assert fenced != message
    assert again == fenced
