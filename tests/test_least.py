"""The least of several limits, some of which may not be set."""

import pytest

from langchain_control._least import least


@pytest.mark.parametrize(
    ("limits", "expected"),
    [((3.0, 2.0), 2.0), ((None, 2.0), 2.0), ((0.0, None), 0.0), ((None, None), None), ((), None)],
)
def test_what_is_not_set_limits_nothing(limits, expected):
    """Only where none is set, there is no limit."""
    assert least(*limits) == expected
