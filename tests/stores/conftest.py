"""A Redis server for the tests of a module, and one that a test may hurt."""

import pytest

from langchain_control.stores import RedisCircuitStore
from tests.stores.redis_server import new_redis_server


@pytest.fixture(scope="module")
def server():
    """A server that the tests of a module share."""
    with new_redis_server() as server:
        yield server


@pytest.fixture
def own_server():
    """A server that a test may hurt."""
    with new_redis_server() as server:
        yield server


@pytest.fixture
def make():
    """Make circuit stores that are closed when the test is over, and patient with the machine."""
    made = []

    def make(url, **settings):
        made.append(RedisCircuitStore(url, **{"timeout_seconds": 10.0, **settings}))
        return made[-1]

    yield make
    for store in made:
        store.close()
