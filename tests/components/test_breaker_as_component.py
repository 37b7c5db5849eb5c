"""What the breaker tells, how it is set, and what stores it works with."""

import copy
import pickle

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import ConfigurableField
from pydantic import ValidationError

from langchain_control import ControlPolicy, with_control
from langchain_control.circuits import CircuitState, Outcome
from langchain_control.circuits.failure_window import FailureWindow
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.errors import AttemptsExhausted, CircuitOpen
from langchain_control.stores import InMemoryCircuitStore
from langchain_control.testing import ManualClock, Reply, ScriptedChatModel
from tests.components.breaker_kit import Provider, fail, open_circuit


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def breaker(clock):
    return CircuitBreaker(
        failure_threshold=2, recovery_seconds=30, store=InMemoryCircuitStore(clock=clock)
    )


# --- giving up late calls -------------------------------------------------------------------------


@pytest.fixture
def impatient(clock):
    return CircuitBreaker(
        failure_threshold=2,
        window=FailureWindow(slow_seconds=10, min_silence_seconds=5),
        give_up_late_calls=True,
        store=InMemoryCircuitStore(clock=clock),
    )


def test_patience_waits_on_while_the_circuit_is_closed(impatient, clock):
    """One late call is no outage: it may still answer."""
    patience = impatient.patience(impatient.acquire())
    assert patience() == 10
    clock.advance(10)
    assert patience() > 0
    assert patience() > 0
    assert impatient.snapshot()["default"]["calls"] == 1


def test_patience_ends_when_the_circuit_opens(impatient, clock):
    """Late calls are given up together once there are too many of them."""
    one, other = (impatient.patience(impatient.acquire()) for _ in range(2))
    one(), other()
    clock.advance(10)
    assert one() > 0
    assert other() == 0
    assert one() == 0
    assert impatient.state() is CircuitState.OPEN


@pytest.mark.parametrize("changes", [{"give_up_late_calls": False}, {"window": None}])
def test_patience_is_only_for_those_who_ask(impatient, changes):
    """Without the setting, a call is waited for to its end."""
    patient = impatient.override(give_up_late_calls=False).override(**changes)
    assert patient.patience(patient.acquire()) is None


def test_a_circuit_that_opens_while_a_call_is_under_way_is_told(call):
    """Only `on_change` heard of it: the trail said that calls were refused, and not why."""
    listener = Listener()
    breaker = CircuitBreaker(
        failure_threshold=1,
        window=FailureWindow(slow_seconds=0.02, min_silence_seconds=0.01),
        give_up_late_calls=True,
    )
    model = ScriptedChatModel(script=[Reply("late", delay_seconds=5.0)])
    policy = ControlPolicy(breaker=breaker, retry={"max_attempts": 1}, timeout_seconds=30)

    with pytest.raises(AttemptsExhausted):
        call(with_control(model, policy), "hi", {"callbacks": [listener]})

    changes = [data for name, data in listener.heard if name == "control.circuit_changed"]
    assert [data["status"] for data in changes] == ["open"]


# --- telling --------------------------------------------------------------------------------------


class Listener(BaseCallbackHandler):
    """Keeps the custom events it hears."""

    def __init__(self):
        self.heard = []

    def on_custom_event(self, name, data, **kwargs):
        self.heard.append((name, data))


def test_changes_are_events_on_the_run(breaker, clock, call):
    """Whoever listens on a call hears that it changed the circuit."""
    listener = Listener()
    guarded, config = breaker.wrap(Provider(TimeoutError())), {"callbacks": [listener]}
    for _ in range(2):
        with pytest.raises(TimeoutError):
            call(guarded, "hi", config)
    clock.advance(30)
    with pytest.raises(TimeoutError):
        call(guarded, "hi", config)
    assert {name for name, _ in listener.heard} == {"control.circuit_changed"}
    assert [data["status"] for _, data in listener.heard] == ["open", "half_open", "open"]
    assert listener.heard[0][1]["message"] == "closed to open: 2 failures in a row"


