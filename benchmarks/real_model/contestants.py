"""Who takes part, and what each of them needs.

Those that begin with a plain call begin with the same answer. The schema mode, `json_mode`, tools
and instructor add something of their own to the first call.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Collection, Mapping
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from benchmarks.real_model import control, loops, peers
from benchmarks.real_model.desk import ATTEMPTS, Desk
from langchain_control.demo.contest import Contestant

__all__ = ["CONTESTANTS", "CONTROL", "SHORT", "Entry", "taking_part"]

CONTROL = f"control layer x{ATTEMPTS}"


class Entry(NamedTuple):
    """A contestant who may take part."""

    make: Callable[[Desk], Contestant]
    server: str | None = None
    """The mode that the server must have, by LangChain's name for it."""
    package: str | None = None
    """The package that must be installed."""


CONTESTANTS: Mapping[str, Entry] = MappingProxyType(
    {
        "single call": Entry(loops.single_call),
        f"blind re-roll x{ATTEMPTS}": Entry(loops.re_roll),
        f"a general hint x{ATTEMPTS}": Entry(loops.general_hint),
        f"exact paths x{ATTEMPTS}": Entry(loops.exact_paths),
        f"re-ask, quoting x{ATTEMPTS}": Entry(loops.re_ask),
        f"PydanticOutputParser x{ATTEMPTS}": Entry(peers.parser_with_retry),
        f"RetryWithErrorOutputParser x{ATTEMPTS}": Entry(
            peers.retry_with_error, package="langchain_classic"
        ),
        f"instructor, JSON x{ATTEMPTS}": Entry(
            partial(peers.instructor_in, mode="JSON"), "json_mode", "instructor"
        ),
        f"instructor, TOOLS x{ATTEMPTS}": Entry(
            partial(peers.instructor_in, mode="TOOLS"), "function_calling", "instructor"
        ),
        f"instructor, JSON_SCHEMA x{ATTEMPTS}": Entry(
            partial(peers.instructor_in, mode="JSON_SCHEMA"), "json_schema", "instructor"
        ),
        f"LangChain json_mode x{ATTEMPTS}": Entry(
            partial(peers.structured, method="json_mode"), "json_mode"
        ),
        f"LangChain function_calling x{ATTEMPTS}": Entry(
            partial(peers.structured, method="function_calling"), "function_calling"
        ),
        f"LangChain json_schema x{ATTEMPTS}": Entry(
            partial(peers.structured, method="json_schema"), "json_schema"
        ),
        "schema mode x1": Entry(peers.structured_once, "json_schema"),
        CONTROL: Entry(control.by_default),
        f"control, no correction x{ATTEMPTS}": Entry(control.without_correction, "json_schema"),
        f"control, no schema mode x{ATTEMPTS}": Entry(control.without_schema_mode),
        f"control, schema mode at once x{ATTEMPTS}": Entry(
            control.schema_mode_at_once, "json_schema"
        ),
    }
)
SHORT = ("single call", f"blind re-roll x{ATTEMPTS}", CONTROL, "schema mode x1")
"""Who takes part in the short run."""


def taking_part(
    names: Collection[str], modes: Collection[str]
) -> tuple[dict[str, Entry], dict[str, str]]:
    """Return who can take part, and who cannot with what is missing.

    Args:
        names: Who is asked for.
        modes: What the server has.
    """
    asked = {name: entry for name, entry in CONTESTANTS.items() if name in names}
    missing = {name: lack for name, entry in asked.items() if (lack := _lack(entry, modes))}
    return {name: entry for name, entry in asked.items() if name not in missing}, missing


def _lack(entry: Entry, modes: Collection[str]) -> str | None:
    if entry.package and importlib.util.find_spec(entry.package) is None:
        return f"`{entry.package}` is not installed"
    if entry.server and entry.server not in modes:
        return f"the server has no `{entry.server}`"
    return None
