"""What is known of each failure mode: the steps it may come from, and what to do about it."""

from __future__ import annotations

from langchain_control.outcomes import FailureMode

__all__ = ["KNOWN"]

KNOWN: dict[FailureMode, tuple[str, str]] = {
    FailureMode.SCHEMA_VIOLATION: (
        "call validate",
        "ask in the provider's schema mode, or say the format in the prompt",
    ),
    FailureMode.CONSTRAINT_VIOLATION: ("guard validate", "look at `rules`: which one is broken?"),
    FailureMode.PROMPT_INJECTION: (
        "guard",
        "look at `rules`; for harmless users, `allow` the phrase or change the `preset`",
    ),
    FailureMode.TOKEN_OVERFLOW: (
        "guard build call validate",
        "by `component` and `rules`: raise `max_chars`, `total_tokens` or `max_length`",
    ),
    FailureMode.HALLUCINATION: ("validate", "check that prompt and documents hold what is asked"),
    FailureMode.TIMEOUT: ("guard call validate", "compare `latency_ms` with `timeout_seconds`"),
    FailureMode.CIRCUIT_OPEN: ("call", "see [operations](operations.md#the-circuit-is-open)"),
    FailureMode.TRUNCATED: ("validate", "raise the model's `max_tokens`"),
    FailureMode.REFUSAL: ("call validate", "read the provider's policy; change the prompt"),
    FailureMode.RATE_LIMITED: (
        "guard call",
        "after `guard` your own limit, after `call` the provider's: slow down, or raise it",
    ),
    FailureMode.MODEL_ERROR: ("guard call validate", "look at the provider's status page"),
    FailureMode.MODEL_REJECTED: (
        "call",
        "check key, quota, model name and parameters; the log has the exception's type",
    ),
    FailureMode.CONTEXT_OVERFLOW: (
        "call",
        "shorten the prompt, or set `other_model` to a larger one",
    ),
    FailureMode.BULKHEAD_FULL: (
        "call",
        "the model is slow or the load is high: raise `max_concurrent`, or add a fallback",
    ),
    FailureMode.DEADLINE_EXCEEDED: (
        "guard call validate",
        "read the story: which attempt or wait took the time?",
    ),
    FailureMode.RETRY_BUDGET_EXHAUSTED: (
        "call validate",
        "the provider fails widely: treat it as an outage",
    ),
    FailureMode.USAGE_LIMIT_EXCEEDED: ("call validate", "raise `usage_limits`, or shorten prompts"),
    FailureMode.STOPPED: ("", "look at the agent's other middleware, such as a call limit"),
}
