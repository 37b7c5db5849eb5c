"""A check on what one agent passes to the next."""

from langchain_control.handoff.check import Handoff, control_handoff

__all__ = ["Handoff", "control_handoff"]