def test_on_change_hears_every_change(clock):
    """The listener hook hears changes, also those made by hand."""
    heard = []
    breaker = CircuitBreaker(
        failure_threshold=1, on_change=heard.append, store=InMemoryCircuitStore(clock=clock)
    )
    fail(breaker)
    clock.advance(30)
    breaker.record(breaker.acquire(), Outcome.SUCCESS)
    breaker.open()
    breaker.reset()
    assert [change.after.value for change in heard] == [
        "open",
        "half_open",
        "closed",
        "open",
        "closed",
    ]


def test_a_listener_that_raises_is_logged(breaker, caplog):
    """A broken listener does not decide about the call it hears of."""

    def listener(change):
        raise RuntimeError

    loud = breaker.override(on_change=listener)
    fail(loud, times=2)
    assert loud.state() is CircuitState.OPEN
    assert "`on_change` of circuit `default` failed" in caplog.text


def test_a_listener_may_use_the_breaker(breaker):
    """Listeners run outside of any lock, so they may look and interfere."""
    seen = []
    nosy = breaker.override(on_change=lambda change: seen.append(nosy.state()))
    fail(nosy, times=2)
    assert seen == [CircuitState.OPEN]


# --- a component like the others ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"failure_threshold": 0}, "failure_threshold"),
        ({"recovery_seconds": 0}, "recovery_seconds"),
        ({"half_open_probes": 0}, "half_open_probes"),
        ({"name": ""}, "name"),
        ({"recovery_seconds": 600, "max_recovery_seconds": 60}, "max_recovery_seconds"),
        ({"store": object()}, "store"),
        ({"treshold": 3}, "treshold"),
        ({"give_up_late_calls": True}, "slow_seconds"),
        ({"give_up_late_calls": True, "window": FailureWindow()}, "slow_seconds"),
    ],
)
def test_refuses_settings_that_make_no_sense(settings, field):
    """A mistake is named at construction."""
    with pytest.raises(ValidationError, match=field):
        CircuitBreaker(**settings)


def test_a_long_recovery_needs_no_second_setting():
    """The default bound gives way to a longer open time."""
    breaker = CircuitBreaker(failure_threshold=1, recovery_seconds=600)
    fail(breaker)
    assert breaker.try_acquire().retry_after == pytest.approx(600, abs=1)


def test_configurable_fields_keep_the_circuit(breaker, call):
    """Changing a setting per call does not begin a new history."""
    tunable = breaker.configurable_fields(failure_threshold=ConfigurableField(id="threshold"))
    open_circuit(breaker)
    with pytest.raises(CircuitOpen):
        call(tunable, "hi", {"configurable": {"threshold": 9}})


def test_override_keeps_the_store(breaker):
    """A variant of a breaker shares its circuits."""
    breaker.open()
    assert breaker.override(failure_threshold=9).state() is CircuitState.OPEN


@pytest.mark.parametrize("name", ["plain", "team:chat", "50%", "C:\\chat"])
def test_a_snapshot_has_the_breakers_circuits_and_no_others(name):
    """Whatever characters its name has."""
    store = InMemoryCircuitStore()
    breaker, *others = (CircuitBreaker(name=n, store=store) for n in (name, "team", "C", "50"))
    for one in (breaker, *others):
        one.open()
        one.open("main")

    snapshot = breaker.snapshot()

    assert [view["state"] for view in snapshot.values()] == ["open", "open"]
    for other in others:
        assert len(other.snapshot()) == 2
        assert not snapshot.keys() & other.snapshot().keys()


def test_is_frozen(breaker):
    """Settings do not change under a running call."""
    with pytest.raises(ValidationError):
        breaker.failure_threshold = 1


def test_pickles_and_copies(breaker):
    """A copy in the same process shares the circuits; a pickle starts afresh."""
    real = CircuitBreaker(name="m", window=FailureWindow(seconds=9))
    real.open()
    assert copy.deepcopy(real).state() is CircuitState.OPEN
    thawed = pickle.loads(pickle.dumps(real))
    assert thawed.window == FailureWindow(seconds=9)
    assert thawed.state() is CircuitState.CLOSED


