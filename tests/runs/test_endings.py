"""What is told of the end of a run."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_control import (
    AuditLogger,
    ControlPolicy,
    FallbackRouter,
    ResponseValidator,
    RetryEngine,
)
from langchain_control.testing import ScriptedChatModel
from tests.doors import DOORS
from tests.scenarios import AT_ONCE, CITY, GOOD


@pytest.mark.parametrize("door", DOORS, ids=lambda d: d.__name__)
@pytest.mark.parametrize(
    ("strategy", "larger", "answered"),
    [
        (ScriptedChatModel(script=lambda _: GOOD, model_name="stand-in"), "no", "stand-in"),
        (GOOD, "no", None),
        (lambda _: "no", GOOD, "larger"),
    ],
    ids=["a fallback model", "a text", "the other model"],
)
def test_the_end_names_the_model_that_answered(
    door: Any, strategy: Any, larger: str, answered: str | None
) -> None:
    """A text has no model."""
    audit = AuditLogger(None)
    other = ScriptedChatModel(script=lambda _: larger, model_name="larger")
    policy = ControlPolicy(
        validator=ResponseValidator(response_schema=CITY),
        retry=RetryEngine(other_model=other, **AT_ONCE),
        fallback=FallbackRouter(strategies=[("stand-in", strategy)]),
        audit=audit,
    )

    door(ScriptedChatModel(script=lambda _: "no", model_name="first"), policy)

    (finished,) = [r for r in audit.to_records() if r["event"] == "control.finished"]
    assert finished.get("model") == answered
