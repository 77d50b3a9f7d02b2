"""The commands for accounts, sessions and databases."""

import json
import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
import time_machine
from click.testing import Result
from sqlalchemy import Connection, NullPool, create_engine, delete, insert, select, text

from authsvc.audit.model import SecurityEvent, new_ids
from authsvc.database import Base
from authsvc.users import accounts
from authsvc.users.model import User
from tests.conftest import MakeDatabase
from tests.support.direct_login import open_for, verify_password
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.responses import assert_problem, claims, sessions, users

NEW_PASSWORD = "another horse, quite incorrect"


def test_disable_revokes_all_sessions_and_refuses_logins(
    operator: Operator, alice: Person, bob: Person
) -> None:
    alice.logged_in()
    bob.logged_in()
    assert operator.run("users", "disable", "Alice@Example.com").exit_code == 0
    assert alice.refresh().json["code"] == "refresh_token_revoked"
    assert alice.log_in().status_code == 401
    assert bob.refresh().status_code == 200


def test_enable_lets_a_person_log_in_again_and_restores_no_session(
    operator: Operator, alice: Person
) -> None:
    kept = alice.logged_in().refresh_token
    operator.run("users", "disable", alice.email)
    assert operator.run("users", "enable", alice.email).exit_code == 0
    alice.refresh_token = kept
    assert alice.refresh().status_code == 401
    assert alice.log_in().status_code == 200


def test_list_shows_each_account_whether_it_is_disabled_and_whether_it_is_verified(
    operator: Operator, alice: Person, bob: Person
) -> None:
    operator.run("users", "disable", bob.email)
    operator.run("users", "verify", bob.email)
    lines = [line.split("\t") for line in operator.run("users", "list").output.splitlines()]
    assert [(line[0], line[3].split()[0], line[5]) for line in lines] == [
        (alice.email, "enabled", "not verified"),
        (bob.email, "disabled", "verified"),
    ]


def test_list_shows_more_accounts_than_one_page_once_each_and_in_order(operator: Operator) -> None:
    added = [
        {"id": UUID(int=number), "email": f"{number}@example.com", "password_hash": "x"}
        for number in range(1, accounts.PAGE + 3)
    ]
    more = {"created_at": datetime(2026, 11, 24, tzinfo=UTC), "roles": ""}
    rows = [row | more | {"email_key": row["email"]} for row in added]
    engine = create_engine(operator.environment["AUTHSVC_DATABASE_URL"], poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(insert(User), rows)
    lines = operator.run("users", "list").output.splitlines()
    with engine.begin() as connection:  # the tests share the database
        connection.execute(delete(User).where(User.password_hash == "x"))
    assert [line.partition("\t")[0] for line in lines] == [row["email"] for row in added]


def test_grant_and_revoke_change_roles_and_the_list_shows_them(
    operator: Operator, alice: Person, bob: Person
) -> None:
    granted = operator.run("users", "grant", "Alice@Example.com", "admin", "editor", "admin")
    assert granted.stdout == "Alice@Example.com has the roles admin editor now.\n"
    assert "authsvc sessions revoke Alice@Example.com" in granted.stderr
    revoked = operator.run("users", "revoke", alice.email, "admin", "never-had")
    assert revoked.stdout == "alice@example.com has the roles editor now.\n"
    lines = [line.split("\t") for line in operator.run("users", "list").output.splitlines()]
    assert [line[4] for line in lines] == ["editor", ""]
    done = operator.run("users", "revoke", alice.email, "editor")
    assert done.stdout == "alice@example.com has no roles now.\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["Admin"], "'Admin' is not the name of a role"),
        (["editor", "a b"], "'a b' is not the name of a role"),
        ([f"role-{number}" for number in range(17)], "An account can have at most 16 roles."),
    ],
)
def test_grant_refuses_an_invalid_role_and_changes_nothing(
    operator: Operator, alice: Person, words: list[str], said: str
) -> None:
    done = operator.run("users", "grant", alice.email, *words)
    assert done.exit_code == 1
    assert said in done.output
    assert alice.logged_in().call("GET", "/api/me").json["roles"] == []


def test_a_granted_role_takes_effect_at_the_next_refresh(operator: Operator, alice: Person) -> None:
    alice.logged_in()
    operator.run("users", "grant", alice.email, "admin")
    assert "roles" not in claims(alice.access_token)
    alice.refresh()
    assert claims(alice.access_token)["roles"] == ["admin"]


