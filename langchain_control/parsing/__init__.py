"""JSON out of the text of an answer: found, parsed strictly, mended where that is safe."""

from __future__ import annotations

from langchain_control.parsing.beginning import value_so_far
from langchain_control.parsing.one_short import one_bracket_short, read_answer
from langchain_control.parsing.read import MAX_CHARS, Parsed, Unparsed, read_json
from langchain_control.parsing.repair_policy import RepairPolicy
from langchain_control.parsing.repairs import GRADES, Grade, Repair
from langchain_control.parsing.shapes import Unwrapped, may_wrap, unwrap
from langchain_control.parsing.strict import MAX_DEPTH, Fault, MalformedJSONError, canonical, loads

__all__ = [
    "GRADES",
    "MAX_CHARS",
    "MAX_DEPTH",
    "Fault",
    "Grade",
    "MalformedJSONError",
    "Parsed",
    "Repair",
    "RepairPolicy",
    "Unparsed",
    "Unwrapped",
    "canonical",
    "loads",
    "may_wrap",
    "one_bracket_short",
    "read_answer",
    "read_json",
    "unwrap",
    "value_so_far",
]
