"""Laws of the validator, for contracts and answers that nobody thought of."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

import jsonschema_rs
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from langchain_control.components.validator import ResponseValidator

FEW = settings(max_examples=100, deadline=None)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INTEGERS = st.integers(-(2**53), 2**53)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)
KEYS = st.text("abcxyz_", min_size=1, max_size=5) | TEXTS
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
CONTAINERS = VALUES.filter(lambda value: isinstance(value, list | dict))


# --- contracts ------------------------------------------------------------------------------------


class Case(NamedTuple):
    """A contract, and a value that meets it."""

    schema: dict[str, Any]
    value: Any


@st.composite
def scalars(draw) -> Case:
    kind = draw(
        st.sampled_from(["string", "integer", "number", "boolean", "null", "enum", "const"])
    )
    match kind:
        case "string":
            value: Any = draw(TEXTS)
            limits = {"minLength": len(value), "maxLength": len(value) + draw(st.integers(0, 9))}
        case "integer":
            value = draw(INTEGERS)
            limits = {"minimum": value - draw(st.integers(0, 9)), "maximum": value}
        case "number":
            value, limits = draw(NUMBERS), {}
        case "boolean":
            value, limits = draw(st.booleans()), {}
        case "null":
            value, limits = None, {}
        case "enum":
            options = draw(st.lists(TEXTS, min_size=1, max_size=4, unique=True))
            return Case({"enum": options}, options[-1])
        case _:
            value = draw(TEXTS | st.booleans())
            return Case({"const": value}, value)
    chosen = draw(st.sampled_from([{}, limits]))
    return Case({"type": kind, **chosen}, value)


@st.composite
def arrays(draw, inner) -> Case:
    item = draw(inner)
    value = [item.value] * draw(st.integers(0, 3))
    return Case({"type": "array", "items": item.schema, "maxItems": len(value)}, value)


@st.composite
def objects(draw, inner) -> Case:
    members = draw(st.dictionaries(KEYS, inner, max_size=4))
    required = [name for name in members if draw(st.booleans())]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: member.schema for name, member in members.items()},
        "required": required,
    }
    if draw(st.booleans()):
        schema["additionalProperties"] = False
    kept = {n: m.value for n, m in members.items() if n in required or draw(st.booleans())}
    return Case(schema, kept)


@st.composite
def alternatives(draw, inner) -> Case:
    one, other = draw(inner), draw(inner)
    return Case({"anyOf": [one.schema, other.schema]}, draw(st.sampled_from([one, other])).value)


CASES = st.recursive(
    scalars(), lambda inner: arrays(inner) | objects(inner) | alternatives(inner), max_leaves=8
)


def judged(text: str, **settings: Any) -> Any:
    answer = AIMessage(text, response_metadata={"finish_reason": "stop"})
    return ResponseValidator(**settings).inspect(answer)


def same(one: Any, other: Any) -> bool:
    """Compare as JSON does: `True` is not 1, and the order of keys is none."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@FEW
@given(CASES)
def test_a_value_that_meets_its_contract_comes_back_as_it_is(case):
    """Whatever contract and value: accepted, and unchanged."""
    verdict = judged(json.dumps(case.value), response_schema=case.schema)

    assert verdict.passed
    assert same(verdict.value, case.value)
    assert not verdict.repaired
    assert verdict.scores.schema == 1.0


@FEW
@given(CASES, VALUES)
def test_what_passes_meets_its_contract(case, value):
    """Judged once more by an engine of its own; what does not pass says why."""
    verdict = judged(json.dumps(value), response_schema=case.schema)

    if verdict.passed:
        assert jsonschema_rs.validator_for(case.schema).is_valid(verdict.value)
    else:
        assert verdict.violations
        assert verdict.scores.schema == 0.0


@FEW
@given(CASES, st.text(), st.booleans())
def test_any_text_is_judged_by_any_contract(case, text, is_lenient):
    """No text raises, and what passes meets the contract."""
    repair = "lenient" if is_lenient else "agreed"

    verdict = ResponseValidator(response_schema=case.schema, repair=repair).inspect(text)

    assert verdict.passed or verdict.violations
    if verdict.passed:
        assert jsonschema_rs.validator_for(case.schema).is_valid(verdict.value)


