"""Which repairs may stand, and what keeps the second opinion short."""

import pytest

from langchain_control.parsing.metered import MeteredText, TooMuchWorkError
from langchain_control.parsing.repair_policy import (
    MAX_GUESSES,
    MAX_SECOND_OPINION_CHARS,
    RepairPolicy,
    permits,
)
from langchain_control.parsing.repairs import Repair

TEXT, VALUE = "[1 2]", [1, 2]
GUESS = Repair("missing_comma", 2)


@pytest.mark.parametrize(
    ("repairs", "policies"),
    [
        ([], {"strict", "lossless", "agreed", "lenient"}),
        ([Repair("comment", 1)], {"lossless", "agreed", "lenient"}),
        ([GUESS], {"agreed", "lenient"}),
        ([GUESS, Repair("cut", 5)], {"lenient"}),
        ([GUESS, Repair("extra_closer", 4)], {"lenient"}),
        ([GUESS] * (MAX_GUESSES + 1), {"lenient"}),
    ],
)
def test_the_worst_repair_decides(repairs, policies):
    """Each policy has its limit; wrong brackets and another guess are too much for agreement."""
    assert {p.value for p in RepairPolicy if permits(p, repairs, TEXT, VALUE)} == policies


@pytest.mark.parametrize("value", [[1, True], [1], [1, 2.0], [2, 1]])
def test_agreement_is_exact(value):
    """Another value, order or type is another opinion."""
    assert not permits(RepairPolicy.AGREED, [GUESS], TEXT, value)


def test_long_texts_get_no_second_opinion():
    """Beyond the limit there is no agreement."""
    items = list(range(MAX_SECOND_OPINION_CHARS // 2))
    text = "[" + " ".join(map(str, items)) + "]"

    assert not permits(RepairPolicy.AGREED, [GUESS], text, items)


def test_a_metered_text_counts_every_look():
    """Parts and sums share the count of the text that they come from."""
    text = MeteredText("abc", 4)

    part = text[0:2] + "d"
    assert (part, part[0], text[2]) == ("abd", "a", "c")
    assert part[1] == "b"
    with pytest.raises(TooMuchWorkError):
        text[0]
