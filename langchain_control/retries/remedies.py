"""What to do about each failure: one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import (
    ConfigDict,
    Field,
    RootModel,
    ValidationError,
    field_validator,
    model_validator,
)

from langchain_control._overriding import Overridable, OverridableModel
from langchain_control.models.object_schemas import Kind
from langchain_control.outcomes import FailureMode, Rung
from langchain_control.retries.corrections import MAX_INSTRUCTION_CHARS
from langchain_control.retries.ladder import FIRST_RUNG, RUNGS

__all__ = ["DEFAULT_REMEDIES", "Remedy", "RemedyTable"]


class Remedy(OverridableModel):
    """What to do about one failure mode."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    retry: bool = True
    """Whether another attempt may help."""
    correction: str | None = Field(default=None, min_length=1, max_length=MAX_INSTRUCTION_CHARS)
    """What the next prompt says; the violations are listed below it. `None` leaves it unchanged."""
    ladder: tuple[Rung, ...] = (FIRST_RUNG,)
    """The ways to ask again, from the lowest rung. After the highest one a fallback is due."""
    silent_in_schema_mode: bool = False
    """Whether the correction is left out of the first attempt in the provider's own schema mode.

    The mode enforces what the correction asks for, and with a small model the correction made right
    answers wrong. It is sent again once an attempt in that mode has failed, and where the mode does
    not enforce the schema because its client cannot be asked for strictness.
    """
    max_repeats: int | None = Field(default=None, ge=1)
    """How often the same failure may come back, in the same places, before its rung is left.

    A second draw of a small model often succeeds where the first one failed, so it is not 0.
    """
    resample: bool = False
    """Whether the retry takes another seed, and a temperature above 0, where the model states them.

    A deterministic model would give the same answer again.
    """
    answer_limit_factor: float = Field(default=1.0, ge=1.0, le=100.0)
    """By how much to raise the limit of answer tokens."""
    honor_retry_after: bool = False
    """Whether to wait at least as long as the provider's `Retry-After` asks."""
    draws_on_budget: bool = False
    """Whether a retry is paid for out of the budget that all requests share.

    Set where retries burden a provider that is in trouble; a rejected answer says it is well.
    """

    def override(self, **changes: Any) -> Self:
        """Return a remedy with some fields changed. `retry=False` drops the rest."""
        gives_up = changes.get("retry") is False
        return type(self)(**changes) if gives_up else super().override(**changes)

    @field_validator("ladder")
    @classmethod
    def _leads_up(cls, ladder: tuple[Rung, ...]) -> tuple[Rung, ...]:
        if not ladder or list(ladder) != sorted(set(ladder), key=RUNGS.index):
            msg = f"name rungs in this order, each once, and at least one: {', '.join(RUNGS)}"
            raise ValueError(msg)
        return ladder

    @model_validator(mode="after")
    def _without_retry_nothing_else(self) -> Self:
        if self.retry:
            return self
        idle = [name for name in type(self).model_fields if name != "retry" and self._sets(name)]
        if idle:
            msg = f"`{idle[0]}` has no effect with `retry=False`"
            raise ValueError(msg)
        return self

    def _sets(self, name: str) -> bool:
        return bool(getattr(self, name) != type(self).model_fields[name].default)

    def __repr_args__(self) -> Any:
        """Show whether it retries, and what differs from a plain retry."""
        names = [n for n in type(self).model_fields if n == "retry" or self._sets(n)]
        return [(name, getattr(self, name)) for name in names]


_GIVE_UP = Remedy(retry=False)
_WAIT = Remedy(honor_retry_after=True, draws_on_budget=True)

_REWORD: dict[str, Any] = {
    "ladder": ("same_model", "other_model"),
    "max_repeats": 2,
    "resample": True,
}
"""The remedy for an answer of the right shape: other words in the prompt first."""

_RESHAPE: dict[str, Any] = {
    "ladder": ("native_schema", "other_model"),
    "silent_in_schema_mode": True,
    "max_repeats": 1,
    "resample": True,
}
"""The remedy for a damaged answer. To a small model the provider's own schema mode is worth more
than any wording, so it comes first; where a model has none, the rung is a second draw."""

_DELIMITED: dict[Kind, str] = {
    "object": "object, from { to }",
    "array": "array, from [ to ]",
    "value": "value",
}
_WRONG_SHAPE: dict[Kind, str] = {
    kind: "The last answer did not have the requested shape. "
    f"Answer with exactly one JSON {delimited}: no code fences, no text around it."
    for kind, delimited in _DELIMITED.items()
}
_DAMAGED = "The last answer was damaged. Answer once more, in the requested form."

