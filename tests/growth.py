"""How work grows with its text: a ratio within one run, which no busy machine can spoil."""

import time

__all__ = ["assert_grows_linearly"]

TIMES = 4
MOST = (TIMES + TIMES**2) / 2
"""Between what linear work grows by and what quadratic work grows by."""
TRIES = 5


def assert_grows_linearly(work, unit, characters):
    """Work on a text four times as long takes about four times as long, not sixteen times."""
    long = unit * (characters // len(unit) + 1)
    short = long[: len(long) // TIMES]
    work(short)  # warm

    growths = []
    while len(growths) < TRIES and min(growths, default=MOST) >= MOST:
        growths.append(_cpu_ns(work, long) / _cpu_ns(work, short))

    assert min(growths) < MOST, growths


def _cpu_ns(work, text):
    started = time.thread_time_ns()
    work(text)
    return max(1, time.thread_time_ns() - started)
