"""A connection to Redis or Valkey that keeps no caller waiting for long."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from langchain_control._at_fork import ForkSafeLock
from langchain_control._threads import BoundedThreads
from langchain_control._waiting import MAX_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["RedisLink", "within_a_day"]

WAKE = b""
"""Sent to one's own listener, so that it notices its end at once. Others ignore it."""

ENCODING = {"decode_responses": False, "encoding": "utf-8", "encoding_errors": "surrogatepass"}
"""Any name can be written, and what comes back is bytes, whatever a URL asks for."""

MAX_CONNECTING = 8
"""Connections that are being opened at a time. Name resolution has no time limit of its own."""

logger = logging.getLogger(__name__)


def within_a_day(**settings: float) -> None:
    """Refuse times that sockets or clocks cannot take.

    Raises:
        ValueError: One is negative, more than a day, or no number.
    """
    for name, seconds in settings.items():
        if not 0 <= seconds <= MAX_SECONDS:
            msg = f"`{name}` must be between 0 and a day ({MAX_SECONDS:g}), got {seconds}"
            raise ValueError(msg)


class RedisLink:
    """Run one script, and hear what others have run.

    A server that does not answer within `timeout_seconds` is not asked again for `away_seconds`:
    a caller loses that time at most once per such period, not once per call. redis-py's own
    retries are off, as they would make it seconds. Names are resolved and connections opened in
    threads, which are left behind where that takes longer.
    """

    def __init__(  # noqa: PLR0913  (settings, by keyword)
        self,
        url: str,
        script: str,
        *,
        timeout_seconds: float,
        away_seconds: float,
        channel: str = "",
        on_push: Callable[[bytes], None] | None = None,
    ) -> None:
        """Connect when first asked.

        Args:
            url: Of the server.
            script: In Lua.
            timeout_seconds: How long an answer may take.
            away_seconds: How long a server that did not answer is left alone.
            channel: Where the script publishes, if it does.
            on_push: Called in a thread of its own with each message. `None` does not listen.

        Raises:
            ImportError: The extra is not installed.
            ValueError: `url` is none of a server, or a time is out of its range.
        """
        try:
            import redis  # noqa: F401, PLC0415  (an extra)
        except ModuleNotFoundError as exc:
            msg = 'Redis needs the extra: `pip install "langchain-control[redis]"`'
            raise ImportError(msg) from exc
        within_a_day(timeout_seconds=timeout_seconds, away_seconds=away_seconds)
        if not timeout_seconds:
            msg = "`timeout_seconds` must be more than 0"
            raise ValueError(msg)
        self._url, self._source, self._channel = url, script, channel
        self._timeout_seconds, self._away_seconds = timeout_seconds, away_seconds
        self._on_push = on_push
        self._lock = ForkSafeLock()
        self._connecting = BoundedThreads(MAX_CONNECTING)
        self._process: int | None = None
        self._listener: threading.Thread | None = None
        self._client: Any = None
        self._script: Any = None
        self._away_until = 0.0
        self._closed = threading.Event()
        self._refuse_unusable_url()

    @property
    def is_away(self) -> bool:
        """Whether the server did not answer lately."""
        return time.monotonic() < self._away_until

    @property
    def address(self) -> str:
        """The server's address without credentials, which may stand in front or in the query."""
        parts = urlsplit(self._url)
        return parts.netloc.rpartition("@")[2] + parts.path

    def ask(self, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """Run the script, or return `None` if the server is away."""
        if self.is_away:
            return None
        from redis.exceptions import RedisError  # noqa: PLC0415  (an extra, loaded on first use)

        try:
            answer = self._connected()(keys=keys, args=arguments)
        except (RedisError, OSError) as error:
            self._lost(error)
            return None
        if self._away_until:
            self._away_until = 0.0
            logger.info("Redis at %s answers again", self.address)
        return answer

    def close(self) -> None:
        """Stop listening and close the connections. Asking again opens them again."""
        from redis.exceptions import RedisError  # noqa: PLC0415  (an extra, loaded on first use)

        self._closed.set()
        if self._listener is not None and self._process == os.getpid():
            with suppress(RedisError, OSError):
                self._client.publish(self._channel, WAKE)
            self._listener.join(2 * _Listener.PAUSE_SECONDS)
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._process = self._client = self._script = self._listener = None

    def _lost(self, error: Exception) -> None:
        if not self._away_until:
            logger.warning(
                "Redis at %s does not answer (%s); each process goes on by itself",
                self.address,
                type(error).__name__,
            )
        self._away_until = time.monotonic() + self._away_seconds

    def _connected(self) -> Any:
        """Return the script on a client of this process: connections do not survive a fork."""
        if self._process == os.getpid():
            return self._script
        with self._lock:
            if self._process != os.getpid():
                self._client = self._new_client()
                self._open_in_time(self._client.connection_pool)
                self._script = self._client.register_script(self._source)
                self._closed = threading.Event()
                if self._on_push is not None:
                    self._listen(self._on_push)
                self._process = os.getpid()
            return self._script

    def _refuse_unusable_url(self) -> None:
        try:
            self._new_client().connection_pool.make_connection()  # it is not opened
            url = urlsplit(self._url)
            if url.scheme != "unix":
                int(url.path.replace("/", "") or 0)  # redis-py takes any other path for 0
        except (AttributeError, TypeError, ValueError):
            msg = (
                "`url` must be like `redis://host:6379/0`, with `redis`, `rediss` or `unix` as its "
                "scheme and the options that redis-py knows"
            )
            raise ValueError(msg) from None  # what was wrong may be a part of a password

    def _new_client(self) -> Any:
        from redis import Redis  # noqa: PLC0415  (an extra, loaded on first use)
        from redis.backoff import NoBackoff  # noqa: PLC0415
        from redis.retry import Retry  # noqa: PLC0415

        client = Redis.from_url(
            self._url,
            socket_timeout=self._timeout_seconds,
            socket_connect_timeout=self._timeout_seconds,
            retry=Retry(NoBackoff(), 0),
        )
        client.connection_pool.connection_kwargs |= ENCODING  # options of a URL go before arguments
        return client

    def _open_in_time(self, pool: Any) -> None:
        seconds, threads = self._timeout_seconds, self._connecting
        by_scheme: Any = pool.connection_class

        class Connection(by_scheme):  # type: ignore[misc]  # of TCP, TLS or a Unix socket
            def _connect(self) -> Any:
                opening = _Opening(super()._connect)
                try:
                    return _InTime(threads.take(seconds).run(opening.open, seconds), seconds)
                finally:
                    opening.is_over = True

        pool.connection_class = Connection

    def _listen(self, on_push: Callable[[bytes], None]) -> None:
        listener = _Listener(
            self._new_client(), self._channel, weakref.WeakMethod(on_push), self._closed
        )
        self._listener = threading.Thread(
            target=listener.run, name="langchain-control-redis", daemon=True
        )
        self._listener.start()


class _Opening:
    """Opens a socket, and closes it again if it comes too late."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self.is_over = False

    def open(self) -> Any:
        """Return the socket."""
        sock = self._connect()
        if self.is_over:
            sock.close()
        return sock


class _InTime:
    """A socket on which an answer that has begun must end in time.

    The time limit of a socket is that of each piece, so that one in many pieces has none.
    """

    def __init__(self, sock: Any, seconds: float) -> None:
        self._sock, self._seconds = sock, seconds
        self._ends, self._has_begun = 0.0, False

    def __getattr__(self, name: str) -> Any:
        """Be the socket in all else."""
        return getattr(self._sock, name)

    def sendall(self, data: Any) -> None:
        """Ask."""
        self._ends, self._has_begun = time.monotonic() + self._seconds, False
        self._sock.sendall(data)

    def recv(self, *arguments: Any) -> Any:
        """Return the next piece of the answer."""
        return self._next(self._sock.recv, arguments)

    def recv_into(self, *arguments: Any) -> Any:
        """Write the next piece of the answer into a buffer."""
        return self._next(self._sock.recv_into, arguments)

    def _next(self, receive: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        may_wait = self._sock.gettimeout() != 0  # else it only looks for what nobody asked for
        if may_wait and self._has_begun and time.monotonic() > self._ends:
            raise TimeoutError
        piece = receive(*arguments)
        self._has_begun = self._has_begun or may_wait
        return piece


class _Listener:
    """Hears pushes until its store is gone or closed."""

    PAUSE_SECONDS = 0.5

    def __init__(
        self,
        client: Any,
        channel: str,
        on_push: weakref.WeakMethod[Callable[[bytes], None]],
        closed: threading.Event,
    ) -> None:
        self._client, self._channel = client, channel
        self._on_push, self._closed = on_push, closed

    def run(self) -> None:
        """Subscribe, and again after each loss of the connection."""
        from redis.exceptions import RedisError  # noqa: PLC0415  (an extra, loaded on first use)

        while not self._is_over():
            try:
                with self._client.pubsub(ignore_subscribe_messages=True) as pushes:
                    pushes.subscribe(self._channel)
                    while not self._is_over():
                        self._hear(pushes.get_message(timeout=self.PAUSE_SECONDS))
            except (RedisError, OSError):  # polling covers for pushes meanwhile
                self._closed.wait(self.PAUSE_SECONDS)
        self._client.close()

    def _hear(self, message: Any) -> None:
        on_push = self._on_push()
        if message is not None and message["data"] != WAKE and on_push is not None:
            on_push(message["data"])

    def _is_over(self) -> bool:
        return self._closed.is_set() or self._on_push() is None
