"""Without a vocabulary, estimates are close."""

import inspect
import json

import pytest

from langchain_control.encodings import tokenizer_for
from langchain_control.encodings.estimate import estimate, estimating

SAMPLES = {
    "English": "The breaker opens after five failures in a row. While it is open, no call is made "
    "and nobody waits for an answer that will not come; then one probe is let through.",
    "German": "Der Schutzschalter öffnet nach fünf Fehlern in Folge. Solange er offen ist, wird "
    "kein Aufruf gemacht, und niemand wartet auf eine Antwort, die nicht kommt.",
    "Russian": "Предохранитель размыкается после пяти ошибок подряд. Пока он разомкнут, вызовы "
    "не выполняются, и никто не ждёт ответа, который не придёт.",
    "Chinese": "断路器在连续五次失败之后打开。打开期间不会发出任何调用、也没有人等待不会到来的"
    "回答。三十秒之后允许一次试探。",
    "Japanese": "ブレーカーは五回続けて失敗すると開きます。開いている間は呼び出しが行われず、"
    "来ない答えを待つ人もいません。",
    "code": inspect.getsource(json.loads),
    "JSON": json.dumps([{"id": n, "name": f"item {n}", "price": n * 1.5} for n in range(20)]),
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_estimates_are_close(kind, name):
    """An estimate is within a quarter of the exact count, for every kind of text."""
    exact = tokenizer_for(name).count(SAMPLES[kind])
    assert estimating(name).count(SAMPLES[kind]) == pytest.approx(exact, rel=0.25)


def test_estimates_beat_four_characters_a_token(name):
    """The mean error is less than a third of that of the usual rule of thumb."""
    exact = {kind: tokenizer_for(name).count(text) for kind, text in SAMPLES.items()}
    ours = sum(abs(estimating(name).count(SAMPLES[k]) / n - 1) for k, n in exact.items())
    thumb = sum(abs(len(SAMPLES[k]) / 4 / n - 1) for k, n in exact.items())
    assert ours < thumb / 3


def test_nothing_costs_nothing():
    """Only the empty text has no tokens."""
    assert estimate("") == 0
    assert estimate(" ") == 1


def test_an_estimate_says_so():
    """An estimating tokenizer is not exact and names what it stands for."""
    assert estimating("claude").exact is False
    assert estimating("claude").name == "claude"
