"""What is wrong with an agent's setup, which shows only when the agent runs."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from typing import Any

from langchain.agents.middleware.types import ModelRequest

from langchain_control.contracts.tool_calls import tool_name
from langchain_control.models.pacing import warn_of_own_pacing
from langchain_control.models.variants import name_of
from langchain_control.retries.nested import warn_of_nested_retries

__all__ = ["SetupCheck"]


class SetupCheck:
    """Warn once of each model that retries or waits by itself, and of rules for missing tools."""

    def __init__(self, ruled_tools: Collection[str]) -> None:
        """Take the names of the tools that have rules of their own."""
        self._ruled_tools = frozenset(ruled_tools)
        self._models: set[str] = set()
        self._tools: set[str] = set()

    def model_called(self, request: ModelRequest[Any]) -> None:
        """Look at a model, and at the tools that it is offered."""
        self._tools.update(filter(None, map(tool_name, request.tools)))
        name = name_of(request.model)
        if name not in self._models:
            self._models.add(name)
            warn_of_nested_retries(request.model)
            warn_of_own_pacing(request.model)

    def run_ended(self) -> None:
        """Look at the rules for tools: whatever is offered at times only has had its time."""
        unknown, self._ruled_tools = self._ruled_tools - self._tools, frozenset()
        if unknown:
            there = ", ".join(f"`{name}`" for name in sorted(self._tools)) or "none"
            listed = ", ".join(f"`{name}`" for name in sorted(unknown))
            msg = f"`tool_policies` names {listed}, but the tools of the agent's run were: {there}"
            warnings.warn(msg, UserWarning, stacklevel=2)
