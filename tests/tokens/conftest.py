"""The clock stands still at NOW."""

from collections.abc import Iterator

import pytest
import time_machine

from tests.tokens.forgery import NOW


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock
