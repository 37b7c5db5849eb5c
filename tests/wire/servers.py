"""Providers that break below HTTP: servers on loopback that `llmock` has no faults for."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["busy", "hang", "reset", "serving", "slow_headers", "unused_address", "web_page"]

Behaviour = Callable[[socket.socket], None]


class Counted:
    """A server, and how many connections it has had."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.connections = 0


@contextmanager
def serving(behave: Behaviour) -> Iterator[Counted]:
    """Treat every connection the same way, each in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        counted = Counted(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")
        thread = threading.Thread(target=_accept, args=(listener, counted, behave), daemon=True)
        thread.start()
        yield counted
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def unused_address() -> str:
    """Return an address on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


def reset(connection: socket.socket) -> None:
    """Take the request, then reset the connection."""
    connection.recv(65_536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def hang(connection: socket.socket) -> None:
    """Take the request, and never say anything."""
    while connection.recv(65_536):
        pass


def slow_headers(connection: socket.socket) -> None:
    """Begin an answer, and never get through its headers."""
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: appli")
    hang(connection)


def web_page(connection: socket.socket) -> None:
    """Answer as a proxy in between does, with a page for people."""
    _answer(connection, "200 OK", "text/html", "<html><body>Sign in to the network.</body></html>")


def busy(connection: socket.socket) -> None:
    """Have no time now, and do not say when."""
    _answer(connection, "429 Too Many Requests", "application/json", '{"error": {"message": "no"}}')


def _answer(connection: socket.socket, status: str, kind: str, body: str) -> None:
    connection.recv(65_536)
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n"
    connection.sendall(f"{head}connection: close\r\n\r\n{body}".encode())


def _accept(listener: socket.socket, counted: Counted, behave: Behaviour) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            counted.connections += 1
            threading.Thread(target=_treat, args=(connection, behave), daemon=True).start()


def _treat(connection: socket.socket, behave: Behaviour) -> None:
    with connection, suppress(OSError):
        behave(connection)
