"""Build the vocabulary files of this package: `python -m langchain_control.encodings.build DIR`.

`DIR` holds the originals, `<encoding>.tiktoken` or `<encoding>.tiktoken.gz`. Their checksums are
those `tiktoken` itself checks, so where they came from does not matter.
"""

from __future__ import annotations

import argparse
import gzip
from pathlib import Path

from langchain_control.encodings.definitions import DEFINITIONS, Definition
from langchain_control.encodings.vocabulary import from_tiktoken, pack

__all__ = ["build", "main"]


def build(source: Path, target: Path) -> list[Path]:
    """Write the compact vocabulary of every encoding.

    Args:
        source: Folder with the original files.
        target: Folder to write `<encoding>.bin` to.

    Raises:
        FileNotFoundError: An original is not in `source`.
        ValueError: An original has the wrong checksum.
    """
    definitions = {definition.name: definition for definition in DEFINITIONS.values()}.values()
    packed = {d.name: pack(from_tiktoken(_original(source, d), d.sha256)) for d in definitions}
    written = []
    for name, content in packed.items():
        path = target / f"{name}.bin"
        path.write_bytes(content)
        written.append(path)
    return written


def _original(source: Path, definition: Definition) -> bytes:
    plain = source / f"{definition.name}.tiktoken"
    if plain.exists():
        return plain.read_bytes()
    return gzip.decompress(plain.with_suffix(".tiktoken.gz").read_bytes())


def main(arguments: list[str] | None = None) -> None:
    """Build into the installed package and say what was written."""
    parser = argparse.ArgumentParser(prog="python -m langchain_control.encodings.build")
    parser.add_argument("directory", type=Path, help="folder with the original .tiktoken files")
    source = parser.parse_args(arguments).directory
    for path in build(source, Path(__file__).parent):
        print(f"{path.name}: {path.stat().st_size:,} bytes")  # noqa: T201  (its only output)


if __name__ == "__main__":
    main()
