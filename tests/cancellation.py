"""Cancel a flow at each effect that it waits for, as a task may be cancelled at each await."""

import asyncio
import inspect
import itertools

from langchain_control._effects import Call, Emit, Ready, Sleep

__all__ = ["cancelled_at_every_wait"]


def cancelled_at_every_wait(make_flow):
    """Cancel new flows at the first effect they wait for, the second, and so on to the last.

    Yields the type of the effect after each cancellation; what the flow still does about it is
    done by then. Plain values, as stores in memory return, are not waited for.
    """
    for number in itertools.count():
        flow = make_flow()
        waits = itertools.islice(_waits(flow), number, None)
        effect = next(waits, None)
        if effect is None:
            return
        _cancel(flow)
        yield type(effect)


def _waits(flow):
    done = None
    while True:
        try:
            effect = flow.send(done)
        except StopIteration:
            return
        if isinstance(effect, Call | Emit | Ready | Sleep):
            yield effect
        done = _perform(effect)


def _cancel(flow):
    try:
        effect = flow.throw(asyncio.CancelledError())
        while True:
            effect = flow.send(_perform(effect))
    except asyncio.CancelledError:
        return
    except StopIteration as stop:
        msg = "the flow went on after its cancellation"
        raise AssertionError(msg) from stop


def _perform(effect):
    assert not inspect.isawaitable(effect)
    if isinstance(effect, Ready):
        return effect.call
    if isinstance(effect, Call):
        return effect.runnable.invoke(effect.input, effect.config)
    return None if isinstance(effect, Emit | Sleep) else effect
