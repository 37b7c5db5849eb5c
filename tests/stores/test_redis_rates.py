"""Rate limits in a real Redis, shared by workers."""

import itertools
import pickle

import pytest

from langchain_control.components.limiter import RateLimiter
from langchain_control.stores import RateStore, RedisRateStore
from langchain_control.stores.rates import Denial, Grant
from langchain_control.testing import ManualClock
from tests.stores.rate_store_contract import KEY, RateStoreContract, requests, tokens
from tests.stores.redis_server import PREFIXES, asked_of, client, commands

pytestmark = pytest.mark.enable_socket  # the server listens on loopback

NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture
def make():
    """Make stores that are closed when the test is over."""
    made = []

    def make(url, **settings):
        made.append(RedisRateStore(url, **{"timeout_seconds": 10.0, **settings}))
        return made[-1]

    yield make
    for store in made:
        store.close()


class TestRedisRateStore(RateStoreContract):
    """The contract, in Redis."""

    max_examples = 20

    @pytest.fixture
    def store(self, clock, server, make):
        return make(server.url, prefix=next(PREFIXES), clock=clock)


def test_is_a_rate_store():
    """It follows the protocol, and connects to nothing before it is used."""
    assert isinstance(RedisRateStore(), RateStore)


def test_repr_and_pickle_keep_the_address_not_the_password():
    """What is printed names the server only; what is pickled finds it again."""
    store = RedisRateStore("redis://user:secret@example:6379/0", prefix="p:")
    assert repr(store) == "RedisRateStore('example:6379/0', prefix='p:')"
    assert repr(pickle.loads(pickle.dumps(store))) == repr(store)


def test_workers_share_a_limit(server, make):
    """Two workers get one burst between them, on the server's clock."""
    prefix = next(PREFIXES)
    workers = itertools.cycle([make(server.url, prefix=prefix) for _ in range(2)])
    answers = [next(workers).take(KEY, (requests(per_second=0.01),), 0) for _ in range(8)]
    assert [isinstance(answer, Grant) for answer in answers] == [True] * 5 + [False] * 3


def test_one_round_trip_per_operation(server, make):
    """Two limits are taken in one step."""
    store = make(server.url, prefix=next(PREFIXES))
    store.take(KEY, (requests(), tokens(1)), 0)
    before = commands(server)
    store.take(KEY, (requests(), tokens(1)), 0)
    assert commands(server) - before == 1


def test_idle_limits_expire(server, make):
    """A key that has its whole burst again needs no memory."""
    prefix = next(PREFIXES)
    make(server.url, prefix=prefix).take(KEY, (requests(per_second=0.1),), 0)
    assert 0 < client(server).ttl(f"{prefix}{KEY}") <= 12


@pytest.mark.parametrize("amount", [10**14, 10**18, 10**25])
def test_a_key_expires_however_much_was_taken(server, make, amount):
    """Redis refuses times beyond its own, and would keep the key for good."""
    prefix = next(PREFIXES)
    store = make(server.url, prefix=prefix)

    store.give_back(KEY, (tokens(-amount),))

    assert not store.is_away
    assert client(server).ttl(f"{prefix}{KEY}") > 0
    assert isinstance(store.take(KEY, (tokens(1),), 0), Denial)


def test_limits_locally_without_a_server(make):
    """Without Redis a worker keeps the limit by itself, and does not fail requests."""
    store = make(NOBODY)
    answers = [store.take(KEY, (requests(per_second=0.01),), 0) for _ in range(6)]
    assert store.is_away
    assert isinstance(answers[4], Grant)
    assert isinstance(answers[5], Denial)
    store.give_back(KEY, (requests(per_second=0.01),))
    assert isinstance(store.take(KEY, (requests(per_second=0.01),), 0), Grant)


def test_a_clock_set_back_holds_nobody_up(server, make):
    """When the server's clock loses an hour, what was taken comes back in its own time."""
    clock = ManualClock(10_000.0)
    store = make(server.url, prefix=next(PREFIXES), clock=clock)
    both = (requests(5), tokens(100))
    assert isinstance(store.take(KEY, both, 0), Grant)
    clock.advance(-3600)
    store.give_back(KEY, (tokens(10),))
    assert store.take(KEY, both, 0) == Denial("tokens", pytest.approx(9.0))
    assert store.take(KEY, (requests(),), 0) == Denial("requests", pytest.approx(1.0))
    clock.advance(5)
    assert isinstance(store.take(KEY, (requests(5),), 0), Grant)


def test_a_clock_set_forward_gives_a_burst(server, make):
    """When the server's clock gains an hour, limits are as after a quiet hour."""
    clock = ManualClock(10_000.0)
    store = make(server.url, prefix=next(PREFIXES), clock=clock)
    store.take(KEY, (requests(5),), 0)
    clock.advance(3600)
    assert isinstance(store.take(KEY, (requests(5),), 0), Grant)
    assert isinstance(store.take(KEY, (requests(),), 0), Denial)


def test_lost_data_begin_anew(server, make):
    """After FLUSHALL a key has its whole burst, and no more."""
    store = make(server.url, prefix=next(PREFIXES), clock=ManualClock(1000.0))
    store.take(KEY, (requests(5),), 0)
    client(server).flushall()
    store.give_back(KEY, (requests(5),))
    answers = [store.take(KEY, (requests(),), 0) for _ in range(6)]
    assert [isinstance(answer, Grant) for answer in answers] == [True] * 5 + [False]


@pytest.mark.parametrize("how", ["stall", "kill"])
def test_a_server_that_does_not_answer_is_asked_once(make, own_server, monkeypatch, how):
    """Requests go on by the limit of this process; only the first of them waits."""
    slow = (requests(per_second=0.001),)
    store = make(own_server.url, timeout_seconds=0.5, away_seconds=600)
    store.take(KEY, slow, 0)
    getattr(own_server, how)()
    asked = asked_of(store, monkeypatch)
    answers = [store.take(KEY, slow, 0) for _ in range(20)]
    assert [isinstance(answer, Grant) for answer in answers] == [True] * 5 + [False] * 15
    assert len(asked) == 1


def test_serves_a_limiter(server, make, call):
    """A limiter works with it as with the memory store."""
    limiter = RateLimiter(requests_per_minute=2, store=make(server.url, prefix=next(PREFIXES)))
    assert [call(limiter, n) for n in range(2)] == [0, 1]
    assert not limiter.inspect("hi").passed
