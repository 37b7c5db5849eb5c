"""Exactly the probes, whoever asks; `python -m benchmarks.resilience` does it 1,000 times."""

import pytest

from benchmarks.half_open import (
    PROBES,
    admitted_to_processes,
    admitted_to_tasks,
    admitted_to_threads,
)
from tests.stores.redis_server import new_redis_server


def test_64_threads_get_exactly_the_probes():
    """No two threads share a slot, and no slot stays empty."""
    assert admitted_to_threads(threads=64, rounds=50) == {PROBES: 50}


def test_1000_tasks_get_exactly_the_probes():
    """Nor do tasks."""
    assert admitted_to_tasks(tasks=1000, rounds=10) == {PROBES: 10}


@pytest.mark.slow  # four interpreters start
@pytest.mark.enable_socket  # the server listens on loopback
def test_4_processes_get_exactly_the_probes():
    """Nor do processes that meet the circuit in Redis at the same moment."""
    with new_redis_server() as server:
        assert admitted_to_processes(server.url, processes=4, rounds=100) == {PROBES: 100}
