"""Structured output from a model that damages three first answers in four."""

from __future__ import annotations

from collections import Counter

from langchain_control.components.audit import AuditLogger
from langchain_control.components.retry import RetryEngine
from langchain_control.components.validator import ResponseValidator
from langchain_control.console import Table
from langchain_control.demo import Stage
from langchain_control.demo.tickets import PROMPT, Clerk, Triage, question
from langchain_control.outcomes import ControlResult
from langchain_control.policy import ControlPolicy
from langchain_control.runnable import with_control

__all__ = ["ask_all", "show"]

FAILURE_RATE = 0.75
HINT_FACTOR = 0.35
REQUESTS = 40


def ask_all(audit: AuditLogger) -> list[ControlResult]:
    """Ask for many structured answers."""
    policy = ControlPolicy(
        prompt=PROMPT,
        validator=ResponseValidator(response_schema=Triage),
        retry=RetryEngine(base_delay_seconds=0.001, jitter_seconds=0),
        audit=audit,
    )
    model = with_control(Clerk(FAILURE_RATE, HINT_FACTOR), policy, include_result=True)
    return [model.invoke(question(number)) for number in range(REQUESTS)]


def show(stage: Stage) -> None:
    """Print how many attempts it took, and tell one request from the trail."""
    results = ask_all(stage.audit)
    ends = Counter((len(result.attempts), result.status) for result in results)
    title = (
        f"{REQUESTS} requests, {FAILURE_RATE:.0%} of first answers damaged, "
        f"{FAILURE_RATE * HINT_FACTOR:.0%} after a correction"
    )
    rows = [(attempts, status, count) for (attempts, status), count in sorted(ends.items())]
    stage.console.table(Table(("attempts", "ended", "requests"), rows, title))
    longest = max(results, key=lambda result: len(result.attempts))
    stage.console.line("The longest of them, as the audit trail tells it:")
    stage.console.line(stage.audit.story(longest.request_id))