def test_a_revoked_role_is_gone_at_once_if_the_sessions_are_revoked_too(
    operator: Operator, alice: Person
) -> None:
    operator.run("users", "grant", alice.email, "admin")
    with time_machine.travel("2036-11-24T12:00:00Z", tick=False) as clock:
        device = alice.logged_in().on_same_device()
        operator.run("users", "revoke", alice.email, "admin")
        assert claims(device.access_token)["roles"] == ["admin"]
        assert device.call("GET", "/api/me").status_code == 200
        operator.run("sessions", "revoke", alice.email)
        clock.shift(1)
        assert_problem(device.call("GET", "/api/me"), 401, "access_token_revoked")
        assert_problem(device.refresh(), 401, "refresh_token_revoked")
        assert "roles" not in claims(alice.logged_in().access_token)


def test_a_login_during_the_revocation_of_a_role_does_not_get_the_role(
    operator: Operator, alice: Person
) -> None:
    operator.run("users", "grant", alice.email, "admin")
    with alice.app.app_context():
        authenticated = verify_password(alice.email, alice.password)
        operator.run("users", "revoke", alice.email, "admin")
        operator.run("sessions", "revoke", alice.email)
        opened = open_for(authenticated)
    assert "roles" not in claims(opened.access_token.access_token)


def test_set_password_replaces_the_password_and_revokes_all_sessions(
    operator: Operator, alice: Person
) -> None:
    alice.logged_in()
    done = operator.run("users", "set-password", alice.email, typed=f"{NEW_PASSWORD}\n")
    assert done.exit_code == 0
    assert alice.refresh().status_code == 401
    assert alice.log_in().status_code == 401
    alice.password = NEW_PASSWORD
    assert alice.log_in().status_code == 200


def test_set_password_refuses_a_weak_password_and_changes_nothing(
    operator: Operator, alice: Person
) -> None:
    alice.logged_in()
    done = operator.run("users", "set-password", alice.email, typed="short\n")
    assert done.exit_code == 1
    assert alice.refresh().status_code == 200


def test_sessions_list_shows_live_sessions_without_terminal_codes(
    operator: Operator, alice: Person
) -> None:
    ended = alice.on_another_device().logged_in()
    alice.log_in(**{"User-Agent": "Firefox \x1b[2J"})
    ended.log_out()
    lines = operator.run("sessions", "list", alice.email).output.splitlines()
    assert len(lines) == 1
    assert lines[0].endswith("Firefox ?[2J")


def test_sessions_revoke_revokes_the_sessions_of_one_account(
    operator: Operator, alice: Person, bob: Person
) -> None:
    alice.logged_in()
    alice.on_another_device().logged_in()
    bob.logged_in()
    assert "2 sessions are revoked" in operator.run("sessions", "revoke", alice.email).output
    assert alice.refresh().status_code == 401
    assert bob.refresh().status_code == 200


def test_sessions_revoke_all_revokes_the_sessions_of_all_accounts(
    operator: Operator, alice: Person, bob: Person
) -> None:
    people = [alice.logged_in(), alice.on_another_device().logged_in(), bob.logged_in()]
    assert "3 sessions are revoked" in operator.run("sessions", "revoke", "--all").output
    assert [person.refresh().json["code"] for person in people] == ["refresh_token_revoked"] * 3


@pytest.mark.parametrize("words", [(), ("alice@example.com", "--all")])
def test_sessions_revoke_needs_either_an_address_or_all(
    operator: Operator, alice: Person, words: tuple[str, ...]
) -> None:
    alice.logged_in()
    assert operator.run("sessions", "revoke", *words).exit_code == 2
    assert alice.refresh().status_code == 200


@pytest.mark.parametrize(
    "words",
    [
        ("users", "disable"),
        ("users", "enable"),
        ("users", "set-password"),
        ("users", "verify"),
        ("users", "grant"),
        ("users", "revoke"),
        ("users", "unlock"),
        ("users", "export"),
        ("users", "delete"),
        ("users", "email"),
        ("sessions", "list"),
        ("sessions", "revoke"),
    ],
)
def test_an_unknown_address_is_refused_with_a_sentence(
    operator: Operator, words: list[str]
) -> None:
    more = (
        ["admin"] if words in [("users", "grant"), ("users", "revoke"), ("users", "email")] else []
    )
    done = operator.run(*words, "unknown@example.com", *more, typed=f"{NEW_PASSWORD}\n")
    assert done.exit_code == 1
    assert "There is no account with this e-mail address." in done.output


def test_sessions_purge_shows_how_many_were_removed(operator: Operator, alice: Person) -> None:
    alice.logged_in()
    assert "0 expired sessions" in operator.run("sessions", "purge").output


