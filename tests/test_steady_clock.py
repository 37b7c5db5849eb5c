"""A clock that nobody sets while requests are under way."""

import pickle
import time

import pytest

from langchain_control import AuditLogger, ControlPolicy, RetryEngine, with_control
from langchain_control._steady_clock import SteadyClock
from langchain_control.testing import ManualClock, ScriptedChatModel
from tests.scenarios import AT_ONCE

HOUR = 3600


@pytest.fixture
def wall():
    return ManualClock(1_800_000_000)


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_it_does_not_follow_the_wall_clock(wall, jump):
    """Set while the process runs, the wall clock has no say any more."""
    steady = ManualClock(7)
    clock = SteadyClock(wall, steady)
    began = clock()

    wall.advance(jump)
    steady.advance(5)

    assert (began, clock()) == (1_800_000_000, 1_800_000_005)


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_a_request_has_its_time_whatever_becomes_of_the_wall_clock(call, wall, jump):
    """Set back, a request took minus an hour; set forward, its deadline had passed.

    Whoever runs on a laptop, or on a machine whose time is put right, got one attempt or a
    negative latency in the trail.
    """
    trail = AuditLogger(path=None)
    set_by_it = type(ControlPolicy().clock)(wall)
    policy = ControlPolicy(
        deadline_seconds=60, retry=RetryEngine(**AT_ONCE), audit=trail, clock=set_by_it
    )
    answers = iter([ConnectionError(), "fine"])

    def model(_):
        wall.advance(jump)
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert call(with_control(model, policy), "Q?").text == "fine"
    assert 0 <= list(trail.to_records())[-1]["latency_ms"] < 60_000


def test_a_run_that_another_process_began_never_took_less_than_nothing(call, wall):
    """Two machines do not agree on the time to the millisecond."""
    trail = AuditLogger(path=None)
    policy = ControlPolicy(audit=trail, clock=wall)
    model = ScriptedChatModel(script=["fine"])

    def behind(_):
        wall.advance(-1)
        return model.invoke("Q?")

    call(with_control(behind, policy), "Q?")

    assert list(trail.to_records())[-1]["latency_ms"] == 0


def test_it_is_set_anew_in_another_process():
    """What is steady counts from the start of a machine."""
    moved = pickle.loads(pickle.dumps(SteadyClock(lambda: 0.0)))

    assert moved() == pytest.approx(time.time(), abs=HOUR)
