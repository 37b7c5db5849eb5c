"""The connection to Redis, before there is one."""

import sys

import pytest

from langchain_control.stores import RedisCircuitStore, RedisRateStore


@pytest.mark.parametrize("store", [RedisCircuitStore, RedisRateStore])
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
