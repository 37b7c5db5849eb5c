"""Every call gets a seed, is counted, and is made once."""

from __future__ import annotations

import pytest
from openai import APIStatusError

from tests.benchmarks.real_model.servers import FakeServer, model_of


async def test_calls_get_one_seed_after_the_other():
    """From where the contestant starts."""
    server = FakeServer(lambda _: "Hello.")
    async with server.client() as client:
        client.start(7)
        for question in ("One?", "Two?"):
            await model_of(client).ainvoke(question)

    assert [body["seed"] for body in server.requests] == [7, 8]


async def test_contestants_that_begin_alike_share_the_answer_and_both_pay_for_it():
    """The server is asked once; tokens, calls and seconds count for both."""
    server = FakeServer(lambda body: f"Answer {len(server.requests)} to {body['seed']}.")
    ticks = iter(range(100))
    async with server.client(clock=lambda: 2.0 * next(ticks)) as client:
        said, meters = [], []
        for _ in range(2):
            client.start(7)
            said.append((await model_of(client).ainvoke("Hello?")).text)
            meters.append(client.meter)

    assert said == ["Answer 1 to 7."] * 2
    assert len(server.requests) == 1
    assert meters[0] == meters[1]
    assert (meters[1].calls, meters[1].input_tokens, meters[1].output_tokens) == (1, 20, 5)
    assert meters[1].seconds == 2.0


async def test_another_prompt_or_another_seed_is_another_call():
    """Only what is the same in every respect is remembered."""
    server = FakeServer(lambda _: "Hello.")
    async with server.client() as client:
        for seed, question in ((1, "a"), (2, "a"), (1, "b")):
            client.start(seed)
            await model_of(client).ainvoke(question)

    assert len(server.requests) == 3


async def test_a_new_round_begins_with_nothing_known():
    """Memory does not grow, and a task put twice is put twice."""
    server = FakeServer(lambda _: "Hello.")
    async with server.client() as client:
        for _ in range(2):
            client.open_round()
            client.start(1)
            await model_of(client).ainvoke("Hello?")

    assert len(server.requests) == 2


async def test_a_refused_call_is_a_call_without_tokens():
    """And the SDK raises it as ever."""
    server = FakeServer(lambda _: 400)
    async with server.client() as client:
        client.start(1)
        with pytest.raises(APIStatusError):
            await model_of(client).ainvoke("Hello?")

    assert (client.meter.calls, client.meter.output_tokens) == (1, 0)
