"""Recovery from an answer that is too long, and from one that says what must not be said."""

from __future__ import annotations

from langchain_control.components.retry import RetryEngine
from langchain_control.components.validator import ResponseValidator
from langchain_control.console import Table
from langchain_control.demo import Stage
from langchain_control.policy import ControlPolicy
from langchain_control.runnable import with_control
from langchain_control.testing import ScriptedChatModel

__all__ = ["show"]

ANSWERS = (
    "A circuit breaker stops calls to a service that keeps failing. " * 6,
    "As an AI language model, I would say that it stops calls to a failing service.",
    "It stops calls to a failing service until a probe succeeds.",
)


def show(stage: Stage) -> None:
    """Print each attempt with its verdict, and what the model was told next."""
    model = ScriptedChatModel(script=ANSWERS)
    policy = ControlPolicy(
        validator=ResponseValidator(max_length=120, forbidden_phrases=["as an AI language model"]),
        retry=RetryEngine(base_delay_seconds=0.001, jitter_seconds=0),
        audit=stage.audit,
    )
    result = with_control(model, policy, include_result=True).invoke("What is a circuit breaker?")
    rows = [
        (a["number"], len(answer), a["failure_mode"], a["message"], a["mutation"] or "")
        for a, answer in zip(result.attempts, ANSWERS, strict=True)
    ]
    columns = ("attempt", "characters", "failure", "reason", "correction in its prompt")
    stage.console.table(Table(columns, rows))
    stage.console.line(f"Accepted: {result.unwrap().text}")
