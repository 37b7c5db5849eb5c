"""Runs of text that are another text in an encoding any model can read."""

from __future__ import annotations

import binascii
import html
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from string import ascii_letters, digits, hexdigits
from typing import NamedTuple
from urllib.parse import unquote

from langchain_control.detectors.folding import fold

__all__ = ["DECODERS", "Decoder", "is_without_codes"]

MIN_LETTERS = 0.7
"""Share of letters and blanks above which a decoded run is taken for a text."""
MIN_CHARS = 6


class Decoder(NamedTuple):
    """Decodes the runs it recognizes and leaves everything else as it stands."""

    runs: Callable[[str], Iterable[re.Match[str]]]
    """Finds what may be a run, from left to right."""
    decode: Callable[[re.Match[str]], str]
    """Returns what a run stands for, or the run as it is."""


def _text_or_run(decoded: str, run: str) -> str:
    """Return the decoded text if it reads like one."""
    plain = fold(decoded)
    letters = sum(map(str.isalpha, plain)) + plain.count(" ")
    readable = len(plain) >= MIN_CHARS and letters >= MIN_LETTERS * len(plain)
    return plain if readable else run


def _from_bytes(raw: bytes, run: str) -> str:
    try:
        return _text_or_run(raw.decode(), run)
    except UnicodeDecodeError:
        return run


_USUAL_BASE64 = str.maketrans("-_", "+/")


def _decode_base64(match: re.Match[str]) -> str:
    run = match[0].rstrip("=")
    if len(run) % 4 == 1:
        run = run[:-1]
    if "-" in run:
        run = run.translate(_USUAL_BASE64)
    try:
        raw = binascii.a2b_base64(run + "=" * (-len(run) % 4))
    except binascii.Error:
        return match[0]
    return _from_bytes(raw, match[0])


def _decode_hex(match: re.Match[str]) -> str:
    nibbles = re.sub(r"0x|\\x|[^0-9a-fA-F]", "", match[0])
    return _from_bytes(bytes.fromhex(nibbles[: len(nibbles) // 2 * 2]), match[0])


def _decode_binary(match: re.Match[str]) -> str:
    bits = re.sub(r"\s", "", match[0])
    raw = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    return _from_bytes(raw, match[0])


def _decode_code_points(match: re.Match[str]) -> str:
    points = re.findall(r"[0-9a-fA-F]{4}", match[0])
    return _text_or_run("".join(chr(int(point, 16)) for point in points), match[0])


def _decode_percent(match: re.Match[str]) -> str:
    return _text_or_run(unquote(match[0], errors="ignore"), match[0])


def _decode_entity(match: re.Match[str]) -> str:
    """Decode a single entity: unlike other runs, it is one whatever it stands for."""
    return _meaning_of(match[1])


@lru_cache(16_384)
def _meaning_of(entity: str) -> str:
    return fold(html.unescape(f"&{entity};"))


_BARE_HEX_RUN = re.compile(
    r"[0-9a-fA-F](?<![0-9A-Za-z].)[0-9a-fA-F][\s:,-]?(?:[0-9a-fA-F]{2}[\s:,-]?){7}", re.ASCII
)
_MARKED_HEX_RUN = re.compile(r"(?:[\\0]x[0-9a-fA-F]{2}[\s,]?){4}", re.ASCII)
_SHORTEST_RUN = b"0" * 16


def _zeros_for(characters: str) -> bytes:
    """Return a table that turns some characters into `0` and all others into blanks.

    A row of zeros is found many times faster than a pattern.
    """
    return bytes(ord("0" if chr(byte) in characters else " ") for byte in range(256))


_ZEROS_FOR_HEX, _BETWEEN_HEX = _zeros_for(hexdigits), b" \t\n\r\f\v:,-"
_ZEROS_FOR_BASE64 = _zeros_for(f"{ascii_letters}{digits}_+/-")
_ZEROS_FOR_BITS, _OCTET = _zeros_for("01"), b"0" * 8


def _holds_hex(text: str) -> bool:
    if ("0x" in text or "\\x" in text) and _MARKED_HEX_RUN.search(text):
        return True
    rows = text.encode("ascii", "replace").translate(_ZEROS_FOR_HEX, _BETWEEN_HEX)
    return _SHORTEST_RUN in rows and _BARE_HEX_RUN.search(text) is not None


_BASE64_RUN = re.compile(r"[\w+/-]{16,}={0,2}", re.ASCII)


def _base64_runs(text: str) -> Iterator[re.Match[str]]:
    rows = text.encode("ascii", "replace").translate(_ZEROS_FOR_BASE64)
    begins = rows.find(_SHORTEST_RUN)
    while begins >= 0 and (run := _BASE64_RUN.match(text, begins)):
        yield run
        begins = rows.find(_SHORTEST_RUN, run.end())


def _holds_bits(text: str) -> bool:
    return "0" in text and _OCTET in text.encode("ascii", "replace").translate(_ZEROS_FOR_BITS)


def is_without_codes(text: str) -> bool:
    """Whether no decoder applies to a text, told at once for most texts."""
    if "&" in text or "%" in text or "\\" in text or "0x" in text:
        return False
    characters = text.encode("ascii", "replace")
    return (
        _SHORTEST_RUN not in characters.translate(_ZEROS_FOR_BASE64)
        and _SHORTEST_RUN not in characters.translate(_ZEROS_FOR_HEX, _BETWEEN_HEX)
        and ("0" not in text or _OCTET not in characters.translate(_ZEROS_FOR_BITS))
    )


def _at_least(times: int, unit: str, *, then: str = "") -> re.Pattern[str]:
    """Compile a repetition that begins with what it repeats: so it is found faster."""
    return re.compile(f"{unit}(?:{unit}){{{times - 1},}}{then}", re.ASCII)


def _where(
    applies: Callable[[str], bool], pattern: re.Pattern[str]
) -> Callable[[str], Iterable[re.Match[str]]]:
    """Return what finds a pattern, after a cheap test that rules out most texts."""
    return lambda text: pattern.finditer(text) if applies(text) else ()


DECODERS: tuple[Decoder, ...] = (
    Decoder(
        _where(
            lambda text: "&" in text,
            re.compile(
                r"&(?:amp;){0,3}(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8}(?=;));?", re.ASCII
            ),
        ),
        _decode_entity,
    ),
    Decoder(
        _where(lambda text: "%" in text, _at_least(3, r"%[0-9a-fA-F]{2}[\w.~-]{0,24}")),
        _decode_percent,
    ),
    Decoder(
        _where(lambda text: "\\u" in text, _at_least(4, r"\\u[0-9a-fA-F]{4}")),
        _decode_code_points,
    ),
    Decoder(
        _where(_holds_bits, _at_least(3, r"[01]{8}\s?", then="[01]{8}")),
        _decode_binary,
    ),
    Decoder(
        _where(
            _holds_hex,
            re.compile(
                r"[\\0-9a-fA-F](?:(?<=[\\0])x[0-9a-fA-F]{2}|(?<=[0-9a-fA-F])[0-9a-fA-F])[\s:,-]?"
                r"(?:(?:\\x|0x)?[0-9a-fA-F]{2}[\s:,-]?){6,}(?:\\x|0x)?[0-9a-fA-F]{2}",
                re.ASCII,
            ),
        ),
        _decode_hex,
    ),
    Decoder(_base64_runs, _decode_base64),
)
"""In the order in which they are applied: a binary run would also pass for hex digits."""
