"""The text of an answer, read as its contracts ask, and what is wrong with what it says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from langchain_control.contracts import Contract, Vocabulary, compile_contract, vocabulary_of
from langchain_control.contracts.members import all_members
from langchain_control.outcomes import FailureMode, Violation
from langchain_control.parsing import (
    Fault,
    MalformedJSONError,
    RepairPolicy,
    Unparsed,
    canonical,
    may_wrap,
    read_answer,
    unwrap,
    value_so_far,
)
from langchain_control.parsing.ending import Ending
from langchain_control.rules.answer import Answer

__all__ = ["Problem", "Reader", "Reading", "reader_of"]


class Problem(NamedTuple):
    """Something wrong with an answer, and what it amounts to."""

    mode: FailureMode
    violation: Violation


class Reading(NamedTuple):
    """An answer as rules see it, and what reading it brought to light."""

    answer: Answer
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


class Reader(NamedTuple):
    """Finds what an answer says, and holds it against contracts. See `reader_of`."""

    expects_json: bool
    contracts: tuple[Contract, ...]
    vocabulary: Vocabulary
    members: frozenset[str]
    """All that the object may have, if the first contract names them all."""
    repair: RepairPolicy
    coerce: bool
    """Whether the first contract may convert types."""

    @property
    def json_schemas(self) -> list[dict[str, Any]]:
        """The contracts as JSON Schema."""
        return [contract.json_schema() for contract in self.contracts]

    def accepts(self, value: Any) -> bool:
        """Whether a JSON value meets the contracts."""
        return all(contract.is_met_by(value) for contract in self.contracts)

    def read(self, text: str, ending: Ending) -> Reading:
        """Read a whole answer: find the JSON in it, if there has to be any, and judge that."""
        if not self.expects_json:
            return Reading(Answer(text), () if _is_unicode(text) else (_NOT_UNICODE,))
        found = read_answer(
            text, policy=self.repair, accepts=self.accepts, ending=ending, members=self.members
        )
        if isinstance(found, Unparsed):
            return Reading(Answer(text), (_problem_of(found.fault, ending),))
        if self.accepts(found.value):
            return Reading(Answer(found.text, found.value, is_json=True), (), found.notes)
        value, notes = self._fitted(found.value)
        try:
            answer = Answer(canonical(value) if notes else found.text, value, is_json=True)
        except MalformedJSONError as exc:  # a conversion can make a number that JSON cannot hold
            return Reading(Answer(text), (_problem_of(exc.fault, ending),))
        problems = (Problem(FailureMode.SCHEMA_VIOLATION, wrong) for wrong in self._judged(value))
        return Reading(answer, tuple(problems), (*found.notes, *notes))

    def read_beginning(self, beginning: str) -> Answer | None:
        """Return what stands already, as rules see it; `None` if a repair may yet change it."""
        if not self.expects_json:
            whole_words = beginning[: max(map(beginning.rfind, " \n")) + 1]
            return Answer(whole_words.strip())
        found = value_so_far(beginning)
        mendable = self.coerce or self.repair is RepairPolicy.LENIENT
        if found is None or mendable or may_wrap(found, titles=self.vocabulary.titles):
            return None
        try:
            return Answer(canonical(found), found, is_json=True)
        except MalformedJSONError:
            return None

    def _judged(self, value: Any) -> list[Violation]:
        """Name what no conversion mends, or where there is nothing of the kind, all."""
        return (self.coerce and self._violations(value, lax=True)) or self._violations(value)

    def _violations(self, value: Any, *, lax: bool = False) -> list[Violation]:
        return [wrong for contract in self.contracts for wrong in contract.judge(value, lax=lax)]

    def _fitted(self, value: Any) -> tuple[Any, tuple[str, ...]]:
        """Take off a wrapping or convert types, where that makes a value meet the contracts."""
        names, titles = self.vocabulary
        if (unwrapped := unwrap(value, self.accepts, names=names, titles=titles)) is not None:
            return unwrapped.value, (unwrapped.note,)
        if self.coerce and self.accepts(converted := self.contracts[0].coerced(value)):
            return converted, ("coerced",)
        return value, ()


def reader_of(
    schema: Any,
    required_keys: Sequence[str],
    *,
    must_be_json: bool,
    repair: RepairPolicy,
    coerce: bool,
) -> Reader:
    """Compile what an answer has to be.

    Args:
        schema: The contract, in any form that `compile_contract` takes; `None` if there is none.
        required_keys: Keys that must be there, whatever the contract says.
        must_be_json: Whether the answer is JSON even if neither of them is given.
        repair: Which repairs of damaged JSON may stand.
        coerce: Whether values of another type are converted, where `schema` is a type.

    Raises:
        ValueError: `schema` is no schema.
    """
    schemas = [] if schema is None else [schema]
    if required_keys:
        schemas.append({"type": "object", "required": list(required_keys)})
    contracts = tuple(map(compile_contract, schemas))
    is_described = schema is not None
    return Reader(
        expects_json=must_be_json or bool(schemas),
        contracts=contracts,
        vocabulary=vocabulary_of(contract.json_schema() for contract in contracts),
        members=all_members(contracts[0].json_schema()) if is_described else frozenset(),
        repair=repair,
        coerce=coerce and is_described,
    )


def _problem_of(fault: Fault, ending: Ending) -> Problem:
    cut_off = fault.kind == "truncated" and ending is not Ending.FINISHED
    mode = FailureMode.TRUNCATED if cut_off else FailureMode.SCHEMA_VIOLATION
    return Problem(mode, Violation(f"json.{fault.kind}", fault.expected, fault.found))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_NOT_UNICODE = Problem(
    FailureMode.CONSTRAINT_VIOLATION,
    Violation(rule="unicode", expected="Unicode text", found="a lone surrogate"),
)
