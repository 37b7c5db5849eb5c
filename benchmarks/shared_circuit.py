"""Four processes, one Redis, one dead backend: what reaches it, and what asking costs.

`python -m benchmarks.shared_circuit` starts a `redis-server` of its own on a loopback port, or uses
the one named by `--url`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import timeit
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

from redis import ConnectionError as RedisConnectionError
from redis import Redis

from langchain_control.circuits import Outcome, Permit
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.stores import RedisCircuitStore

PROCESSES, WORKERS = 4, 8
RUN_SECONDS, OPEN_SECONDS, CALL_SECONDS = 9.0, 2.0, 0.02
IDEAL = PROCESSES * WORKERS + int(RUN_SECONDS // OPEN_SECONDS)
"""All calls under way when the backend is found dead, and one probe per open time."""


def main() -> None:
    """Print the costs of the shared circuit and what it saves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default=None, help="of a Redis or Valkey server")
    url = parser.parse_args().url
    with _server() if url is None else _given(url) as address:
        cost, trips = closed_cost(address)
        print(f"closed path: {cost:.2f} µs and {trips:.4f} round trips per call")
        print(f"trip seen by another store: {max(trip_delays(address)) * 1e3:.1f} ms (max of 20)")
        calls = dead_backend(address)
        print(
            f"calls into a dead backend, {PROCESSES} x {WORKERS} workers: {calls} (ideal {IDEAL})"
        )
    print(f"server away: {away_cost():.2f} µs per call")


def closed_cost(url: str, calls: int = 50_000) -> tuple[float, float]:
    """Measure microseconds and round trips of a success on a closed circuit."""
    breaker = _breaker(url, "closed")
    _succeed(breaker)
    client = Redis.from_url(url)
    before = _scripts_run(client)
    seconds = timeit.timeit(lambda: _succeed(breaker), number=calls)
    return seconds / calls * 1e6, (_scripts_run(client) - before) / calls


def trip_delays(url: str, trips: int = 20) -> list[float]:
    """Measure seconds until another store refuses."""
    here, there = _breaker(url, "trips"), _breaker(url, "trips")
    delays = []
    for number in range(trips):
        key = f"{number}"
        for breaker in (here, there):
            _succeed(breaker, key)
        time.sleep(0.02)
        started = time.perf_counter()
        for _ in range(here.failure_threshold):
            permit = here.try_acquire(key)
            assert isinstance(permit, Permit)  # noqa: S101  (narrows the type)
            here.record(permit, Outcome.FAILURE)
        while isinstance(there.try_acquire(key), Permit):
            time.sleep(0)
        delays.append(time.perf_counter() - started)
    return delays


def dead_backend(url: str) -> int:
    """Count the calls that processes full of workers make to a backend that always fails."""
    context = multiprocessing.get_context("spawn")
    counts, together = context.Queue(), context.Barrier(PROCESSES)
    processes = [
        context.Process(target=_process, args=(url, counts, together)) for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    total = sum(counts.get() for _ in processes)
    for process in processes:
        process.join()
    return total


def away_cost(calls: int = 20_000) -> float:
    """Measure microseconds of a success on a closed circuit while no server answers."""
    breaker = _breaker("redis://127.0.0.1:1/0", "away")
    _succeed(breaker)
    return timeit.timeit(lambda: _succeed(breaker), number=calls) / calls * 1e6


def _process(url: str, counts: Queue[int], together: Barrier) -> None:
    breaker = _breaker(url, "dead")
    _succeed(breaker)
    made = [0] * WORKERS
    together.wait()

    def work(worker: int) -> None:
        ends = time.monotonic() + RUN_SECONDS
        while time.monotonic() < ends:
            permit = breaker.try_acquire()
            if isinstance(permit, Permit):
                made[worker] += 1
                time.sleep(CALL_SECONDS)
                breaker.record(permit, Outcome.FAILURE)
            else:
                time.sleep(CALL_SECONDS)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts.put(sum(made))


def _breaker(url: str, name: str) -> CircuitBreaker:
    store = RedisCircuitStore(url, prefix="benchmark:")
    return CircuitBreaker(name=name, recovery_seconds=OPEN_SECONDS, store=store)


def _succeed(breaker: CircuitBreaker, key: str | None = None) -> None:
    permit = breaker.try_acquire(key)
    if isinstance(permit, Permit):
        breaker.record(permit, Outcome.SUCCESS)


def _scripts_run(client: Redis) -> int:
    calls: int = client.info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0)
    return calls


@contextmanager
def _given(url: str) -> Iterator[str]:
    yield url


@contextmanager
def _server() -> Iterator[str]:
    """Run a server for as long as it is needed."""
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if binary is None:
        msg = "no redis-server on the PATH; name a server with --url"
        raise SystemExit(msg)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        settings = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        server = subprocess.Popen([binary, *settings], stdout=subprocess.DEVNULL)  # noqa: S603
        try:
            url = f"redis://127.0.0.1:{port}/0"
            _wait_for(url)
            yield url
        finally:
            server.terminate()
            server.wait()


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            Redis.from_url(url).ping()
        except RedisConnectionError:
            time.sleep(0.02)
        else:
            return


if __name__ == "__main__":
    main()
