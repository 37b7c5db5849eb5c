"""One attempt, written down."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import RunnableConfig

from langchain_control.components.audit import AuditLogger
from langchain_control.components.budget import TokenBudget
from langchain_control.encodings.chat import json_pieces_of
from langchain_control.models.fresh import is_cached
from langchain_control.models.names import name_behind, named_in
from langchain_control.models.reported import reported_tokens
from langchain_control.outcomes import Attempt, FailureMode, ValidationResult
from langchain_control.retries.ladder import FIRST_RUNG, failure_fingerprint
from langchain_control.retries.usage_limits import Spent
from langchain_control.runs.context import Context
from langchain_control.runs.state import FailureNote, RunState, violations_in

__all__ = ["attempt_of", "content_of", "sha256_of", "sha256_of_answer", "tokens_of"]


def attempt_of(
    state: RunState,
    context: Context,
    note: FailureNote | None,
    verdict: ValidationResult | None,
    config: RunnableConfig,
) -> Attempt:
    """Write down the try that has just been judged, or failed without a verdict."""
    retry, response = state["retry"], state["draft"]["response"]
    asked = context.asked(retry, config).name
    said = name_behind(response) or asked
    model = named_in(said, [asked]) or said
    spent = state["draft"].get("spent")
    if spent is None:
        budget, limits = context.policy.prompt.budget, context.policy.usage_limits
        tokens_in, tokens_out = tokens_of(response, state["draft"]["prompt"], budget)
        spent = Spent(
            input_tokens=tokens_in,
            output_tokens=tokens_out,
            cost=limits.cost((said, asked), tokens_in, tokens_out),
        )
    return Attempt(
        number=len(state["attempts"]) + 1,
        model=model,
        snapshot=said if said != model else None,
        failure_mode=note["mode"] if note else FailureMode.NONE.value,
        message=note["message"] if note else "",
        latency_ms=state["draft"]["latency_ms"],
        **spent,
        strategy=retry["strategy"] if retry else "none",
        mutation=retry["mutation"] if retry else None,
        rung=retry["rung"] if retry else FIRST_RUNG,
        fingerprint=failure_fingerprint(note["mode"], note["message"], violations_in(note))
        if note
        else None,
        notes=[*state["draft"].get("notes", ()), *(verdict.notes if verdict else ())] or None,
    )


def tokens_of(
    response: AIMessage | None, prompt: Sequence[BaseMessage], budget: TokenBudget
) -> tuple[int, int]:
    """Return the tokens in and out, as the provider reports them or else as the budget counts.

    None reported beside what was sent or said is not reported. An answer from a cache takes none.
    """
    if response is None or is_cached(response):
        return 0, 0
    tokens_in = reported_tokens(response, "input_tokens") or budget.count_messages(prompt)
    return tokens_in, reported_tokens(response, "output_tokens") or _count_said(response, budget)


def _count_said(response: AIMessage, budget: TokenBudget) -> int:
    """Count what a model wrote, calls of tools and reasoning included, without its framing."""
    return budget.count_message(response) - budget.count_message(AIMessage(""))


def content_of(response: AIMessage | None, audit: AuditLogger | None) -> str | None:
    """Return the answer's text for the trail, where that was asked for."""
    asked_for = audit is not None and audit.include_content
    return str(response.text) if asked_for and response is not None else None


_SENT = (
    "type",
    "role",
    "name",
    "content",
    "tool_calls",
    "invalid_tool_calls",
    "tool_call_id",
    "status",
)
"""What tells a model of a message, where the message has it."""


def sha256_of(prompt: Sequence[BaseMessage]) -> str:
    """Return the SHA-256 of a prompt as it was sent, in hex."""
    said = [[getattr(message, name, None) for name in _SENT] for message in prompt]
    try:
        plain = json.dumps(said, default=_plain)
    except RecursionError:
        plain = "".join(json_pieces_of(said))
    return _sha256(plain)


def sha256_of_answer(answer: BaseMessage | None) -> str | None:
    """Return the SHA-256 of an answer's text, in hex; `None` if there is no text."""
    text = str(answer.text) if answer is not None else ""
    return _sha256(text) if text else None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()


def _plain(value: Any) -> Any:
    """Return what stands for a value in JSON. A set has another order in each process."""
    return sorted(map(repr, value)) if isinstance(value, set | frozenset) else str(value)
