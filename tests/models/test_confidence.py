"""How sure a model was, where its provider says so."""

from math import log

import pytest
from langchain_core.messages import AIMessage

from langchain_control.models.confidence import confidence_of


def openai(*logprobs):
    return {"logprobs": {"content": [{"token": "t", "logprob": p} for p in logprobs]}}


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (openai(log(0.5), log(0.5)), 0.5),
        (openai(log(0.25), 0.0), 0.5),
        (openai(-9999.0), 0.0),
        (openai(0.1), 1.0),
        ({"logprobs": [{"logprob": log(0.5)}]}, 0.5),
        ({"avg_logprobs": log(0.5)}, 0.5),
    ],
    ids=["even", "uneven", "impossible", "rounded above 1", "a list", "Google"],
)
def test_it_is_the_geometric_mean_of_the_probabilities(metadata, expected):
    """In whichever way a provider reports them."""
    assert confidence_of(AIMessage("x", response_metadata=metadata)) == pytest.approx(expected)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"logprobs": None},
        {"logprobs": {"content": None}},
        openai(),
        openai(-0.1, None),
        openai(float("nan")),
        openai(True),
        openai(-(10**400)),
        openai(-1e308, -1e308),
        {"avg_logprobs": 10**400},
        {"logprobs": {"content": ["x"]}},
        {"logprobs": "x", "avg_logprobs": "x"},
    ],
    ids=lambda m: str(m)[:40],
)
def test_where_anything_is_missing_it_is_not_known(metadata):
    """It is never invented."""
    assert confidence_of(AIMessage("x", response_metadata=metadata)) is None
