"""Texts cut short where they are only told of."""

import pytest

from langchain_control._shortening import shortened


@pytest.mark.parametrize(
    ("text", "told"), [("", ""), ("plum", "plum"), ("plums", "plu…"), ("plum tree", "plu…")]
)
def test_a_text_is_cut_only_if_it_is_too_long(text, told):
    """What fits is told as it is; of the rest, the ellipsis counts as one of the characters."""
    assert shortened(text, 4) == told
