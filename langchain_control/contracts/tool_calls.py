"""What a call of a tool must be: of a tool that there is, with arguments that the tool takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from langchain_core.messages import ToolCall
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from langchain_control.contracts import Contract, compile_contract
from langchain_control.outcomes import Violation
from langchain_control.parsing import MalformedJSONError, canonical, loads
from langchain_control.parsing.strict import TOO_DEEP

__all__ = [
    "NO_ANSWER",
    "portable_json",
    "schemas_of",
    "tool_name",
    "violations_of_arguments",
    "violations_of_call",
    "violations_of_value",
]

NO_ANSWER = Violation(rule="tool_call", expected="the answer itself", found="a tool call")
"""What is wrong with a call where no tool is to be called."""

_LEFT_TO_THE_TOOL = "format"
"""A tool takes more dates than JSON Schema has, and LangChain says `date-time` for all of them."""


def violations_of_call(call: ToolCall, tools: Mapping[Any, Any]) -> tuple[Violation, ...]:
    """List what is wrong with a call, by the names of the tools that there are."""
    if call["name"] not in tools:
        known = ", ".join(f"`{name}`" for name in tools if name) or "none, there are no tools"
        return (Violation("tool.unknown", f"a call of one of {known}", call["name"]),)
    return violations_of_arguments(tools[call["name"]], call)


def violations_of_arguments(tool: Any, call: ToolCall) -> tuple[Violation, ...]:
    """List what is wrong with the arguments of a tool call, by path below the tool's name.

    Types are converted as the tool itself would; a tool that is known by its JSON Schema alone
    converts nothing. What LangGraph injects is none of the model's.
    """
    contract = _contract_of(tool)
    if contract is None:
        return ()
    broken = violations_of_value(contract, call["args"])
    return tuple(
        replace(violation, path=f"/{call['name']}{violation.path}")
        for violation in broken
        if violation.rule != _LEFT_TO_THE_TOOL
    )


def violations_of_value(contract: Contract, value: Any) -> tuple[Violation, ...]:
    """List what is wrong with a value that never was text. Its types may be converted."""
    text = portable_json(value)
    return (text,) if isinstance(text, Violation) else contract.judge(value, lax=True)


def portable_json(value: Any) -> str | Violation:
    """Write a value as JSON that any parser takes, or say why it cannot be."""
    try:
        text = canonical(value)
        loads(text)
    except MalformedJSONError as exc:
        return Violation(f"json.{exc.fault.kind}", exc.fault.expected)
    except RecursionError:
        return Violation(f"json.{TOO_DEEP.kind}", TOO_DEEP.expected)
    return text


def tool_name(tool: Any) -> str | None:
    """Return the name that a tool is called by; `None` if its form is not understood."""
    return tool.name if isinstance(tool, BaseTool) else _function_of(tool).get("name")


def schemas_of(tools: Mapping[Any, Any]) -> dict[str, Any]:
    """Return what tools take as JSON Schema, by their names, as far as it is known."""
    contracts = ((name, _contract_of(tool)) for name, tool in tools.items() if name)
    return {name: contract.json_schema() for name, contract in contracts if contract is not None}


def _contract_of(tool: Any) -> Contract | None:
    """Return what the arguments of a tool must be; `None` where only its provider knows."""
    try:
        if isinstance(tool, BaseTool):
            return compile_contract(tool.tool_call_schema)
        return compile_contract(_function_of(tool)["parameters"])
    except (KeyError, ValueError):  # nothing is said, or in a dialect of JSON Schema
        return None


def _function_of(tool: Any) -> Mapping[str, Any]:
    """Read a tool in any form that LangChain knows; nothing is in what it does not know."""
    try:
        told = convert_to_openai_tool(tool)
    except Exception:  # noqa: BLE001  (whatever a client has bound)
        return {}
    return told.get("function") or told
