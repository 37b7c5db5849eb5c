"""Search for texts that break a law: `python -m tests.fuzz`.

Texts of the tests are mutated by how far into the code they lead, for a time that is bounded. What
breaks a law, raises, or takes too long is kept in a file; `python -m tests.fuzz guard FILE` repeats
it. Searching needs atheris (Linux on x86-64), repeating does not.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from hashlib import sha1
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.seeds import TESTS, seeds

FOUND = Path("out/fuzz")
MAX_CHARS = 4096
"""Longest text, in bytes."""
MAX_SECONDS = 10
"""Longest time for one text, which the search itself slows down."""
INSTRUMENTED = ["langchain_control.detectors", "langchain_control.parsing"]


def text_of(data: bytes) -> str:
    """Read any bytes as a text. What is not UTF-8 becomes lone surrogates."""
    return data.decode(errors="surrogateescape")


def search(part: str, seconds: int) -> None:
    """Mutate texts until the time is over or a law is broken, and end the process."""
    try:
        import atheris  # noqa: PLC0415  (not for every platform)
    except ImportError:
        sys.exit("searching needs atheris, of which there are wheels for Linux on x86-64")

    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz.laws import LAWS  # noqa: PLC0415  (instrumented)

    FOUND.mkdir(parents=True, exist_ok=True)

    def judge(data: bytes) -> None:
        try:
            LAWS[part](text_of(data))
        except BaseException:
            keep(part, data)
            raise

    with TemporaryDirectory() as corpus:
        for number, text in enumerate(seeds(part)):
            Path(corpus, str(number)).write_bytes(text.encode(errors="surrogatepass"))
        options = [
            f"-max_total_time={seconds}",
            f"-max_len={MAX_CHARS}",
            f"-timeout={MAX_SECONDS}",
            f"-artifact_prefix={FOUND}/{part}-",
            "-verbosity=0",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], *options, corpus], judge)
        atheris.Fuzz()


def keep(part: str, data: bytes) -> None:
    """Save what broke a law, under the name the search engine gives it if it lives long enough."""
    name = f"{part}-crash-{sha1(data, usedforsecurity=False).hexdigest()}"
    (FOUND / name).write_bytes(data)


def repeat(part: str, files: list[Path]) -> None:
    """Judge texts that were found before."""
    from tests.fuzz.laws import LAWS  # noqa: PLC0415  (must not be loaded before a search)

    for file in files:
        LAWS[part](text_of(file.read_bytes()))


def main() -> int:
    """Search in one part or, one after the other, in all."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("part", nargs="?", choices=list(TESTS), help="default: all")
    parser.add_argument("files", nargs="*", type=Path, help="judge these and do not search")
    parser.add_argument("--seconds", type=int, default=60, help="for all parts together")
    given = parser.parse_args()
    if given.files:
        repeat(given.part, given.files)
    elif given.part:
        search(given.part, given.seconds)
    else:
        share = str(given.seconds // len(TESTS))
        command = [sys.executable, "-m", "tests.fuzz"]
        done = [subprocess.run([*command, part, "--seconds", share], check=False) for part in TESTS]
        return int(any(process.returncode for process in done))
    return 0


if __name__ == "__main__":
    sys.exit(main())
