"""Texts cut short where they are only told of."""

import pytest

from langchain_control._shortening import shortened, shortened_inside


@pytest.mark.parametrize(
    ("text", "told"), [("", ""), ("plum", "plum"), ("plums", "plu…"), ("plum tree", "plu…")]
)
def test_a_text_is_cut_only_if_it_is_too_long(text, told):
    """What fits is told as it is; of the rest, the ellipsis counts as one of the characters."""
    assert shortened(text, 4) == told


@pytest.mark.parametrize(
    ("text", "told"), [("", ""), ("a/b/leaf", "a/b/leaf"), ("root/branch/leaf", "ro…/leaf")]
)
def test_the_end_of_a_text_may_be_what_tells_most(text, told):
    """What stands in the middle is left out first."""
    assert shortened_inside(text, 8) == told
