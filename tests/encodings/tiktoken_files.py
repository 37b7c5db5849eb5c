"""The `.tiktoken` files that vocabularies come from."""

import base64


def as_tiktoken(ranks: dict[bytes, int]) -> bytes:
    """Return the original `.tiktoken` file that these ranks came from, byte for byte."""
    ordered = sorted(ranks.items(), key=lambda pair: pair[1])
    return b"".join(b"%b %d\n" % (base64.b64encode(token), rank) for token, rank in ordered)