@FEW
@given(CASES, st.data())
def test_a_value_that_was_cut_off_never_passes_for_another(case, data):
    """Its schema may not mind what is missing; only a last bracket may be missing, and is noted."""
    assume(isinstance(case.value, list | dict))
    whole = json.dumps(case.value)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]

    verdict = ResponseValidator(response_schema=case.schema).inspect(cut)

    assert not verdict.passed or (cut == whole[:-1] and same(verdict.value, case.value))
    assert not verdict.passed or "repair:missing_closer" in verdict.notes


# --- faults ---------------------------------------------------------------------------------------


class Hand(NamedTuple):
    """How somebody writes JSON who has not read the standard. Nothing is lost by any of it."""

    quote: str = '"'
    constants: tuple[str, str, str] = ("null", "false", "true")
    comment: str = ""
    trailing_comma: str = ""
    bare_keys: bool = False
    raw_controls: bool = False
    around: str = "{}"

    def text(self, value: Any) -> str:
        """Write a value down."""
        before, after = self.around.split("{}")
        return before + self._written(value) + after

    def _written(self, value: Any) -> str:
        match value:
            case None:
                return self.constants[0]
            case bool():
                return self.constants[1 + value]
            case str():
                return self._string(value)
            case list():
                return self._listed("[", map(self._written, value), "]")
            case dict():
                members = (f"{self._key(k)}: {self._written(v)}" for k, v in value.items())
                return self._listed("{", members, "}")
        return json.dumps(value)

    def _listed(self, opening: str, members: Any, closing: str) -> str:
        inside = f",{self.comment} ".join(members)
        end = self.trailing_comma if inside else ""
        return f"{opening}{self.comment}{inside}{end}{closing}"

    def _string(self, text: str) -> str:
        inside = json.dumps(text)[1:-1]
        if self.quote == "'":
            inside = inside.replace('\\"', '"').replace("'", "\\'")
        if self.raw_controls:
            inside = re.sub(r"(?<!\\)((?:\\\\)*)\\n", "\\1\n", inside)
        return f"{self.quote}{inside}{self.quote}"

    def _key(self, key: str) -> str:
        is_name = key.isidentifier() and key.isascii() and key not in _CONSTANTS
        return key if self.bare_keys and is_name else self._string(key)


_CONSTANTS = {"null", "true", "false", "None", "True", "False", "undefined", "NaN", "Infinity"}

HANDS = st.builds(
    Hand,
    quote=st.sampled_from("\"'"),
    constants=st.sampled_from([("null", "false", "true"), ("None", "False", "True")]),
    comment=st.sampled_from(["", " // so far\n", " /* so far */", " # so far\n"]),
    trailing_comma=st.sampled_from(["", ",", " ,\n"]),
    bare_keys=st.booleans(),
    raw_controls=st.booleans(),
    around=st.sampled_from(
        [
            "{}",
            "```json\n{}\n```",
            "Here it is:\n\n{}\n\nI hope that helps.",
            "Here it is:\n```\n{}\n```\nI hope that helps.",
            "<think>Let me see.</think>\n{}",
        ]
    ),
)


@settings(max_examples=300, deadline=None)
@given(CONTAINERS, HANDS)
def test_a_value_survives_every_fault_that_loses_nothing(value, hand):
    """In whatever hand it is written, and in all of them at once, it comes back equal."""
    verdict = judged(hand.text(value), must_be_json=True, repair="lossless")

    assert verdict.passed
    assert same(verdict.value, value)


@FEW
@given(CASES, HANDS)
def test_a_contract_reads_every_hand(case, hand):
    """What the schema says of a value does not hang on how it was written."""
    assume(isinstance(case.value, list | dict))

    verdict = judged(hand.text(case.value), response_schema=case.schema)

    assert verdict.passed
    assert same(verdict.value, case.value)
