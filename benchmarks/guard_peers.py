"""Other offline detectors, each at its own default decision, if it is installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

__all__ = ["installed_peers"]

Judge = Callable[[str], bool]


def _turbocloak() -> Judge:
    import turbocloak  # noqa: PLC0415  (only if installed)

    return lambda text: bool(turbocloak.is_jailbreak(text))


def _safepaste() -> Judge:
    from safepaste import scan_prompt  # noqa: PLC0415  (only if installed)

    return lambda text: bool(scan_prompt(text).flagged)


def _zn_gate() -> Judge:
    from zn_gate import evaluate  # noqa: PLC0415  (only if installed)

    return lambda text: evaluate(text).verdict == "block"


_PEERS: dict[str, Callable[[], Judge]] = {
    "turbocloak": _turbocloak,
    "safepaste": _safepaste,
    "zn_gate": _zn_gate,
}


def installed_peers() -> dict[str, Judge]:
    """Return the peers that can be imported."""
    return {name: load() for name, load in _PEERS.items() if find_spec(name)}
