"""What LangChain itself writes in place of a tool: whole texts that no detector need judge."""

from __future__ import annotations

__all__ = ["FRAMEWORK_TEXTS"]

FRAMEWORK_TEXTS = frozenset(
    [
        "You have correctly called this tool.",  # few-shot examples: `tool_example_to_messages`
        "[cleared]",  # `ContextEditingMiddleware`
        "Tool call limit exceeded. Do not make additional tool calls.",
        (
            "Execution stopped before this tool call could run because another tool call in the "
            "same batch exceeded the limit."
        ),
        (
            "Error: The `write_todos` tool should never be called multiple times in parallel. "
            "Please call it only once per model invocation to update the todo list."
        ),
    ]
)
"""None has a part that somebody else could fill."""