def lock_out(alice: Person) -> None:
    """Fail until logins and confirmations of the password are refused."""
    wrong = Person(alice.app, alice.email, "not the password of Alice")
    assert [wrong.log_in().status_code for _ in range(11)] == [401] * 10 + [429]
    body = {"password": wrong.password}
    answers = [alice.call("DELETE", "/api/me", json=body).status_code for _ in range(11)]
    assert answers == [403] * 10 + [429]


def test_14_22_unlock_lets_a_locked_out_owner_log_in_again(
    operator: Operator, alice: Person
) -> None:
    lock_out(alice.logged_in())
    assert alice.log_in().status_code == 429
    done = operator.run("users", "unlock", "ALICE@example.com")
    assert (done.exit_code, done.stdout) == (0, "ALICE@example.com can try to log in again.\n")
    assert alice.log_in().status_code == 200
    assert alice.call("DELETE", "/api/me", json={"password": "wrong"}).status_code == 403


def test_14_22_unlock_leaves_other_accounts_locked(
    operator: Operator, alice: Person, bob: Person
) -> None:
    for person in (alice, bob):
        lock_out(person.logged_in())
    operator.run("users", "unlock", alice.email)
    assert (alice.log_in().status_code, bob.log_in().status_code) == (200, 429)


def test_14_29_delete_removes_an_account_and_ends_its_sessions(
    operator: Operator, alice: Person, bob: Person, connection: Connection
) -> None:
    with time_machine.travel("2036-11-24T12:00:00Z", tick=False) as clock:
        tab = alice.logged_in().on_same_device()
        done = operator.run("users", "delete", alice.email, "--yes")
        assert (done.exit_code, done.stdout) == (0, f"{alice.email} is deleted.\n")
        clock.shift(1)
        assert_problem(tab.call("GET", "/api/me"), 401, "access_token_revoked")
        assert_problem(alice.refresh(), 401, "refresh_token_revoked")
    assert alice.log_in().status_code == 401
    assert bob.log_in().status_code == 200
    assert [row.email for row in users(connection)] == [bob.email]
    (gone, _) = sessions(connection)
    assert (gone.user_id, gone.ip_address, gone.user_agent) == (None, None, None)


@pytest.mark.parametrize(("typed", "left"), [("y\n", 0), ("n\n", 1), ("\n", 1), ("", 1)])
def test_14_29_delete_asks_for_confirmation(
    operator: Operator, alice: Person, connection: Connection, typed: str, left: int
) -> None:
    done = operator.run("users", "delete", alice.email, typed=typed)
    assert f"Delete {alice.email} ({users_id(done)}) for good?" in done.output
    assert (done.exit_code, len(users(connection))) == (left, left)


def users_id(done: Result) -> str:
    """Return the id in what a command showed."""
    (found,) = set(re.findall("[0-9a-f]{8}-[0-9a-f-]{27}", done.output))
    return found


def test_14_29_delete_of_an_account_that_other_rows_refer_to_changes_nothing(
    operator: Operator, alice: Person, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    alice.logged_in()
    column = connection.dialect.type_compiler_instance.process(User.__table__.c.id.type)
    connection.execute(text(f"CREATE TABLE notes (owner {column} REFERENCES users)"))
    try:
        connection.execute(text("INSERT INTO notes SELECT id FROM users"))
        done = operator.run("users", "delete", alice.email, "--yes")
    finally:
        connection.execute(text("DROP TABLE notes"))
    assert done.exit_code == 1
    assert "so it cannot be deleted now." in done.stderr
    assert "notes" in caplog.text
    assert alice.refresh().status_code == 200


def test_14_29_email_replaces_the_address_and_keeps_sessions_and_password(
    operator: Operator, alice: Person, connection: Connection
) -> None:
    alice.logged_in()
    connection.execute(text("UPDATE users SET email_verified_at = created_at"))
    done = operator.run("users", "email", alice.email, " Alice@B\u00fccher.example")
    assert done.stdout == "The account has the e-mail address Alice@b\u00fccher.example now.\n"
    assert alice.refresh().status_code == 200
    assert alice.on_another_device().log_in().status_code == 401
    alice.email = "alice@xn--bcher-kva.example"
    assert alice.log_in().status_code == 200
    assert users(connection)[0].email_verified_at is None


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("BOB@example.com", "There is an account with this e-mail address."),
        ("bob", "This is not an e-mail address."),
    ],
)
def test_14_29_email_refuses_an_address_that_is_taken_or_invalid(
    operator: Operator, alice: Person, bob: Person, new: str, said: str
) -> None:
    done = operator.run("users", "email", alice.email, new)
    assert (done.exit_code, done.stderr) == (1, f"Error: {said}\n")
    assert (alice.log_in().status_code, bob.log_in().status_code) == (200, 200)


