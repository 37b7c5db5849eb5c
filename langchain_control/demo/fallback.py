"""Where a request lands when no attempt succeeds."""

from __future__ import annotations

import json

from langchain_control.components.fallback import FallbackRouter
from langchain_control.components.retry import RetryEngine
from langchain_control.components.validator import ResponseValidator
from langchain_control.console import Table
from langchain_control.demo import Stage
from langchain_control.demo.tickets import PROMPT, Triage, question
from langchain_control.policy import ControlPolicy
from langchain_control.runnable import with_control
from langchain_control.testing import ScriptedChatModel

__all__ = ["show"]


def _database(_: str) -> str:
    raise ConnectionError


def _half_an_answer(_: str) -> str:
    return json.dumps({"category": "billing"})


def _for_a_person(_: str) -> str:
    return Triage(
        category="billing", urgent=True, summary="A person must read this."
    ).model_dump_json()


def show(stage: Stage) -> None:
    """Exhaust the retries, and go through three strategies: one crashes, one is not valid."""
    model = ScriptedChatModel(script=["It is about billing."] * 3)
    policy = ControlPolicy(
        prompt=PROMPT,
        validator=ResponseValidator(response_schema=Triage),
        retry=RetryEngine(base_delay_seconds=0.001, jitter_seconds=0),
        fallback=FallbackRouter(
            strategies=[
                ("past answers", _database),
                ("rules of thumb", _half_an_answer),
                ("a person", _for_a_person),
            ]
        ),
        audit=stage.audit,
    )
    result = with_control(model, policy, include_result=True).invoke(question(0))
    stage.console.line(stage.audit.story(result.request_id))
    rows = [
        ("status", result.status),
        ("strategy", result.strategy),
        ("failure of the model", result.failure_mode.value),
        ("answer", result.unwrap().text),
        ("marked in the message", result.unwrap().response_metadata),
    ]
    stage.console.table(Table(("the caller sees", ""), rows))
