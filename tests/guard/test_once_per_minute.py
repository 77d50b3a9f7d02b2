"""Reasons are logged once a minute, and how many are remembered has a bound."""

import time_machine

from authsvc.guard.once_per_minute import MAX_REASONS, OncePerMinute


def test_each_reason_is_due_once_a_minute() -> None:
    due = OncePerMinute()
    with time_machine.travel(0, tick=False) as clock:
        assert [due.take("a"), due.take("a"), due.take("b")] == [True, False, True]
        clock.shift(61)
        assert due.take("a")


def test_a_clock_that_was_set_back_silences_no_reason() -> None:
    due = OncePerMinute()
    with time_machine.travel(1000, tick=False) as clock:
        assert due.take("a")
        clock.shift(-600)
        assert due.take("a")


def test_reasons_that_an_attacker_invents_are_not_remembered_without_bound() -> None:
    due = OncePerMinute()
    with time_machine.travel(0, tick=False):
        for number in range(MAX_REASONS):
            assert due.take(str(number))
        assert not due.take("0")
        assert due.take("one more")
        assert due.take("0"), "the reasons of before were forgotten"
