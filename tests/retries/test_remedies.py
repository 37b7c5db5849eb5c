"""The table that says what to do about each failure."""

import pickle

import pytest
from pydantic import ValidationError

from langchain_control.outcomes import FailureMode
from langchain_control.retries.remedies import Remedy, RemedyTable

DEFAULT = RemedyTable()

NEVER_RETRIED = {
    FailureMode.NONE,
    FailureMode.PROMPT_INJECTION,
    FailureMode.CIRCUIT_OPEN,
    FailureMode.MODEL_REJECTED,
    FailureMode.BULKHEAD_FULL,
    FailureMode.DEADLINE_EXCEEDED,
    FailureMode.RETRY_BUDGET_EXHAUSTED,
    FailureMode.USAGE_LIMIT_EXCEEDED,
    FailureMode.STOPPED,
}


@pytest.mark.parametrize("mode", FailureMode)
def test_every_failure_mode_has_a_row(mode):
    """A new failure mode without a remedy would surface as a `KeyError` in an outage."""
    assert isinstance(DEFAULT[mode], Remedy)


def test_what_a_retry_cannot_mend_is_not_retried():
    """The modes without a retry are exactly these."""
    given_up = {mode for mode in FailureMode if not DEFAULT[mode].retry}

    assert given_up == NEVER_RETRIED | {FailureMode.REFUSAL}


@pytest.mark.parametrize("mode", FailureMode)
def test_no_correction_is_unreachable(mode):
    """Every wording in the table belongs to a mode that is retried."""
    assert DEFAULT[mode].retry or DEFAULT[mode].correction is None


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (FailureMode.SCHEMA_VIOLATION, ["JSON object", "from { to }", "no code fences"]),
        (FailureMode.CONSTRAINT_VIOLATION, ["Re-read every numbered constraint"]),
        (FailureMode.TOKEN_OVERFLOW, ["half the length"]),
        (FailureMode.TIMEOUT, ["shorter", "more direct"]),
        (FailureMode.HALLUCINATION, ["unsure", "invent nothing"]),
        (FailureMode.TRUNCATED, ["complete", "fewer words"]),
    ],
    ids=lambda p: p if isinstance(p, str) else "",
)
def test_failures_of_content_say_what_to_do(mode, words):
    """The correction asks for what was missing."""
    assert all(word in (DEFAULT[mode].correction or "") for word in words)


@pytest.mark.parametrize("mode", [FailureMode.RATE_LIMITED, FailureMode.MODEL_ERROR])
def test_failures_of_transport_leave_the_prompt_alone(mode):
    """A provider in trouble is given time, not advice."""
    assert DEFAULT[mode].correction is None
    assert DEFAULT[mode].honor_retry_after


def test_a_row_changes_only_what_it_names():
    """A partial row is merged with the default one, as plain data or as a `Remedy`."""
    expected = DEFAULT[FailureMode.TRUNCATED].model_copy(update={"correction": "Shorter!"})

    for row in ({"correction": "Shorter!"}, Remedy(correction="Shorter!")):
        table = RemedyTable({FailureMode.TRUNCATED: row})

        assert table[FailureMode.TRUNCATED] == expected
        assert table[FailureMode.TIMEOUT] == DEFAULT[FailureMode.TIMEOUT]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("object", "one JSON object, from { to }"),
        ("array", "one JSON array, from [ to ]"),
        ("value", "one JSON value"),
        (None, "in the requested form"),
    ],
)
def test_a_wrong_shape_is_named(kind, words):
    """The correction asks for the kind of JSON that is due, and for none where none is."""
    row = DEFAULT.for_answers(kind)[FailureMode.SCHEMA_VIOLATION]

    assert words in row.correction
    assert ("JSON" in row.correction) == (kind is not None)
    assert row == DEFAULT[FailureMode.SCHEMA_VIOLATION].override(correction=row.correction)


def test_a_correction_of_the_callers_own_stays():
    """The kind of JSON that is due does not replace what somebody has chosen to say."""
    table = RemedyTable({"schema_violation": {"correction": "Only the list."}})

    assert table.for_answers("array") == table.with_shape_worded("Another.") == table


def test_a_row_without_retry_drops_the_rest():
    """Turning a retry off leaves no idle settings behind."""
    table = RemedyTable({"schema_violation": {"retry": False}})

    assert table[FailureMode.SCHEMA_VIOLATION] == Remedy(retry=False)


def test_a_refusal_may_be_retried_if_asked_for():
    """Some models refuse by chance; the caller may know."""
    assert RemedyTable({"refusal": {"retry": True}})[FailureMode.REFUSAL].retry


@pytest.mark.parametrize("mode", sorted(NEVER_RETRIED))
def test_some_modes_cannot_be_retried_at_all(mode):
    """No table retries an attack, an open circuit or a wrong key."""
    with pytest.raises(ValidationError, match=f"`{mode}` is never retried"):
        RemedyTable({mode: {"retry": True}})


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ({"time_out": {"retry": False}}, "time_out"),
        ({"timeout": {"retires": False}}, "retires"),
        ({"timeout": {"answer_limit_factor": 0.5}}, "answer_limit_factor"),
        ({"timeout": {"correction": "x" * 201}}, "correction"),
        ({"timeout": {"correction": ""}}, "correction"),
        ({"timeout": {"retry": False, "resample": True}}, "resample"),
        ({"timeout": {"max_repeats": 0}}, "max_repeats"),
        ({"timeout": {"ladder": []}}, "at least one"),
        ({"timeout": {"ladder": ["other_model", "same_model"]}}, "in this order"),
        ({"timeout": {"ladder": ["same_model", "same_model"]}}, "each once"),
        ({"timeout": {"ladder": ["bigger_model"]}}, "ladder"),
        ({"timeout": True}, "Remedy"),
    ],
    ids=str,
)
def test_a_wrong_row_is_refused_with_its_name(rows, names):
    """A typing error in a configuration file does not stay silent."""
    with pytest.raises(ValidationError, match=names):
        RemedyTable(rows)


def test_the_markdown_has_a_line_for_every_mode():
    """What the documentation prints is the table itself."""
    lines = DEFAULT.markdown().splitlines()

    assert len(lines) == 2 + len(FailureMode)
    assert "| `rate_limited` | yes |  | `same_model` |  |  |  |  | yes | yes |" in lines
    assert f"| `circuit_open` |{'  |' * 9}" in lines


def test_the_repr_shows_what_differs():
    """A table tells a reader what was changed."""
    assert repr(DEFAULT) == "RemedyTable()"
    assert repr(RemedyTable({"timeout": {"retry": False}})) == (
        "RemedyTable(timeout=Remedy(retry=False))"
    )


def test_a_table_survives_its_plain_data_and_pickling():
    """A table goes to a file or another process and comes back the same."""
    table = RemedyTable({"refusal": {"retry": True}, "timeout": {"retry": False}})

    assert RemedyTable.model_validate(table.model_dump(mode="json")) == table
    assert pickle.loads(pickle.dumps(table)) == table
