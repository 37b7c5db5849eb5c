"""Rate limits in a real Redis, shared by workers."""

import itertools
import pickle

import pytest
import redis

from langchain_control.components.limiter import RateLimiter
from langchain_control.stores import RateStore, RedisRateStore
from langchain_control.stores.rates import Denial, Grant
from tests.stores.rate_store_contract import KEY, RateStoreContract, requests, tokens
from tests.stores.redis_server import RedisServer

pytestmark = pytest.mark.enable_socket  # the server listens on loopback

PREFIXES = (f"rate-test-{number}:" for number in itertools.count())


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.kill()


@pytest.fixture
def make():
    """Make stores that are closed when the test is over."""
    made = []

    def make(url, **settings):
        made.append(RedisRateStore(url, **{"timeout_seconds": 2.0, **settings}))
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
    client = redis.Redis.from_url(server.url)
    before = client.info("commandstats")["cmdstat_evalsha"]["calls"]
    store.take(KEY, (requests(), tokens(1)), 0)
    assert client.info("commandstats")["cmdstat_evalsha"]["calls"] == before + 1


def test_idle_limits_expire(server, make):
    """A key that has its whole burst again needs no memory."""
    prefix = next(PREFIXES)
    make(server.url, prefix=prefix).take(KEY, (requests(per_second=0.1),), 0)
    assert 10 <= redis.Redis.from_url(server.url).ttl(f"{prefix}{KEY}") <= 12


def test_limits_locally_without_a_server(make, tmp_path):
    """Without Redis a worker keeps the limit by itself, and does not fail requests."""
    server = RedisServer(tmp_path)
    store = make(server.url)
    answers = [store.take(KEY, (requests(per_second=0.01),), 0) for _ in range(6)]
    assert store.is_away
    assert isinstance(answers[4], Grant)
    assert isinstance(answers[5], Denial)
    store.give_back(KEY, (requests(per_second=0.01),))
    assert isinstance(store.take(KEY, (requests(per_second=0.01),), 0), Grant)


def test_serves_a_limiter(server, make, call):
    """A limiter works with it as with the memory store."""
    limiter = RateLimiter(requests_per_minute=2, store=make(server.url, prefix=next(PREFIXES)))
    assert [call(limiter, n) for n in range(2)] == [0, 1]
    assert not limiter.inspect("hi").passed