def test_repr_shows_the_settings():
    """The repr says what was set, not what collaborates."""
    assert "store" not in repr(CircuitBreaker())
    assert repr(CircuitBreaker(failure_threshold=9)) == "CircuitBreaker(failure_threshold=9)"


def test_its_runs_are_named_after_the_class():
    """Traces show a breaker; `name` is the circuit's."""
    assert CircuitBreaker(name="gpt-4o").get_name() == "CircuitBreaker"


def test_has_a_json_schema(breaker):
    """Any input goes through."""
    assert breaker.get_input_jsonschema()
    assert breaker.get_output_jsonschema()


# --- with a store that answers asynchronously -----------------------------------------------------


class AsyncStore:
    """The memory store behind awaitables, as a remote one would be."""

    def __init__(self, inner):
        self._inner = inner

    async def acquire(self, *args):
        return self._inner.acquire(*args)

    async def record(self, *args):
        return self._inner.record(*args)

    async def hold(self, *args):
        return self._inner.hold(*args)

    async def reset(self, *args):
        return self._inner.reset(*args)

    async def view(self, *args):
        return self._inner.view(*args)

    async def keys(self):
        return self._inner.keys()


async def test_an_async_store_serves_async_calls(clock):
    """The flow awaits whatever the store answers."""
    inner = InMemoryCircuitStore(clock=clock)
    breaker = CircuitBreaker(failure_threshold=1, store=AsyncStore(inner))
    with pytest.raises(TimeoutError):
        await breaker.wrap(Provider(TimeoutError())).ainvoke("hi")
    with pytest.raises(CircuitOpen):
        await breaker.ainvoke("hi")
    with pytest.raises(CircuitOpen):
        await breaker.aacquire()


def test_an_async_store_refuses_sync_calls(clock):
    """Mixing the two is a mistake with a name, not a coroutine that nobody awaits."""
    breaker = CircuitBreaker(store=AsyncStore(InMemoryCircuitStore(clock=clock)))
    with pytest.raises(TypeError, match="ainvoke"):
        breaker.invoke("hi")


async def test_an_async_store_serves_protected_functions(clock):
    """A coroutine function waits for the store before and after its call."""
    breaker = CircuitBreaker(
        failure_threshold=1, store=AsyncStore(InMemoryCircuitStore(clock=clock))
    )

    @breaker.protect
    async def fails():
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await fails()
    with pytest.raises(CircuitOpen):
        await fails()


@pytest.mark.parametrize("use", [CircuitBreaker.acquire, lambda b: b.protect(print)("unheard")])
def test_an_async_store_refuses_sync_callers(remote, use):
    """A plain function has nobody who could wait for the store."""
    with pytest.raises(TypeError, match="`store` that answers at once"):
        use(CircuitBreaker(store=remote))


@pytest.fixture
def remote(clock):
    return AsyncStore(InMemoryCircuitStore(clock=clock))


async def test_on_change_hears_of_an_async_store(clock, remote):
    """Around a call and by hand, the listener hears each change once."""
    heard = []
    breaker = CircuitBreaker(failure_threshold=1, on_change=heard.append, store=remote)
    with pytest.raises(TimeoutError):
        await breaker.wrap(Provider(TimeoutError())).ainvoke("hi")
    clock.advance(30)
    await breaker.record(await breaker.aacquire(), Outcome.FAILURE)
    clock.advance(30)
    await breaker.record(await breaker.try_acquire(), Outcome.SUCCESS)
    assert [change.after.value for change in heard] == [
        "open",
        "half_open",
        "open",
        "half_open",
        "closed",
    ]


@pytest.mark.parametrize("question", ["state", "snapshot", "open", "close", "reset"])
def test_what_cannot_wait_names_the_store(remote, question):
    """Looking and interfering is told what is wrong, and not to use `ainvoke`."""
    breaker = CircuitBreaker(store=remote)
    with pytest.raises(TypeError, match="`store` that answers at once"):
        getattr(breaker, question)()


def test_late_calls_are_not_given_up_on_an_async_store(impatient, remote):
    """Who watches a call under way cannot wait for the store; that is told at construction."""
    with pytest.raises(ValidationError, match="`give_up_late_calls` needs a `store`"):
        impatient.override(store=remote)
