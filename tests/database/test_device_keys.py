"""Sessions that are bound to a device, over an upgrade from the version before, and `db copy`."""

from pathlib import Path

import pytest

from authsvc.database import schema
from tests.conftest import MakeApp, MakeDatabase
from tests.support.device import Device, ask, marker_of, offered, refresh
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.responses import assert_problem

BEFORE = "0006"


@pytest.fixture
def url(make_database: MakeDatabase) -> str:
    """A migrated database."""
    url = make_database()
    schema.upgrade(url)
    return url


@pytest.fixture
def alice(url: str, make_app: MakeApp) -> Person:
    app = make_app(database_url=url, device_binding=True)
    return Person(app, "alice@example.com", "a horse that is correct").register()


def bounds(person: Person) -> set[str | None]:
    sessions = person.call("GET", "/api/me/sessions").json["sessions"]
    return {session["bound"] for session in sessions}


def test_sessions_of_the_version_before_stay_live_and_unbound(url: str, alice: Person) -> None:
    alice.logged_in()
    schema.downgrade(url, BEFORE)
    schema.upgrade(url)
    assert alice.refresh().status_code == 200
    assert bounds(alice) == {None}
    tablet = alice.on_another_device()
    assert refresh(tablet, Device().bind(tablet)).status_code == 200
    assert bounds(alice) == {None, "device"}


def test_a_login_before_the_upgrade_may_register_a_key_after_it(url: str, alice: Person) -> None:
    _, challenge = offered(alice.log_in())
    schema.downgrade(url, BEFORE)
    schema.upgrade(url)
    marker = marker_of(Device().register(alice, challenge))
    assert refresh(alice, marker).status_code == 200


def test_a_downgrade_logs_no_user_out_and_an_upgrade_after_it_demands_no_marker(
    url: str, alice: Person
) -> None:
    Device().bind(alice)
    schema.downgrade(url, BEFORE)
    schema.upgrade(url)
    assert alice.refresh().status_code == 200
    assert bounds(alice) == {None}


def test_a_copied_database_keeps_the_key_of_each_device(
    url: str, alice: Person, make_app: MakeApp, tmp_path: Path
) -> None:
    device, target = Device(), f"sqlite:///{tmp_path / 'copy.db'}"
    tablet = alice.on_another_device().logged_in()
    device.bind(alice)
    result = Operator(url).run("db", "copy", url, target)
    assert result.exit_code == 0, result.output
    alice.app = tablet.app = make_app(database_url=target, device_binding=True)
    assert_problem(alice.refresh(), 401, "device_proof_missing")
    assert refresh(alice, marker_of(device.renew(alice, ask(alice)))).status_code == 200
    assert tablet.refresh().status_code == 200
