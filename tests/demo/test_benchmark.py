"""The benchmark is fair, and its figures follow from its parameters."""

from __future__ import annotations

import pytest

from langchain_control.demo import article
from langchain_control.demo.benchmark import FAILURE_RATES, HINT_FACTORS, Cell, measure
from langchain_control.demo.contest import Score
from langchain_control.demo.desk import BLIND, CONTESTANTS, CONTROL, LANGCHAIN, SINGLE

QUERIES = 60


@pytest.fixture(scope="module")
def scores() -> dict[tuple[str, float, str], Score]:
    """All cells of one short run."""
    cells: list[Cell] = measure(QUERIES)
    return {(c.contestant, c.failure_rate, c.hints): c.score for c in cells}


def test_every_contestant_is_in_every_setting(scores):
    """No contestant is spared the hard ones."""
    assert set(scores) == {
        (name, rate, hints)
        for name in CONTESTANTS
        for rate in FAILURE_RATES
        for hints in HINT_FACTORS
    }
    assert {score.n for score in scores.values()} == {QUERIES}


def test_a_model_that_never_fails_needs_no_help(scores):
    """Everybody is right with one call each."""
    for (_, rate, _), score in scores.items():
        if rate == 0:
            assert (score.right, score.calls) == (QUERIES, QUERIES)


@pytest.mark.parametrize("rate", FAILURE_RATES)
def test_useless_hints_make_control_a_blind_retry(scores, rate):
    """Same luck, same answers, same calls; only the corrections cost tokens."""
    blind = scores[BLIND, rate, "hints do nothing"]
    control = scores[CONTROL, rate, "hints do nothing"]

    assert (control.right, control.calls) == (blind.right, blind.calls)
    assert control.input_tokens >= blind.input_tokens


@pytest.mark.parametrize("rate", [rate for rate in FAILURE_RATES if rate])
def test_helpful_hints_beat_blind_retries_and_those_a_single_call(scores, rate):
    """Otherwise the hints of the setting would not help."""
    single, blind, control = (
        scores[name, rate, "hints help"].right for name in (SINGLE, BLIND, CONTROL)
    )

    assert single < blind < control


def test_a_fallback_is_no_answer_of_the_model(scores):
    """Where control ends with a fallback, that is counted apart; nothing is counted twice."""
    for score in scores.values():
        assert score.right <= score.met
        assert score.met + score.fallbacks <= score.n
    worst = scores[CONTROL, 0.75, "hints do nothing"]
    assert worst.met + worst.fallbacks == worst.n
    assert worst.fallbacks > 0


def test_control_passes_no_damaged_answer_on(scores):
    """An answer that was cut off is not completed by guessing."""
    for (name, _, _), score in scores.items():
        if name in (SINGLE, BLIND, CONTROL):
            assert score.met == score.right
    damaged = scores[LANGCHAIN, 0.75, "hints help"]
    assert damaged.met > damaged.right


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # other tests leave threads behind
def test_processes_make_no_difference(scores):
    """Luck belongs to the clerk, not to the process."""
    cells = measure(QUERIES, workers=2)

    assert {(c.contestant, c.failure_rate, c.hints): c.score.right for c in cells} == {
        setting: score.right for setting, score in scores.items()
    }


def test_the_naive_zero_of_the_article_is_reproduced_and_is_the_prompt():
    """On the same mock and at the same failure rate, the other prompt is answered."""
    assert article.naive(QUERIES).right == 0
    fair = {c.contestant: c.score for c in measure(QUERIES) if c.failure_rate == 0.55}
    assert fair[SINGLE].right > 0
