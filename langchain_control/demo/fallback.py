"""Where a request lands when no attempt succeeds."""

from __future__ import annotations

import json

from langchain_control.components.audit import AuditLogger
from langchain_control.components.fallback import FallbackRouter
from langchain_control.components.retry import RetryEngine
from langchain_control.components.validator import ResponseValidator
from langchain_control.console import Table
from langchain_control.demo import Stage
from langchain_control.demo.tickets import PROMPT, Triage, question
from langchain_control.outcomes import ControlResult
from langchain_control.policy import ControlPolicy
from langchain_control.runnable import with_control
from langchain_control.strategies import CannedAnswer
from langchain_control.testing import ScriptedChatModel

__all__ = ["FOR_A_PERSON", "ask", "show"]

FOR_A_PERSON = Triage(category="billing", urgent=True, summary="A person must read this.")
"""What the application shows until somebody has looked."""


def _database(_: str) -> str:
    raise ConnectionError


def _half_an_answer(_: str) -> str:
    return json.dumps({"category": "billing"})


def ask(audit: AuditLogger) -> ControlResult:
    """Ask a model that never answers right, with three strategies to fall back on."""
    policy = ControlPolicy(
        prompt=PROMPT,
        validator=ResponseValidator(response_schema=Triage),
        retry=RetryEngine(base_delay_seconds=0.001, jitter_seconds=0),
        fallback=FallbackRouter(
            strategies=[
                ("past answers", _database),
                ("rules of thumb", _half_an_answer),
                ("a person", CannedAnswer(FOR_A_PERSON.model_dump())),
            ]
        ),
        audit=audit,
    )
    model = ScriptedChatModel(script=["It is about billing."] * 3)
    controlled = with_control(model, policy, include_result=True)
    result: ControlResult = controlled.invoke(question(0))
    return result


def show(stage: Stage) -> None:
    """Tell the request from the trail: one strategy crashes, one gives half an answer."""
    result = ask(stage.audit)
    stage.console.line(stage.audit.story(result.request_id))
    rows = [
        ("status", result.status),
        ("strategy", result.strategy),
        ("failure of the model", result.failure_mode.value),
        ("answer", result.unwrap().text),
        ("marked in the message", result.unwrap().response_metadata),
    ]
    stage.console.table(Table(("the caller sees", ""), rows))
