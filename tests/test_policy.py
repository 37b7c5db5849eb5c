"""The policy: from keywords, plain data, YAML or the environment, and never contradictory."""

from __future__ import annotations

import pickle

import pytest
from pydantic import ValidationError

from langchain_control import ControlPolicy, FailureMode, FallbackRouter, InputGuard, RetryEngine
from langchain_control.retries.remedies import Remedy
from langchain_control.strategies import CannedAnswer

DATA = {"retry": {"max_attempts": 5}, "guard": {"max_chars": 100}, "timeout_seconds": 3}
YAML = """
retry:
  max_attempts: 5
guard:
  max_chars: 100
timeout_seconds: 3
"""
ENVIRONMENT = {
    "LANGCHAIN_CONTROL_RETRY__MAX_ATTEMPTS": "5",
    "LANGCHAIN_CONTROL_GUARD__MAX_CHARS": "100",
    "LANGCHAIN_CONTROL_TIMEOUT_SECONDS": "3",
    "UNRELATED": "x",
}


@pytest.fixture(params=["keywords", "data", "yaml", "environment"])
def policy(request, tmp_path):
    """Make the same policy in each way there is."""
    match request.param:
        case "keywords":
            return ControlPolicy(
                retry=RetryEngine(max_attempts=5),
                guard=InputGuard(max_chars=100),
                timeout_seconds=3,
            )
        case "data":
            return ControlPolicy.model_validate(DATA)
        case "yaml":
            path = tmp_path / "policy.yaml"
            path.write_text(YAML)
            return ControlPolicy.from_yaml(path)
    return ControlPolicy.from_env(environ=ENVIRONMENT)


def test_every_source_gives_the_same_policy(policy):
    """Keywords, plain data, YAML and environment variables say the same."""
    assert (policy.retry.max_attempts, policy.guard.max_chars, policy.timeout_seconds) == (
        5,
        100,
        3,
    )


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"retries": {}}, "retries"),
        ({"retry": {"max_atempts": 5}}, "max_atempts"),
        ({"retry": {"max_attempts": 0}}, "max_attempts"),
        ({"timeout_seconds": -1}, "timeout_seconds"),
        ({"timeout_seconds": 30, "deadline_seconds": 10}, "deadline_seconds"),
        ({"validator": {"min_length": 9, "max_length": 3}}, "min_length"),
        ({"timeout_seconds": float("inf")}, "timeout_seconds"),
        ({"timeout_seconds": 9, "breaker": {"probe_timeout_seconds": 3}}, "probe_timeout_seconds"),
        ({"audit": {"pth": "x"}}, "pth"),
        ({"audit": True}, r"audit\n.*a trail needs a place"),
        ({"audit": "on"}, r"audit\n.*a trail needs a place"),
        ({"threads": 0}, "threads"),
        ({"threads": True}, "threads"),
    ],
)
def test_a_bad_value_is_refused_by_name(data, field):
    """Unknown, out-of-range and contradictory values are refused with the field's name."""
    with pytest.raises(ValidationError, match=field):
        ControlPolicy.model_validate(data)


@pytest.mark.parametrize("off", ["false", "False", "off", "0", "null"])
def test_a_trail_that_is_turned_off_is_off(off, tmp_path):
    """Turned off by a variable or a file it was on, in a file called `False`."""
    path = tmp_path / "policy.yaml"
    path.write_text(f"audit: {off}")

    assert ControlPolicy.from_env(environ={"LANGCHAIN_CONTROL_AUDIT": off}).audit is None
    assert ControlPolicy.from_yaml(path).audit is None
    assert ControlPolicy(audit=False).audit is None


def test_a_file_that_is_no_mapping_is_refused(tmp_path):
    """A YAML list is not a policy."""
    path = tmp_path / "policy.yaml"
    path.write_text("- retry")

    with pytest.raises(ValueError, match="mapping"):
        ControlPolicy.from_yaml(path)


def test_variables_that_contradict_each_other_are_refused_by_name():
    """A field cannot be set whole and in parts."""
    environ = {"LANGCHAIN_CONTROL_RETRY": "x", "LANGCHAIN_CONTROL_RETRY__MAX_ATTEMPTS": "3"}

    with pytest.raises(ValueError, match="RETRY__MAX_ATTEMPTS"):
        ControlPolicy.from_env(environ=environ)


def test_a_file_that_is_not_yaml_is_refused(tmp_path):
    """A syntax error is an error of the file, told with its name."""
    path = tmp_path / "policy.yaml"
    path.write_text("retry: [")

    with pytest.raises(ValueError, match=r"policy\.yaml"):
        ControlPolicy.from_yaml(path)


def test_probes_may_take_as_long_as_calls():
    """A longer time limit of calls lengthens what a probe may take, unless both were set."""
    assert ControlPolicy(timeout_seconds=120).breaker.probe_timeout_seconds > 120


def test_a_time_limit_can_be_lengthened_twice():
    """The second time raised about a probe's time, which the policy itself had set the first."""
    policy = ControlPolicy(timeout_seconds=60)

    longer = policy.override(timeout_seconds=300)

    assert longer.breaker.probe_timeout_seconds > 300
    assert longer.breaker.store is policy.breaker.store


def test_a_number_of_threads_is_a_setting_like_any_other():
    """Who needed more than 32 calls at a time had to import a private class."""
    policy = ControlPolicy.from_env(environ={"LANGCHAIN_CONTROL_THREADS": "64"})

    assert policy.threads.limit == 64
    assert policy.override(threads=8).threads.limit == 8


def test_it_is_frozen():
    """A policy does not change under a running application."""
    with pytest.raises(ValidationError):
        ControlPolicy().timeout_seconds = 1


