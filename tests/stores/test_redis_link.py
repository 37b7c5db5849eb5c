"""The connection to Redis, before there is one."""

import sys

import pytest

from langchain_control.stores import RedisCircuitStore, RedisRateStore


@pytest.fixture(params=[RedisCircuitStore, RedisRateStore])
def store(request):
    """Give each kind of store."""
    return request.param


def test_without_the_extra_the_error_names_it(store, monkeypatch):
    """It came with the first request, and named a module in place of the extra."""
    monkeypatch.setitem(sys.modules, "redis", None)

    with pytest.raises(ImportError, match=r"langchain-control\[redis\]"):
        store()


@pytest.mark.parametrize("store", [RedisCircuitStore, RedisRateStore])
@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://ann:secret@example:6379/0", "example:6379/0"),
        ("rediss://example:6379/0?password=secret", "example:6379/0"),
        ("redis://example/0?username=ann&password=sec@ret", "example/0"),
        ("unix:///tmp/redis.sock?db=1&password=secret", "/tmp/redis.sock"),
        ("redis://[::1]:6379", "[::1]:6379"),
    ],
)
def test_credentials_are_no_part_of_the_address(store, url, address):
    """Reprs and warnings showed a password that redis-py takes from the query."""
    assert repr(store(url)).startswith(f"{store.__name__}('{address}', prefix=")


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379",
        "redis.internal",
        "redis://h:hunter2/0",
        "redis://:hunter2/x@h",
        "redis://h/0?socket_timeout=hunter2",
        "redis://h/0?hunter2=1",
    ],
)
def test_a_mistyped_url_is_refused_at_once(store, url):
    """Each request raised it, past the fallback; and it may hold a password."""
    with pytest.raises(ValueError, match="`url` must be like") as refused:
        store(url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("url", ["redis://:p@h:1/3?health_check_interval=5", "unix:///tmp/r.sock"])
def test_what_redis_py_reads_is_taken(store, url):
    """Without a connection."""
    assert not store(url).is_away
