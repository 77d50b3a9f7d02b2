"""The networks whose logins failed lately."""

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
import time_machine

from authsvc.problems import InvalidCredentials, RateLimited, SecondFactorRequired
from authsvc.problems import ServiceUnavailable as NoPlace
from authsvc.ratelimit import failed_networks
from authsvc.ratelimit.failed_networks import SLOTS, FailedNetworks
from tests.ratelimit.cases import HOME

ELSEWHERE = "198.51.100.7"
QUARTER = timedelta(minutes=15)
SECOND = timedelta(seconds=1)


@pytest.fixture
def networks() -> FailedNetworks:
    return FailedNetworks()


@pytest.fixture
def moved() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-11-24T12:00:00Z", tick=False) as clock:
        yield clock


def fail(networks: FailedNetworks, address: str | None, problem: Exception | None = None) -> None:
    """Let one login end in a problem, by default in wrong credentials."""
    with suppress(Exception), networks.login(address):
        raise problem or InvalidCredentials


def succeed(networks: FailedNetworks, address: str | None) -> bool:
    """Let one login succeed, and return whether the last one had failed lately."""
    with networks.login(address) as failed_lately:
        return failed_lately


def test_wrong_credentials_are_remembered_for_fifteen_minutes(
    networks: FailedNetworks, moved: time_machine.Traveller
) -> None:
    assert not networks.contains(HOME)
    fail(networks, HOME)
    moved.shift(QUARTER - SECOND)
    assert networks.contains(HOME)
    assert not networks.contains(ELSEWHERE)
    moved.shift(SECOND)
    assert not networks.contains(HOME)


def test_a_success_forgets_its_network_and_no_other(networks: FailedNetworks) -> None:
    fail(networks, HOME)
    fail(networks, ELSEWHERE)
    assert succeed(networks, HOME)
    assert not networks.contains(HOME)
    assert not succeed(networks, HOME)
    assert networks.contains(ELSEWHERE)


def test_a_login_that_found_no_place_is_remembered_while_it_should_wait(
    networks: FailedNetworks, moved: time_machine.Traveller
) -> None:
    fail(networks, HOME, NoPlace())
    moved.shift(SECOND)
    assert networks.contains(HOME)
    moved.shift(SECOND)
    assert not networks.contains(HOME)


def test_logins_that_come_again_too_early_are_remembered_for_longer(
    networks: FailedNetworks, moved: time_machine.Traveller
) -> None:
    for _ in range(10):
        fail(networks, HOME, NoPlace())
        moved.shift(0.9 * SECOND)
    moved.shift(0.9 * SECOND)
    assert networks.contains(HOME)
    moved.shift(SECOND)
    assert not networks.contains(HOME)


@pytest.mark.parametrize("seconds", [0.0, 0.2, 0.5, 0.9, 1.0, 1.5, 1.9])
def test_two_people_behind_one_address_who_wait_do_not_keep_each_other_out(
    networks: FailedNetworks, moved: time_machine.Traveller, seconds: float
) -> None:
    """The second comes so many seconds after the first, and each again after Retry-After."""
    fail(networks, HOME, NoPlace())
    moved.shift(seconds * SECOND)
    fail(networks, HOME, NoPlace())
    found = []
    for _ in range(2):
        moved.shift((2.05 - seconds) * SECOND)
        found.append(networks.contains(HOME))
        fail(networks, HOME, NoPlace()) if found[-1] else None
        moved.shift(seconds * SECOND)
        found.append(networks.contains(HOME))
        fail(networks, HOME, NoPlace()) if found[-1] else None
    assert not all(found[:2])


def test_logins_that_found_no_place_replace_nothing_that_is_remembered(
    networks: FailedNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failed_networks, "SLOTS", 1)
    fail(networks, HOME)
    fail(networks, ELSEWHERE, NoPlace())
    assert networks.contains(HOME)
    succeed(networks, HOME)
    fail(networks, ELSEWHERE, NoPlace())
    assert not networks.contains(ELSEWHERE)


def test_a_network_whose_last_login_succeeded_may_find_no_place(
    networks: FailedNetworks, moved: time_machine.Traveller
) -> None:
    """Its many people are then no flood, until one of them is wrong."""
    succeed(networks, HOME)
    moved.shift(QUARTER - SECOND)
    fail(networks, HOME, NoPlace())
    assert not networks.contains(HOME)
    fail(networks, HOME)
    moved.shift(QUARTER)
    fail(networks, HOME, NoPlace())
    assert networks.contains(HOME)


def test_a_login_that_found_no_place_does_not_shorten_what_is_remembered(
    networks: FailedNetworks, moved: time_machine.Traveller
) -> None:
    fail(networks, HOME)
    moved.shift(SECOND)
    fail(networks, HOME, NoPlace())
    moved.shift(QUARTER - 2 * SECOND)
    assert networks.contains(HOME)
    moved.shift(SECOND)
    assert not networks.contains(HOME)


@pytest.mark.parametrize("problem", [SecondFactorRequired([]), RateLimited(9), ValueError()])
def test_another_problem_changes_nothing(networks: FailedNetworks, problem: Exception) -> None:
    fail(networks, HOME, problem)
    assert not networks.contains(HOME)
    fail(networks, HOME)
    fail(networks, HOME, problem)
    assert networks.contains(HOME)


def test_a_clock_that_is_set_back_remembers_no_network_for_longer(
    networks: FailedNetworks, moved: time_machine.Traveller
) -> None:
    fail(networks, HOME)
    moved.shift(-SECOND)
    assert not networks.contains(HOME)


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        (None, None, False),
        ("unix:", "unix:", False),
    ],
)
def test_a_network_is_an_ipv4_address_or_a_64_bit_network_and_no_unknown_one_is_remembered(
    networks: FailedNetworks, first: str | None, second: str | None, shared: bool
) -> None:
    fail(networks, first)
    assert networks.contains(second) is shared


def test_of_an_unknown_network_no_refusal_is_remembered(networks: FailedNetworks) -> None:
    fail(networks, None, NoPlace())
    assert not networks.contains(None)


def test_of_very_many_networks_the_latest_are_remembered(networks: FailedNetworks) -> None:
    addresses = [
        f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}" for number in range(3 * SLOTS)
    ]
    for address in addresses:
        fail(networks, address)
    assert networks.contains(addresses[-1])
    remembered = [networks.contains(address) for address in addresses]
    assert SLOTS / 2 < sum(remembered) <= SLOTS
    assert sum(remembered[:SLOTS]) < sum(remembered[-SLOTS:])


def test_of_two_networks_in_one_slot_the_later_is_remembered_and_neither_is_taken_for_the_other(
    networks: FailedNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failed_networks, "SLOTS", 1)
    fail(networks, HOME)
    assert networks.contains(HOME)
    assert not networks.contains(ELSEWHERE)
    fail(networks, ELSEWHERE)
    assert networks.contains(ELSEWHERE)
    assert not networks.contains(HOME)


def test_processes_forked_from_the_same_one_share_what_they_remember(
    networks: FailedNetworks,
) -> None:
    fail(networks, ELSEWHERE)
    child = os.fork()
    if child == 0:
        fail(networks, HOME)
        succeed(networks, ELSEWHERE)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert networks.contains(HOME)
    assert not networks.contains(ELSEWHERE)
