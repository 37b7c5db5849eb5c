"""What every `RateStore` must do. Subclass it and provide a `store` that goes by `clock`."""

import threading
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from langchain_control.stores import RateStore
from langchain_control.stores.rates import Demand, Denial, Grant
from langchain_control.testing import ManualClock

KEY = "user"


def requests(amount=1, per_second=1.0, burst=5.0):
    return Demand("requests", amount, per_second, burst)


def tokens(amount, per_second=10.0, burst=100.0):
    return Demand("tokens", amount, per_second, burst)


ARRIVALS = st.lists(st.sampled_from([0.0, 0.3, 0.6, 2.1, 7.2]), max_size=60)
"""Pauses between requests. No sum of them is a whole window, where either answer would be right."""


def assert_bounded(went, burst):
    """Check every stretch of time between two of the times and amounts, given in order."""
    for first, (start, _) in enumerate(went):
        for last in range(first, len(went)):
            passed = sum(amount for _, amount in went[first : last + 1])
            assert passed <= burst + (went[last][0] - start) * 1.0 + 1e-5


class RateStoreContract:
    """One behaviour per test, in terms of the protocol only."""

    max_examples = 100

    @pytest.fixture
    def clock(self):
        return ManualClock(1000.0)

    @pytest.fixture
    def store(self, clock) -> RateStore:
        raise NotImplementedError

    def test_a_burst_passes_at_once(self, store):
        """A quiet key may spend what has gathered, and not more."""
        answers = [store.take(KEY, (requests(),), 0) for _ in range(6)]
        assert answers[:5] == [Grant(0.0)] * 5
        assert answers[5] == Denial("requests", pytest.approx(1.0))

    @pytest.mark.parametrize("now", [650.40657329, 1e6 / 3, 1.7e9 + 1 / 7])
    @pytest.mark.parametrize("limit", [(0.001, 1.0), (1 / 3, 5.0), (70.0, 7.0)])
    def test_no_clock_is_too_crooked_for_a_whole_burst(self, store, clock, now, limit):
        """Requests of a fresh key were denied where the sum of times was rounded up."""
        per_second, burst = limit
        clock.advance(now)
        one = (requests(per_second=per_second, burst=burst),)
        answers = [store.take(KEY, one, 0) for _ in range(int(burst) + 1)]
        assert answers[:-1] == [Grant(0.0)] * int(burst)
        assert isinstance(answers[-1], Denial)

    def test_room_comes_back_at_the_rate(self, store, clock):
        """What was spent is there again after its time."""
        for _ in range(5):
            store.take(KEY, (requests(),), 0)
        clock.advance(2)
        granted = [isinstance(store.take(KEY, (requests(),), 0), Grant) for _ in range(3)]
        assert granted == [True, True, False]

    def test_turns_are_kept_in_order(self, store):
        """Whoever may wait gets an exact turn behind those before."""
        for _ in range(5):
            store.take(KEY, (requests(),), 0)
        waits = [store.take(KEY, (requests(),), 60).wait_seconds for _ in range(3)]
        assert waits == pytest.approx([1, 2, 3])

    def test_a_denial_takes_nothing(self, store, clock):
        """Knocking in vain does not push the turn away."""
        for _ in range(50):
            store.take(KEY, (requests(),), 0)
        clock.advance(1)
        assert isinstance(store.take(KEY, (requests(),), 0), Grant)

    def test_all_limits_or_none(self, store):
        """A request that fits one limit only takes from neither."""
        both = (requests(), tokens(80))
        assert isinstance(store.take(KEY, both, 0), Grant)
        assert store.take(KEY, both, 0) == Denial("tokens", pytest.approx(6.0))
        assert [isinstance(store.take(KEY, (requests(),), 0), Grant) for _ in range(5)] == [
            True,
            True,
            True,
            True,
            False,
        ]

    def test_more_than_the_limit_holds_never_fits(self, store):
        """A demand beyond the burst is told so, not sent into an endless queue."""
        assert store.take(KEY, (tokens(101),), 0) == Denial("tokens", None)

    def test_what_comes_back_can_be_taken_again(self, store):
        """A refund makes room at once."""
        store.take(KEY, (tokens(100),), 0)
        store.give_back(KEY, (tokens(40),))
        assert isinstance(store.take(KEY, (tokens(40),), 0), Grant)
        assert isinstance(store.take(KEY, (tokens(1),), 0), Denial)

    def test_a_refund_does_not_raise_the_burst(self, store):
        """Giving back more than was taken earns nothing."""
        store.give_back(KEY, (tokens(1000),))
        assert isinstance(store.take(KEY, (tokens(100),), 0), Grant)
        assert isinstance(store.take(KEY, (tokens(1),), 0), Denial)

    def test_a_last_turn_can_be_had_again(self, store, clock):
        """Whoever came last and went away holds up nobody, nor then the one before."""
        turns = [store.take(KEY, (requests(), tokens(20)), 60).turn for _ in range(7)]
        clock.advance(0.5)
        for turn in reversed(turns[5:]):
            store.give_back(KEY, (requests(), tokens(20)), turn)
        assert store.take(KEY, (requests(), tokens(20)), 60).wait_seconds == pytest.approx(1.5)

    def test_turns_behind_one_that_was_given_back_stay_single(self, store):
        """Who came next got a turn that somebody else had."""
        turns = [store.take(KEY, (requests(),), 60).turn for _ in range(8)]
        store.give_back(KEY, (requests(),), turns[5])
        store.give_back(KEY, (requests(),), turns[0])
        assert store.take(KEY, (requests(),), 60).wait_seconds == pytest.approx(4)

    def test_what_is_settled_comes_back_whoever_waits(self, store):
        """An estimate that was too high is corrected also in a queue."""
        for _ in range(3):
            store.take(KEY, (tokens(100),), 60)
        store.give_back(KEY, (tokens(50),))
        assert store.take(KEY, (tokens(50),), 60).wait_seconds == pytest.approx(20)

    def test_an_excess_is_owed(self, store):
        """What was used beyond the estimate is missing afterwards."""
        store.take(KEY, (tokens(50),), 0)
        store.give_back(KEY, (tokens(-100),))
        assert store.take(KEY, (tokens(10),), 0) == Denial("tokens", pytest.approx(6.0))

    def test_an_excess_is_owed_however_late_it_is_known(self, store, clock):
        """A long call that used more than was estimated is missing when it ends."""
        store.take(KEY, (tokens(50),), 0)
        clock.advance(120)
        store.give_back(KEY, (tokens(-100),))
        assert store.take(KEY, (tokens(10),), 0) == Denial("tokens", pytest.approx(1.0))

    def test_keys_are_apart(self, store):
        """One user's hurry is not another's."""
        for _ in range(5):
            store.take(KEY, (requests(),), 0)
        assert isinstance(store.take("other", (requests(),), 0), Grant)

    def test_threads_share_one_burst(self, store):
        """Threads that ask at the same moment do not get the same room twice."""
        granted, barrier = [], threading.Barrier(32)

        def ask():
            barrier.wait()
            if isinstance(store.take(KEY, (requests(),), 0), Grant):
                granted.append(1)

        threads = [threading.Thread(target=ask) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(granted) == 5

    def test_no_window_holds_more_than_its_rate_and_a_burst(self, store, clock):
        """Over any stretch of time, what passed is bounded by the rate times it plus one burst."""
        pauses, amounts = st.sampled_from([0.0, 0.1, 0.5, 3.0]), st.integers(1, 4)

        @self.law(st.lists(st.tuples(pauses, amounts), max_size=60))
        def bounded(steps):
            clock.advance(1000)
            went = []
            for pause, amount in steps:
                clock.advance(pause)
                answer = store.take(KEY, (requests(amount),), 10)
                if isinstance(answer, Grant):
                    went.append((clock() + answer.wait_seconds, amount))
            assert_bounded(went, 5)

        bounded()

    def test_nor_where_waiting_requests_are_cancelled(self, store, clock):
        """The same, when some give their turns back before they have come."""
        pauses, places = st.sampled_from([0.0, 0.0, 0.5]), st.sampled_from([None, None, 0, 1])

        @self.law(st.lists(st.tuples(pauses, places), max_size=60))
        def bounded(steps):
            clock.advance(1000)
            went, waiting = [], []
            for pause, cancelled in steps:
                clock.advance(pause)
                waiting = [turn for turn in waiting if turn[0] > clock()]
                if cancelled is None:
                    answer = store.take(KEY, (requests(burst=1.0),), 10)
                    if isinstance(answer, Grant):
                        went.append((clock() + answer.wait_seconds, 1, answer.turn))
                        waiting.append(went[-1])
                elif cancelled < len(waiting):
                    turn = waiting.pop(cancelled)
                    went.remove(turn)
                    store.give_back(KEY, (requests(burst=1.0),), turn[2])
            assert_bounded([(at, amount) for at, amount, _ in sorted(went)], 1)

        bounded()

    @pytest.fixture
    def oracle(self, clock, monkeypatch):
        """The moving window of `limits`, which knows each request that went."""
        monkeypatch.setattr("limits.storage.memory.time", SimpleNamespace(time=clock))
        storage = MemoryStorage()
        yield MovingWindowRateLimiter(storage)
        storage.timer.cancel()

    def test_without_a_burst_it_agrees_with_a_moving_window(self, store, clock, oracle):
        """One request in two seconds: the same requests go as by `limits`."""
        one_in_two_seconds = RateLimitItemPerSecond(1, 2)

        @self.law(ARRIVALS)
        def same(pauses):
            clock.advance(1000)
            for pause in pauses:
                clock.advance(pause)
                answer = store.take(KEY, (requests(per_second=0.5, burst=1.0),), 0)
                assert isinstance(answer, Grant) == oracle.hit(one_in_two_seconds)

        same()

    def test_what_it_lets_through_a_moving_window_would(self, store, clock, oracle):
        """No ten seconds hold more than their rate and a burst, as `limits` counts them."""
        rate_and_burst = RateLimitItemPerSecond(10 + 5, 10)

        @self.law(ARRIVALS)
        def within(pauses):
            clock.advance(1000)
            for pause in pauses:
                clock.advance(pause)
                while isinstance(store.take(KEY, (requests(),), 0), Grant):
                    assert oracle.hit(rate_and_burst)

        within()

    def law(self, *strategies):
        """Check a law on one store, which keeps its state from example to example."""

        def check(function):
            checked = given(*strategies)(function)
            return settings(
                max_examples=self.max_examples,
                deadline=None,
                suppress_health_check=[HealthCheck.differing_executors],
            )(checked)

        return check
