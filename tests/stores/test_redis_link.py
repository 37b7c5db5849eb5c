"""The connection to Redis, before there is one."""

import socket
import sys
import threading
from contextlib import suppress

import pytest

from langchain_control.circuits import CircuitState, Permit
from langchain_control.stores import RedisCircuitStore, RedisRateStore
from langchain_control.stores.rates import Demand, Grant
from langchain_control.stores.redis_link import MAX_CONNECTING
from tests.stores.circuit_store_contract import RULES, fail, state
from tests.stores.redis_server import PREFIXES, subscribers, wait_until


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
        "redis://h:6379/hunter2",
        None,
    ],
)
def test_a_mistyped_url_is_refused_at_once(store, url):
    """Each request raised it, past the fallback; and it may hold a password."""
    with pytest.raises(ValueError, match="`url` must be like") as refused:
        store(url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["redis://:p@h:1/3?health_check_interval=5", "redis://h/", "unix:///tmp/r.sock"]
)
def test_what_redis_py_reads_is_taken(store, url):
    """Without a connection."""
    assert not store(url).is_away


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), 1e12])
@pytest.mark.parametrize("setting", ["timeout_seconds", "away_seconds", "poll_seconds"])
def test_times_without_bound_are_refused_at_once(store, setting, value):
    """Each request raised an `OverflowError` or the like, past the fallback."""
    if store is RedisRateStore and setting == "poll_seconds":
        return
    if value == 0 and setting != "timeout_seconds":
        assert store(**{setting: value})
        return
    with pytest.raises(ValueError, match=rf"`{setting}` must be"):
        store(**{setting: value})


@pytest.mark.enable_socket
@pytest.mark.parametrize("options", ["decode_responses=True", "encoding=latin-1"])
def test_options_about_text_do_not_matter(server, make, options):
    """A URL that serves others with text failed each request here."""
    prefix = next(PREFIXES)
    fail(make(f"{server.url}?{options}", prefix=prefix), times=3)

    assert state(make(server.url, prefix=prefix)) == "open"


@pytest.mark.enable_socket
def test_any_key_is_taken(server, make):
    """A user's name with half an emoji raised past the fallback, and did not with other stores."""
    prefix, key, demands = next(PREFIXES), "ann\ud83d", (Demand("requests", 1, 1, 1),)
    circuits, others = (make(server.url, prefix=prefix) for _ in range(2))
    rates = RedisRateStore(server.url, prefix=prefix, timeout_seconds=10.0)

    assert isinstance(circuits.acquire(key, RULES), Permit)
    assert isinstance(rates.take(key, demands, 0), Grant)
    others.acquire(key, RULES)
    wait_until(lambda: subscribers(server, prefix) == 2)
    circuits.hold(key, CircuitState.OPEN)
    wait_until(lambda: others._held.get().by_key[key].circuit.state is CircuitState.OPEN)
    assert not circuits.is_away
    rates.close()


@pytest.mark.enable_socket
def test_a_name_that_is_not_resolved_holds_nobody(store, monkeypatch):
    """Resolvers take seconds in an outage, under no time limit of a socket."""
    lets_go = threading.Event()

    def hangs(host, *_arguments, **_options):
        lets_go.wait(30)
        raise socket.gaierror(socket.EAI_AGAIN, host)

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    link = store("redis://redis.internal:6379/0", timeout_seconds=0.02)._link

    assert link.ask([], []) is None
    assert not lets_go.is_set()
    assert link.is_away
    lets_go.set()


def test_threads_that_resolve_a_name_are_bounded(monkeypatch):
    """Each further try left one behind for as long as the resolver hangs."""
    lets_go, under_way = threading.Event(), []

    def hangs(*_arguments, **_options):
        under_way.append(1)
        lets_go.wait(30)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    link = RedisRateStore("redis://r/0", timeout_seconds=0.001, away_seconds=0)._link
    for _ in range(3 * MAX_CONNECTING):
        assert link.ask([], []) is None
    assert len(under_way) <= 2 * MAX_CONNECTING
    lets_go.set()


@pytest.mark.enable_socket
def test_an_answer_in_endless_pieces_holds_nobody():
    """The time limit of a socket is that of each piece."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        over = threading.Event()

        def drip():
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"$1000000\r\n")
                while not over.wait(0.01):
                    connection.sendall(b"x")

        def serve():
            with suppress(OSError):
                drip()

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        port = listening.getsockname()[1]
        link = RedisRateStore(f"redis://127.0.0.1:{port}/0", timeout_seconds=0.2)._link

        assert link.ask([], []) is None
        assert link.is_away
        serving.join(30)
        assert not over.is_set()
        assert not serving.is_alive()


@pytest.mark.enable_socket
def test_a_connection_that_comes_too_late_is_closed(monkeypatch):
    """Nobody would use it."""
    lets_go, resolve = threading.Event(), socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *arguments: lets_go.wait(30) and resolve(*arguments)
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        link = RedisRateStore(f"redis://127.0.0.1:{port}/0", timeout_seconds=0.02)._link
        assert link.ask([], []) is None
        lets_go.set()
        listening.settimeout(30)
        connection, _ = listening.accept()
        with connection:
            connection.settimeout(30)
            assert connection.recv(1) == b""
