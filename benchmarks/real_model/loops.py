"""Loops that an application could write itself, which differ in what a retry is told."""

from __future__ import annotations

from collections.abc import Callable

from langchain_core.messages import AIMessage, BaseMessage

from benchmarks.real_model.desk import ATTEMPTS, Desk, render
from langchain_control import FailureMode, RetryEngine, ValidationResult
from langchain_control.demo.contest import Answer, Contestant, blind_retry

__all__ = ["exact_paths", "general_hint", "re_ask", "re_roll", "single_call"]

Correct = Callable[[str, AIMessage, ValidationResult], list[BaseMessage]]
"""From the question, the rejected answer and the verdict on it to the next prompt."""


def single_call(desk: Desk) -> Contestant:
    """Ask once."""
    return blind_retry(desk.model, render, desk.contract, attempts=1)


def re_roll(desk: Desk) -> Contestant:
    """Ask the same again."""
    return blind_retry(desk.model, render, desk.contract, attempts=ATTEMPTS)


def general_hint(desk: Desk) -> Contestant:
    """Ask in a fresh prompt, with the same hint, whatever is wrong."""
    hint = RetryEngine().hint(FailureMode.SCHEMA_VIOLATION)
    return _corrected(desk, lambda question, _, __: render(question, hint))


def exact_paths(desk: Desk) -> Contestant:
    """Ask in a fresh prompt that says what was wrong, and where."""
    return _corrected(desk, lambda question, _, verdict: render(question, _words_for(verdict)))


def re_ask(desk: Desk) -> Contestant:
    """Show the model its answer, and say what was wrong with it, and where."""

    def correct(question: str, answer: AIMessage, verdict: ValidationResult) -> list[BaseMessage]:
        said = AIMessage(answer.text or " ")  # chat templates know no empty answers
        return [*render(question), said, render(question, _words_for(verdict))[-1]]

    return _corrected(desk, correct)


def _corrected(desk: Desk, correct: Correct) -> Contestant:
    async def ask(question: str) -> Answer | None:
        messages = render(question)
        for _ in range(ATTEMPTS):
            answer = await desk.model.ainvoke(messages)
            verdict = desk.contract.inspect(answer)
            if verdict.passed:
                return Answer(verdict.value)
            messages = correct(question, answer, verdict)
        return None

    return ask


def _words_for(verdict: ValidationResult) -> str | None:
    """Word the correction as the control layer does."""
    return RetryEngine().hint(verdict.failure_mode, verdict.violations)
