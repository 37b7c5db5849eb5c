"""The agent door: `create_agent` under control. Needs the extra `agents`."""

from __future__ import annotations

try:
    import langchain.agents.middleware  # noqa: F401  (imported first, to name a missing extra)
except ModuleNotFoundError as exc:
    msg = 'agents need LangChain: `pip install "langchain-control[agents]"`'
    raise ImportError(msg) from exc

from langchain_control.middleware.agent_run import agent_result
from langchain_control.middleware.hooks import ControlMiddleware
from langchain_control.middleware.tool_calls import ToolPolicy

__all__ = ["ControlMiddleware", "ToolPolicy", "agent_result"]
