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
