"""What is given back for a run that ends more than once."""

from langchain_control.components.limiter import Reservation
from langchain_control.runs.settlements import Settlements

TAKEN = Reservation("rate:default", 1, 100, 0.0)


def test_a_reservation_is_given_back_once():
    """The second end of a run adds what was used since, and gives nothing back."""
    settlements, run = Settlements(), ("id", 1.0)

    assert settlements.settled(run, TAKEN, 30) == (TAKEN, 30)
    assert settlements.settled(run, TAKEN, 10) == (TAKEN._replace(tokens=30), 30)
    assert settlements.settled(run, TAKEN, 50) == (TAKEN._replace(tokens=30), 50)
    assert settlements.settled(("id", 2.0), TAKEN, 0) == (TAKEN, 0)


def test_old_runs_are_forgotten():
    """What is remembered does not grow for ever."""
    settlements = Settlements(kept=10)

    for number in range(100):
        settlements.settled((str(number), 1.0), TAKEN, 1)

    assert len(settlements._held) <= 10
    assert settlements.settled(("99", 1.0), TAKEN, 1) == (TAKEN._replace(tokens=1), 1)