def test_override_replaces_and_keeps():
    """`override` returns a new, validated policy that shares everything it did not change."""
    policy = ControlPolicy(
        fallback=FallbackRouter(strategies=[("a", str.upper)]), deadline_seconds=9
    )

    changed = policy.override(retry={"max_attempts": 7}, deadline_seconds=8)

    assert (changed.retry.max_attempts, changed.deadline_seconds) == (7, 8)
    assert changed.breaker is policy.breaker
    assert changed.fallback.strategies == policy.fallback.strategies
    with pytest.raises(ValidationError, match="retry"):
        policy.override(retry=3)


@pytest.mark.parametrize(
    ("data", "change"),
    [
        (
            {"prompt": {"budget": {"total_tokens": 4000}}},
            {"prompt": {"budget": {"answer_tokens": 100}}},
        ),
        (
            {"audit": {"path": "mine.jsonl", "rotate_daily": True}},
            {"audit": {"include_content": True}},
        ),
        (
            {"retry": {"policies": {"refusal": {"retry": True}}}},
            {"retry": {"policies": {"timeout": {"correction": "Be quick."}}}},
        ),
        (
            {"retry": {"policies": {"timeout": {"correction": "Be quick."}}}},
            {"retry": {"policies": {"timeout": {"honor_retry_after": False}}}},
        ),
        (
            {"breaker": {"window": {"slow_seconds": 5}}},
            {"breaker": {"window": {"failure_rate": 0.3}}},
        ),
    ],
    ids=["budget", "audit", "remedies", "remedy", "window"],
)
def test_override_keeps_the_rest_at_every_depth(data, change):
    """A budget, an audit file and remedies were reset silently by a change of what is beside them.

    Who raised the answer's tokens lost their total; who asked for content had it in another file.
    """
    assert repr(ControlPolicy(**data).override(**change)) == repr(
        ControlPolicy(**_joined(data, change))
    )


def _joined(one, other):
    if not isinstance(one, dict) or not isinstance(other, dict):
        return other
    return one | {key: _joined(one.get(key), value) for key, value in other.items()}


def test_a_remedy_that_gives_up_has_nothing_else():
    """Told to give a failure up, a row drops what it said about retries, as in a new table."""
    policy = ControlPolicy(retry={"policies": {"timeout": {"correction": "Be quick."}}})

    changed = policy.override(retry={"policies": {"timeout": {"retry": False}}})

    assert changed.retry.policies[FailureMode.TIMEOUT] == Remedy(retry=False)


def test_two_policies_do_not_share_a_circuit():
    """State is made anew for each policy, not shared by default."""
    assert ControlPolicy().breaker.store is not ControlPolicy().breaker.store


def test_it_is_picklable():
    """A policy can go to another process."""
    policy = ControlPolicy(deadline_seconds=9)

    assert pickle.loads(pickle.dumps(policy)).deadline_seconds == 9


def test_its_repr_shows_the_components_and_what_was_set():
    """What is as ever is not worth reading."""
    shown = repr(ControlPolicy(timeout_seconds=5, guard=None))

    assert "timeout_seconds=5.0" in shown
    assert "guard=None" in shown
    assert "RetryEngine()" in shown
    assert "deadline_seconds" not in shown


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("Sorry, try later.", "`sorry` .* at /: expected JSON"),
        (CannedAnswer({"b": 1}), '`sorry` .* at /: expected the property "a"'),
        (" ", "`sorry` .* at /: expected an answer"),
    ],
    ids=["text", "value", "blank"],
)
def test_a_fixed_answer_that_can_never_pass_is_told_at_once(answer, why):
    """It was accepted without a word, and found out in the outage."""
    with pytest.warns(UserWarning, match=why):
        ControlPolicy(
            validator={"required_keys": ["a"]}, fallback={"strategies": [("sorry", answer)]}
        )


def test_rules_are_not_asked_about_fixed_answers():
    """Making a policy costs no call of a judge."""
    asked = []

    ControlPolicy(
        validator={"rules": [asked.append]}, fallback={"strategies": [("sorry", "Sorry.")]}
    )

    assert asked == []


def test_text_in_the_environment_may_look_like_a_number():
    """A breaker named `42` was refused as a number."""
    policy = ControlPolicy.from_env(
        environ={
            "LANGCHAIN_CONTROL_BREAKER__NAME": "42",
            "LANGCHAIN_CONTROL_LIMITER__KEY": "7",
            "LANGCHAIN_CONTROL_LIMITER__REQUESTS_PER_MINUTE": "7",
        }
    )
    assert (policy.breaker.name, policy.limiter.key) == ("42", "7")
    assert policy.limiter.requests_per_minute == 7


@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), 1e12])
@pytest.mark.parametrize(
    "settings",
    [
        {"timeout_seconds": ...},
        {"deadline_seconds": ...},
        {"bulkhead": {"max_wait_seconds": ...}},
        {"limiter": {"requests_per_minute": 1, "max_wait_seconds": ...}},
        {"retry": {"base_delay_seconds": ...}},
        {"retry": {"max_delay_seconds": ...}},
        {"retry": {"jitter_seconds": ...}},
        {"retry": {"max_retry_after_seconds": ...}},
    ],
    ids=str,
)
def test_waits_without_bound_are_refused(settings, seconds):
    """A request that waited so long raised an `OverflowError`, past the fallback."""

    def filled(given):
        return seconds if given is ... else given

    given = {
        name: {k: filled(v) for k, v in value.items()} if isinstance(value, dict) else seconds
        for name, value in settings.items()
    }

    with pytest.raises(ValidationError, match="_seconds"):
        ControlPolicy(**given)
