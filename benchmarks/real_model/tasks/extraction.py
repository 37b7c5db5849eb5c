"""Fields to read out of a short text, some of them in a fixed format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from benchmarks.real_model.tasks.task import ClockTime, Currency, IsoDate, Task, Text

__all__ = ["EXTRACTION"]

EXTRACTION: Sequence[Task] = (
    Task(
        "invoice",
        "Invoice INV-2047 from Northwind Ltd. Total due: 118.50 EUR. "
        "What are its number, total and currency?",
        '{"number": "...", "total": 0.0, "currency": "ABC"}',
        {"number": Text, "total": float, "currency": Currency},
        {"number": "INV-2047", "total": 118.5, "currency": "EUR"},
    ),
    Task(
        "flight",
        "Flight KL1234 leaves Amsterdam at 09:15 for Rome. "
        "Where does it start, where does it go, and when does it leave?",
        '{"origin": "...", "destination": "...", "departure": "hh:mm"}',
        {"origin": Text, "destination": Text, "departure": ClockTime},
        {"origin": "Amsterdam", "destination": "Rome", "departure": "09:15"},
    ),
    Task(
        "address",
        "Please deliver the lamp to 12 Mill Lane in Bristol, BS1 4QA. What is the address?",
        '{"street": "...", "city": "...", "postcode": "..."}',
        {"street": Text, "city": Text, "postcode": Text},
        {"street": "12 Mill Lane", "city": "Bristol", "postcode": "BS1 4QA"},
    ),
    Task(
        "job",
        "We are looking for a nurse in Lyon, 30 hours a week. "
        "What is the job, in which city, and for how many hours?",
        '{"job": "...", "city": "...", "hours": 0}',
        {"job": Text, "city": Text, "hours": int},
        {"job": "nurse", "city": "Lyon", "hours": 30},
    ),
    Task(
        "log_line",
        "2026-02-11 08:14:03 ERROR payments: connection refused. "
        "Which day, which level and which service does this line name?",
        '{"day": "yyyy-mm-dd", "level": "INFO|WARNING|ERROR", "service": "..."}',
        {"day": IsoDate, "level": Literal["INFO", "WARNING", "ERROR"], "service": Text},
        {"day": "2026-02-11", "level": "ERROR", "service": "payments"},
    ),
    Task(
        "parcel",
        "The parcel is 40 cm long and 30 cm wide and weighs 2.5 kg. What are its measures?",
        '{"length_cm": 0, "width_cm": 0, "weight_kg": 0.0}',
        {"length_cm": int, "width_cm": int, "weight_kg": float},
        {"length_cm": 40, "width_cm": 30, "weight_kg": 2.5},
    ),
    Task(
        "concert",
        "The concert in the Town Hall starts at 20:00 on Friday. Tickets cost 15 dollars. "
        "On which weekday is it, when does it start, and what does a ticket cost?",
        '{"weekday": "Monday|...|Sunday", "starts": "hh:mm", "price": 0}',
        {
            "weekday": Literal[
                "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"
            ],
            "starts": ClockTime,
            "price": int,
        },
        {"weekday": "Friday", "starts": "20:00", "price": 15},
    ),
)
