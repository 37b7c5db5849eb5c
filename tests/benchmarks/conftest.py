"""A real language model for the tests that ask for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.local_model import NoLocalModelError, local_model


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    """Address of the local language model, for an OpenAI client."""
    try:
        with local_model() as url:
            yield url
    except NoLocalModelError as exc:
        pytest.skip(str(exc))
