"""The control layer: as it comes, without the server's schema mode, and with it at once."""

from __future__ import annotations

from typing import Any

from benchmarks.real_model.desk import ATTEMPTS, PROMPT, Desk
from langchain_control import (
    ControlPolicy,
    FailureMode,
    FallbackRouter,
    RetryEngine,
    with_control,
)
from langchain_control.components.fallback import FALLBACK
from langchain_control.demo.contest import Answer, Contestant, control_layer
from langchain_control.strategies import CannedAnswer

__all__ = ["by_default", "schema_mode_at_once", "without_correction", "without_schema_mode"]

_CALLS_FOR_SCHEMA_MODE = (FailureMode.SCHEMA_VIOLATION, FailureMode.TRUNCATED)


def by_default(desk: Desk) -> Contestant:
    """Put the model under the default policy. Only this contestant is in the audit trail."""
    return control_layer(desk.model, _policy(desk).override(audit=desk.audit))


def without_schema_mode(desk: Desk) -> Contestant:
    """Do as the default policy does where the server has no schema mode."""
    return _with_remedies(desk, ladder=["same_model"], max_repeats=None)


def without_correction(desk: Desk) -> Contestant:
    """Go to the schema mode with the prompt as it was."""
    return _with_remedies(desk, correction=None)


def schema_mode_at_once(desk: Desk) -> Contestant:
    """Use the drop-in for the model's own `with_structured_output`."""
    controlled = with_control(desk.model, _policy(desk))
    structured = controlled.with_structured_output(desk.task.contract, include_raw=True)

    async def ask(question: str) -> Answer | None:
        outcome = await structured.ainvoke(question)
        if outcome["parsed"] is None:
            return None
        is_fallback = FALLBACK in outcome["raw"].response_metadata
        return Answer(outcome["parsed"].model_dump(), is_fallback=is_fallback)

    return ask


def _with_remedies(desk: Desk, **changes: Any) -> Contestant:
    rows = dict.fromkeys(_CALLS_FOR_SCHEMA_MODE, changes)
    return control_layer(desk.model, _policy(desk).override(retry={"policies": rows}))


def _policy(desk: Desk) -> ControlPolicy:
    canned = CannedAnswer(desk.task.fallback())
    return ControlPolicy(
        prompt=PROMPT,
        validator=desk.contract,
        retry=RetryEngine(max_attempts=ATTEMPTS, base_delay_seconds=0, jitter_seconds=0),
        fallback=FallbackRouter(strategies=[("canned", canned)]),
    )
