"""`doctor`: what is installed, and whether it will do."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from langchain_control.commands import FOUND, OK
from langchain_control.console import Console, Table

if TYPE_CHECKING:
    from packaging.requirements import Requirement

__all__ = ["Check", "declare", "examine", "run"]

DISTRIBUTION = "langchain-control"


class Check(NamedTuple):
    """One thing that was looked at."""

    what: str
    found: str
    is_fine: bool = True
    remark: str = ""


def declare(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument(
        "--audit", type=Path, default=Path("audit.jsonl"), help="where the audit file will be"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the findings. The exit code is 1 if one of them is bad."""
    findings = list(examine(arguments.audit))
    rows = [(f.what, f.found, "" if f.is_fine else "BAD", f.remark) for f in findings]
    console.table(Table(("what", "found", "", "remark"), rows))
    return OK if all(finding.is_fine for finding in findings) else FOUND


def examine(audit_path: Path) -> Iterator[Check]:
    """Look at the interpreter, the packages, the vocabularies and the place for the audit file."""
    yield Check("python", platform.python_version())
    yield from _packages()
    yield from _encodings()
    yield _place_for(audit_path)


def _packages() -> Iterator[Check]:
    """Compare what the package asks for with what is there: its own metadata is the list."""
    from packaging.requirements import Requirement  # noqa: PLC0415  (`--help` is quick)

    try:
        declared = metadata(DISTRIBUTION)
    except PackageNotFoundError:
        yield Check(DISTRIBUTION, "not installed", remark="runs from its source")
        return
    yield Check(DISTRIBUTION, version(DISTRIBUTION))
    extras = declared.get_all("Provides-Extra") or []
    for requirement in map(Requirement, declared.get_all("Requires-Dist") or []):
        if (why := _needed_for(requirement, extras)) is not None:
            yield _package(requirement, why)


def _needed_for(requirement: Requirement, extras: Sequence[str]) -> str | None:
    """Name the extra that needs a package, or none, `""`; `None` where it is not needed here."""
    marker = requirement.marker
    needed_for = (e for e in ("", *extras) if marker is None or marker.evaluate({"extra": e}))
    return next(needed_for, None)


def _package(requirement: Requirement, extra: str) -> Check:
    from packaging.version import InvalidVersion  # noqa: PLC0415  (`--help` is quick)

    name, needed = requirement.name, requirement.specifier
    remark = f"needed: {needed}" + (f", extra `{extra}`" if extra else "")
    try:
        found = version(name)
        is_fine = needed.contains(found, prereleases=True)
    except PackageNotFoundError:
        return Check(name, "not installed", is_fine=bool(extra), remark=remark)
    except InvalidVersion:
        is_fine = False
    return Check(name, found, is_fine, remark)


def _encodings() -> Iterator[Check]:
    from langchain_control.encodings import tokenizer_for  # noqa: PLC0415  (`--help` is quick)
    from langchain_control.encodings.definitions import DEFINITIONS  # noqa: PLC0415

    for name in DEFINITIONS:
        is_exact = tokenizer_for(name).exact
        yield Check(f"encoding {name}", "exact" if is_exact else "estimated", is_exact)


def _place_for(audit_path: Path) -> Check:
    """Look at the file, or at the folder that it, and the folders before it, will be made in."""
    what = f"audit file {audit_path}"
    if os.path.isdir(audit_path):  # noqa: PTH112  (`Path` raises where it may not look)
        return Check(what, "a folder", is_fine=False)
    there = (p for p in (audit_path, *audit_path.absolute().parents) if os.path.exists(p))  # noqa: PTH110
    place = next(there)
    may_be_made = place == audit_path or place.is_dir()
    is_writable = may_be_made and os.access(place, os.W_OK)
    return Check(what, "writable" if is_writable else "not writable", is_writable)
