"""What the tests of the breaker share: a provider that may be down, and ways to get it there."""

from langchain_core.exceptions import ModelRateLimitError

from langchain_control.circuits import CircuitState, Outcome


class Provider:
    """Answers, or raises what it is told to; counts the calls that reach it."""

    def __init__(self, error=None):
        self.error, self.calls = error, 0

    def __call__(self, value):
        self.calls += 1
        if self.error is not None:
            raise self.error
        return value


class ThrottledError(ModelRateLimitError):
    """A 429 as an SDK raises it."""

    def __init__(self, headers):
        super().__init__("too many requests")
        self.response = type("Response", (), {"headers": headers, "status_code": 429})()


def open_circuit(breaker, key=None):
    fail(breaker, times=breaker.failure_threshold, key=key)
    assert breaker.state(key) is CircuitState.OPEN


def fail(breaker, times=1, key=None):
    for _ in range(times):
        breaker.record(breaker.try_acquire(key), Outcome.FAILURE)
