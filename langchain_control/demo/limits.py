"""Recovery from an answer that is too long, and from one that says what must not be said."""

from __future__ import annotations

from langchain_control.components.audit import AuditLogger
from langchain_control.components.retry import RetryEngine
from langchain_control.components.validator import ResponseValidator
from langchain_control.console import Table
from langchain_control.demo import Stage
from langchain_control.outcomes import ControlResult
from langchain_control.policy import ControlPolicy
from langchain_control.runnable import with_control
from langchain_control.testing import ScriptedChatModel

__all__ = ["ANSWERS", "ask", "show"]

ANSWERS = (
    "A circuit breaker stops calls to a service that keeps failing. " * 6,
    "As an AI language model, I would say that it stops calls to a failing service.",
    "It stops calls to a failing service until a probe succeeds.",
)


def ask(audit: AuditLogger) -> ControlResult:
    """Ask one question with a limit on its answer."""
    policy = ControlPolicy(
        validator=ResponseValidator(max_length=120, forbidden_phrases=["as an AI language model"]),
        retry=RetryEngine(base_delay_seconds=0.001, jitter_seconds=0),
        audit=audit,
    )
    model = with_control(ScriptedChatModel(script=ANSWERS), policy, include_result=True)
    result: ControlResult = model.invoke("What is a circuit breaker?")
    return result


def show(stage: Stage) -> None:
    """Print each attempt with its verdict, and what the prompt had been corrected for."""
    result = ask(stage.audit)
    rows = [
        (a["number"], len(answer), a["failure_mode"], a["message"], a["mutation"] or "")
        for a, answer in zip(result.attempts, ANSWERS, strict=True)
    ]
    columns = ("attempt", "characters", "failure", "reason", "corrected for")
    stage.console.table(Table(columns, rows))
    stage.console.line(f"Accepted: {result.unwrap().text}")