_DEFAULTS: dict[FailureMode, Remedy] = {
    FailureMode.NONE: _GIVE_UP,
    FailureMode.SCHEMA_VIOLATION: Remedy(
        correction=_WRONG_SHAPE["object"],
        **_RESHAPE,
    ),
    FailureMode.CONSTRAINT_VIOLATION: Remedy(
        correction=(
            "The last answer broke a constraint. "
            "Re-read every numbered constraint and meet all of them."
        ),
        **_REWORD,
    ),
    FailureMode.PROMPT_INJECTION: _GIVE_UP,
    FailureMode.TOKEN_OVERFLOW: Remedy(
        correction=(
            "The last answer was too long. Stay within the limit named below; "
            "if none is named, use half the length."
        ),
        **_REWORD,
    ),
    FailureMode.HALLUCINATION: Remedy(
        correction=(
            "The last answer was not supported by the question or its context. "
            "Say so where you are unsure, and invent nothing."
        ),
        **_REWORD,
    ),
    # The one failure of transport that a prompt can cure: time grows with the answer's length.
    FailureMode.TIMEOUT: Remedy(
        correction="The last answer took too long. Be shorter and more direct.",
        honor_retry_after=True,
        draws_on_budget=True,
    ),
    FailureMode.CIRCUIT_OPEN: _GIVE_UP,
    # A model that rambles past the limit has lost the shape, too.
    FailureMode.TRUNCATED: Remedy(
        correction=(
            "The last answer was cut off. "
            "Give a complete answer in the requested form, in fewer words."
        ),
        answer_limit_factor=2.0,
        **_RESHAPE,
    ),
    FailureMode.REFUSAL: _GIVE_UP,
    FailureMode.RATE_LIMITED: _WAIT,
    FailureMode.MODEL_ERROR: _WAIT,
    FailureMode.MODEL_REJECTED: _GIVE_UP,
    FailureMode.CONTEXT_OVERFLOW: Remedy(ladder=("other_model",)),  # another window, perhaps
    FailureMode.BULKHEAD_FULL: _GIVE_UP,
    FailureMode.DEADLINE_EXCEEDED: _GIVE_UP,
    FailureMode.RETRY_BUDGET_EXHAUSTED: _GIVE_UP,
    FailureMode.USAGE_LIMIT_EXCEEDED: _GIVE_UP,
    FailureMode.STOPPED: _GIVE_UP,
}

_NEVER_RETRIED = frozenset(
    mode for mode, row in _DEFAULTS.items() if row is _GIVE_UP and mode is not FailureMode.REFUSAL
)
"""No table may retry these: the same call would be refused again, or must not be made at all."""


class RemedyTable(Overridable, RootModel[dict[FailureMode, Remedy]]):
    """A remedy for every failure mode.

    Built from the rows that differ, and in them from the fields that differ:
    `RemedyTable({"refusal": {"retry": True}})`. A row that sets `retry=False` drops the rest.
    """

    model_config = ConfigDict(frozen=True)

    root: dict[FailureMode, Remedy] = Field(default_factory=lambda: dict(_DEFAULTS))

    @model_validator(mode="before")
    @classmethod
    def _merged(cls, rows: Any) -> Any:
        if not isinstance(rows, Mapping):
            return rows
        changes = {FailureMode(mode): _fields_of(row) for mode, row in rows.items()}
        return _DEFAULTS | {
            mode: _changed(mode, row) if isinstance(row, Mapping) else row
            for mode, row in changes.items()
        }

    @model_validator(mode="after")
    def _within_reason(self) -> Self:
        for mode in _NEVER_RETRIED:
            if self.root[mode].retry:
                msg = f"`{mode}` is never retried"
                raise ValueError(msg)
        return self

    def _settings(self) -> dict[str, Any]:
        return {mode.value: remedy for mode, remedy in self.root.items()}

    def __getitem__(self, mode: FailureMode) -> Remedy:
        """Return the remedy for a failure mode."""
        return self.root[mode]

    def for_answers(self, kind: Kind | None) -> Self:
        """Return a table whose own correction of a wrong shape asks for this kind of JSON.

        Args:
            kind: `None` if answers need not be JSON.
        """
        return self.with_shape_worded(_WRONG_SHAPE[kind] if kind else _DAMAGED)

    def with_shape_worded(self, correction: str) -> Self:
        """Return a table with another correction of a wrong shape, unless that is the caller's."""
        mode = FailureMode.SCHEMA_VIOLATION
        row = self.root[mode]
        if row.correction == correction or row.correction not in _OF_SHAPE:
            return self
        return type(self)({**self.root, mode: row.model_copy(update={"correction": correction})})

    def markdown(self) -> str:
        """Write the table in Markdown, as the documentation shows it."""
        names = list(Remedy.model_fields)
        head = ["failure_mode", *names]
        rows = [[f"`{m}`", *_cells(remedy, names)] for m, remedy in self.root.items()]
        table = [head, ["---"] * len(head), *rows]
        return "\n".join(f"| {' | '.join(row)} |" for row in table)

    def __repr_args__(self) -> Any:
        """Show the rows that differ from the default in more than its own words."""
        rows = self.for_answers("object").root.items()
        return [(mode.value, self.root[mode]) for mode, row in rows if row != _DEFAULTS[mode]]


_OF_SHAPE = frozenset((*_WRONG_SHAPE.values(), _DAMAGED))
"""The own corrections of a wrong shape."""

DEFAULT_REMEDIES = RemedyTable()


def _changed(mode: FailureMode, row: Mapping[str, Any]) -> Remedy:
    try:
        return _DEFAULTS[mode].override(**row)
    except ValidationError as exc:
        wrong = exc.errors(include_url=False)[0]
        field = "".join(f" `{name}`:" for name in wrong["loc"][:1])
        msg = f"`{mode}`:{field} {wrong['msg']}"
        raise ValueError(msg) from exc


def _fields_of(row: Any) -> Any:
    """Return the fields that a row sets, without defaults."""
    if isinstance(row, Remedy):
        return {name: getattr(row, name) for name in row.model_fields_set}
    return row


def _cells(remedy: Remedy, names: Sequence[str]) -> list[str]:
    """Show a remedy; where nothing is retried, there is nothing to show."""
    return [_cell(getattr(remedy, name)) if remedy.retry else "" for name in names]


def _cell(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else ""
        case None:
            return ""
        case float():
            return "" if value == 1 else f"{value:g}"
        case tuple():
            return " → ".join(f"`{rung}`" for rung in value)
    return str(value)