def test_14_29_commands_find_an_account_by_its_id(
    operator: Operator, alice: Person, connection: Connection
) -> None:
    (row,) = users(connection)
    assert operator.run("users", "email", str(row.id), "carol@example.com").exit_code == 0
    assert operator.run("users", "disable", str(row.id)).exit_code == 0
    unknown = operator.run("users", "disable", "00000000-0000-7000-8000-000000000000")
    assert "There is no account with this e-mail address." in unknown.stderr
    assert [row.email for row in users(connection)] == ["carol@example.com"]


def test_14_29_export_shows_all_that_is_stored_about_a_person_and_no_hash(
    operator: Operator, alice: Person, bob: Person, connection: Connection
) -> None:
    alice.log_in(**{"User-Agent": "Firefox"})
    alice.on_another_device().logged_in().log_out()
    Person(alice.app, alice.email, "not the password of Alice").log_in()
    bob.logged_in()
    data = json.loads(operator.run("users", "export", alice.email).stdout)
    row, _ = users(connection)
    assert data["account"] == {
        "id": str(row.id),
        "email": alice.email,
        "email_key": alice.email,
        "created_at": data["account"]["created_at"],
        "disabled_at": None,
        "email_verified_at": None,
        "locale": None,
        "roles": "",
    }
    assert [session["ip_address"] for session in data["sessions"]] == ["127.0.0.1"] * 2
    assert data["sessions"][0]["user_agent"] == "Firefox"
    kinds = ["login_refused", "logged_out", "logged_in", "logged_in", "registered"]
    assert [event["event"] for event in data["events"]] == kinds
    assert data["limits"] == {
        "failed_logins": 1,
        "failed_confirmations": 0,
        "wrong_codes": 0,
    }
    assert "hash" not in str(data)


def test_14_29_an_export_has_every_event_of_a_long_history(
    operator: Operator, alice: Person, connection: Connection
) -> None:
    (row,) = users(connection)
    now = datetime(2026, 11, 24, tzinfo=UTC)
    event = {"at": now, "event": "logged_in", "actor": "user", "user_id": row.id}
    rows = [{"id": id, **event} for id in new_ids(now, 2100)]
    with connection.engine.begin() as together:
        together.execute(insert(SecurityEvent), rows)
    data = json.loads(operator.run("users", "export", alice.email).stdout)
    assert len({event["id"] for event in data["events"]}) == 2101


@pytest.fixture
def other_database(
    database: str, make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """A database of another kind: SQLite beside Postgres, otherwise a second one."""
    if database == "postgres":
        return f"sqlite:///{tmp_path_factory.mktemp('other') / 'authsvc.db'}"
    return make_database()


def test_db_copy_moves_every_row_there_and_back(
    operator: Operator,
    alice: Person,
    bob: Person,
    database_url: str,
    other_database: str,
    make_database: MakeDatabase,
) -> None:
    alice.logged_in()
    bob.logged_in().log_out()
    operator.run("users", "grant", alice.email, "admin")
    third = make_database()
    assert operator.run("db", "copy", database_url, other_database).exit_code == 0
    assert operator.run("db", "copy", other_database, third).exit_code == 0
    assert rows(third) == rows(other_database) == rows(database_url)
    assert len(rows(third)["refresh_tokens"]) == 2
    assert len(rows(third)["security_events"]) == 6
    assert rows(third)["users"][0][-1] == "admin"


def test_db_copy_into_a_database_with_rows_changes_nothing(
    operator: Operator, alice: Person, database_url: str, make_database: MakeDatabase
) -> None:
    target = make_database()
    operator.run("db", "copy", database_url, target)
    before = rows(target)
    done = operator.run("db", "copy", database_url, target)
    assert done.exit_code == 1
    assert "TO has rows in " in done.output
    assert rows(target) == before


def test_db_copy_from_a_database_without_tables_is_refused(
    operator: Operator, database_url: str, make_database: MakeDatabase
) -> None:
    done = operator.run("db", "copy", make_database(), database_url)
    assert done.exit_code == 1
    assert "FROM is not up to date" in done.output


def rows(url: str) -> dict[str, list[tuple[object, ...]]]:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return {
            table.name: sorted(tuple(row) for row in connection.execute(select(table)))
            for table in Base.metadata.sorted_tables
        }
