"""What holds for any text: a function for each part, which fails on a text that breaks it."""

from __future__ import annotations

import json
from collections.abc import Callable

from langchain_control.components.guard import InputGuard
from langchain_control.detectors import normalize
from langchain_control.detectors.presets import PRESETS
from langchain_control.detectors.sanitize import sanitize
from langchain_control.parsing import (
    MalformedJSONError,
    Parsed,
    RepairPolicy,
    Unparsed,
    loads,
    read_json,
)
from langchain_control.parsing.strict import comparable_text

__all__ = ["LAWS"]

BLOCKING, OBSERVING, SANITIZING = (
    InputGuard(mode=mode) for mode in ("block", "observe", "sanitize")
)


def the_guard(text: str) -> None:
    """Findings have places in the text, and what is handed on is clean."""
    observed = OBSERVING.inspect(text, source="context")
    for finding in observed.findings:
        assert 0 <= finding.score <= 1
        assert finding.span is not None
        assert 0 <= finding.span[0] <= finding.span[1] <= len(text)
    for view in normalize(text).views:
        start, end = view.source_span((0, len(view.text)))
        assert 0 <= start <= end <= len(text)
    assert observed.value == sanitize(text) == sanitize(observed.value)
    observed.value.encode()
    for guard in (BLOCKING, SANITIZING):
        verdict = guard.inspect(text, source="context")
        assert not verdict.passed or not _found_by_rules(guard, verdict.value)


def _found_by_rules(guard: InputGuard, text: str) -> bool:
    """Whether a rule stops a text; the model's score may rise when something hidden is gone."""
    found = guard.inspect(text, source="context").findings
    threshold = PRESETS[guard.preset]["context"]
    return any(finding.tier == "rules" and finding.score >= threshold for finding in found)


def the_json_reader(text: str) -> None:
    """A text is refused, or read as a value that JSON can write; JSON is read as it is."""
    for policy in RepairPolicy:
        found = read_json(text, policy=policy)
        if isinstance(found, Unparsed):
            assert str(found.fault.expected)
            continue
        assert comparable_text(loads(found.text)) == comparable_text(found.value)
        assert not (policy is RepairPolicy.STRICT and found.repairs)
        if found.how == "strict":
            assert comparable_text(json.loads(text)) == comparable_text(found.value)
    try:
        value = loads(text)
    except MalformedJSONError:
        return
    assert read_json(text) == Parsed(value, "strict")


LAWS: dict[str, Callable[[str], None]] = {"guard": the_guard, "json": the_json_reader}
"""By the name of the part."""
