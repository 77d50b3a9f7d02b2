"""Two places in turn: a browser or a network that changes and changes back within a minute."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from authsvc.sessions.two_places import MAX_SESSIONS, WITHIN, TwoPlaces
from authsvc.web.client import Client

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SID = UUID(int=1)

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:{}) Gecko/20100101 Firefox/{}"
HOME = Client("192.0.2.1", FIREFOX.format(128, 128))
UPDATED = Client("192.0.2.1", FIREFOX.format(129, 129))
CURL = Client("192.0.2.1", "curl/8.5.0")
AWAY = Client("203.0.113.1", HOME.user_agent)
NEAR = Client("192.0.77.1", HOME.user_agent)
NEXT = Client("192.1.2.1", HOME.user_agent)
UNKNOWN = Client(None, HOME.user_agent)
SIX = Client("2001:db8::1", HOME.user_agent)
SIX_NEAR = Client("2001:db8:77::1", HOME.user_agent)
SIX_AWAY = Client("2001:db9::1", HOME.user_agent)


def last_of(*clients: Client, places: TwoPlaces | None = None) -> str | None:
    """Use a session from one client after the other, each a second later."""
    places = places or TwoPlaces()
    seen = [places.use(SID, client, NOON + n * SECOND) for n, client in enumerate(clients)]
    assert not any(seen[:-1])
    return seen[-1]


@pytest.mark.parametrize(
    ("clients", "changed"),
    [
        ([HOME, CURL, HOME], "browser"),
        ([HOME, CURL, CURL, HOME], "browser"),
        ([HOME, AWAY, HOME], "network"),
        ([HOME, AWAY, NEAR], "network"),
        ([HOME, NEXT, HOME], "network"),
        ([SIX, SIX_AWAY, SIX_NEAR], "network"),
        ([HOME, Client(AWAY.ip_address, CURL.user_agent), UPDATED], "browser"),
        ([Client(), HOME, Client()], "browser"),
        ([HOME], None),
        ([HOME, HOME, HOME], None),
        ([HOME, CURL], None),
        ([HOME, AWAY, AWAY], None),
        ([HOME, CURL, AWAY], None),  # it came back by another network
        ([HOME, UPDATED, HOME], None),
        ([HOME, NEAR, HOME], None),
        ([SIX, SIX_NEAR, SIX], None),
        ([HOME, SIX, HOME, SIX], None),
        ([HOME, UNKNOWN, HOME], None),
        ([Client(), Client(), Client()], None),
    ],
)
def test_what_changes_and_changes_back_is_a_sign(
    clients: list[Client], changed: str | None
) -> None:
    assert last_of(*clients) == changed


def test_two_places_in_turn_are_a_sign_at_each_turn() -> None:
    places = TwoPlaces()
    turns = [places.use(SID, client, NOON) for client in (HOME, CURL) * 3]
    assert turns == [None, None, *["browser"] * 4]


@pytest.mark.parametrize(
    ("back_after", "changed"), [(WITHIN, "browser"), (WITHIN + SECOND, None), (-WITHIN, "browser")]
)
def test_who_comes_back_later_than_a_minute_has_moved(
    back_after: timedelta, changed: str | None
) -> None:
    places = TwoPlaces()
    places.use(SID, HOME, NOON)
    places.use(SID, CURL, NOON)
    assert places.use(SID, HOME, NOON + back_after) == changed


def test_a_clock_that_was_set_back_by_hours_makes_no_sign() -> None:
    places = TwoPlaces()
    places.use(SID, HOME, NOON)
    places.use(SID, CURL, NOON)
    assert places.use(SID, HOME, NOON - timedelta(hours=2)) is None
    assert places.use(SID, CURL, NOON - timedelta(hours=2)) is None
    assert places.use(SID, HOME, NOON - timedelta(hours=2)) == "browser"


def test_sessions_do_not_mix() -> None:
    places = TwoPlaces()
    uses = [(UUID(int=1), HOME), (UUID(int=2), CURL), (UUID(int=1), HOME), (UUID(int=2), CURL)]
    assert [places.use(sid, client, NOON) for sid, client in uses] == [None] * 4


def test_a_bounded_number_of_sessions_is_remembered() -> None:
    places = TwoPlaces()
    places.use(SID, HOME, NOON)
    places.use(SID, CURL, NOON)
    for _ in range(MAX_SESSIONS):
        places.use(uuid4(), HOME, NOON)
    assert len(places) == MAX_SESSIONS
    assert places.use(SID, HOME, NOON) is None


def test_the_session_that_was_used_longest_ago_is_forgotten_first() -> None:
    places = TwoPlaces()
    places.use(SID, HOME, NOON)
    for _ in range(MAX_SESSIONS - 1):
        places.use(uuid4(), HOME, NOON)
    places.use(SID, CURL, NOON)
    places.use(uuid4(), HOME, NOON)
    assert places.use(SID, HOME, NOON) == "browser"


def test_sessions_of_more_than_a_minute_ago_are_forgotten() -> None:
    places = TwoPlaces()
    for _ in range(10):
        places.use(uuid4(), HOME, NOON)
    places.use(uuid4(), HOME, NOON + WITHIN)
    assert len(places) == 11
    places.use(uuid4(), HOME, NOON + WITHIN + SECOND)
    assert len(places) == 2


def test_threads_may_use_it_at_once() -> None:
    places = TwoPlaces()
    with ThreadPoolExecutor(8) as threads:
        used = threads.map(lambda n: places.use(UUID(int=n % 7), HOME, NOON), range(2_000))
    assert set(used) == {None}
    assert len(places) == 7
