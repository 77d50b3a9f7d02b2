"""`authsvc audit`: the trail on a terminal, in a pipe and as JSON."""

import json
import os
import pty
import pwd
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import Connection, insert

from authsvc.audit.model import SecurityEvent, new_ids
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.responses import users
from tests.support.running_service import ROOT

TODAY = ["logged_in", "logged_in", "logged_out", "login_refused"]
NOON = datetime(2036, 11, 24, 12, 0, 0, tzinfo=UTC)


def lines(operator: Operator, *words: str) -> list[list[str]]:
    done = operator.run("audit", *words)
    assert done.exit_code == 0, done.output
    return [line.split("\t") for line in done.stdout.splitlines()]


def kinds(operator: Operator, *words: str) -> list[str]:
    return [words[1] for words in lines(operator, *words)]


@pytest.fixture
def reader(alice: Person, bob: Person, operator: Operator) -> Operator:
    """An operator, after some events; the first is at NOON."""
    with time_machine.travel(NOON, tick=False) as clock:
        alice.log_in(**{"User-Agent": "a\tbrowser \x1b[2J"})
        clock.shift(timedelta(hours=1))
        bob.logged_in()
        clock.shift(timedelta(hours=1))
        bob.log_out()
        clock.shift(timedelta(hours=1))
        stranger = Person(alice.app, "unknown@example.com", "canary-typed")
        stranger.log_in()
    return operator


def test_in_a_pipe_each_event_is_a_line_with_tabs_and_the_newest_is_the_last(
    reader: Operator,
) -> None:
    assert kinds(reader) == ["registered", "registered", *TODAY]
    login, *_, refused = lines(reader)[2:]
    assert login[:5] == [
        "2036-11-24T12:00:00Z",
        "logged_in",
        "alice@example.com",
        "user",
        "127.0.0.1",
    ]
    assert re.fullmatch("[0-9a-f]{16}", login[5])
    assert login[6:] == ["-", "a?browser ?[2J"]
    assert refused[:3] == ["2036-11-24T15:00:00Z", "login_refused", "-"]


def test_json_is_an_object_a_line(reader: Operator, connection: Connection) -> None:
    events = [json.loads(line) for line in reader.run("audit", "--json").stdout.splitlines()]
    alice, _ = users(connection)
    assert events[2] == {
        "id": events[2]["id"],
        "event": "logged_in",
        "at": "2036-11-24T12:00:00Z",
        "actor": "user",
        "operator": None,
        "ip_address": "127.0.0.1",
        "user_agent": "a\tbrowser \x1b[2J",
        "detail": None,
        "user": str(alice.id),
        "email": "alice@example.com",
        "session": events[2]["session"],
    }
    assert (events[-1]["user"], events[-1]["email"]) == (None, None)
    assert "canary" not in str(events)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--user", "Alice@Example.com"], ["registered", "logged_in"]),
        (["--event", "logged_out"], ["logged_out"]),
        (["--event", "logged_out", "--event", "logged_in"], TODAY[:3]),
        (["--since", "2036-11-24"], TODAY),
        (["--since", "2036-11-24T13:00:00Z"], TODAY[1:]),
        (["--since", "2036-11-24T14:00:00+01:00"], TODAY[1:]),
        (["--until", "2036-11-24T12:00:00"], ["registered"] * 2),
        (["--since", "2036-11-24T12:00:00", "--until", "2036-11-24T14:00:00"], TODAY[:2]),
        (["--since", "90m"], TODAY[2:]),
        (["--since", "1d"], TODAY),
        (["--since", "1w", "--until", "0d"], TODAY[:3]),
        (["--limit", "3"], TODAY[1:]),
        (["--user", "bob@example.com", "--event", "logged_out", "--since", "1h"], ["logged_out"]),
    ],
)
def test_options_filter_the_events(reader: Operator, words: list[str], expected: list[str]) -> None:
    with time_machine.travel(NOON + timedelta(hours=3), tick=False):
        assert kinds(reader, *words) == expected


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--since", "yesterday"], "write 2026-11-24"),
        (["--since", "1"], "write 2026-11-24"),
        (["--since", "999999999999d"], "write 2026-11-24"),
        (["--suspicious", "--event", "logged_in"], "Give either --event or --suspicious."),
        (["--event", "nothing"], "is not one of 'registered'"),
        (["--limit", "0"], "1<=x<=10000"),
        (["purg"], "No such command 'purg'"),
    ],
)
def test_an_invalid_filter_is_refused_with_a_sentence(
    operator: Operator, words: list[str], said: str
) -> None:
    done = operator.run("audit", *words)
    assert done.exit_code == 2
    assert said in done.output


def test_an_unknown_address_is_refused_with_a_sentence(operator: Operator) -> None:
    done = operator.run("audit", "--user", "unknown@example.com")
    assert done.exit_code == 1
    assert "There is no account with this e-mail address." in done.output


def test_the_earliest_and_the_latest_time_are_accepted(reader: Operator) -> None:
    assert kinds(reader, "--since", "0001-01-01", "--until", "9999-12-31") == kinds(reader)


def test_the_newest_hundred_are_shown_by_default(
    operator: Operator, connection: Connection
) -> None:
    row = {"at": NOON, "event": "login_refused", "actor": "user"}
    connection.execute(insert(SecurityEvent), [{"id": id, **row} for id in new_ids(NOON, 130)])
    assert len(lines(operator)) == 100
    assert len(lines(operator, "--limit", "10000")) == 130


def test_suspicious_shows_the_signs_of_theft_alone(
    reader: Operator, alice: Person, connection: Connection
) -> None:
    signs = [
        ("suspicious_use", "network"),
        ("refresh_refused", "dpop_proof_missing"),
        ("refresh_refused", "dpop_proof_invalid"),
        ("refresh_refused", "device_proof_missing"),
        ("refresh_refused", "refresh_token_invalid"),
        ("login_refused", "sign_count_went_back"),
        ("reauthentication_refused", "sign_count_went_back"),
    ]
    others = [
        ("refresh_refused", "refresh_token_revoked"),
        ("refresh_refused", "refresh_token_expired"),
        ("login_refused", "wrong_password"),
        ("login_refused", "challenge_used"),
        ("reauthentication_refused", "wrong_code"),
    ]
    rows = [
        {"id": id, "at": NOON, "event": event, "detail": detail, "actor": "user"}
        for id, (event, detail) in zip(new_ids(NOON, 12), [*others, *signs], strict=True)
    ]
    connection.execute(insert(SecurityEvent), rows)
    shown = [(words[1], words[6]) for words in lines(reader, "--suspicious")]
    assert shown == signs
    assert lines(reader, "--suspicious", "--user", alice.email) == []


def test_on_a_terminal_it_is_a_table_no_wider_than_the_terminal(reader: Operator) -> None:
    styled = on_a_terminal(reader, columns=100)
    head, *rows = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in styled]
    assert head.split()[:5] == ["TIME", "EVENT", "ACCOUNT", "BY", "ADDRESS"]
    assert len(rows) == 6
    assert {row[head.index("EVENT") :].split()[0] for row in rows} == {"registered", *TODAY}
    assert {row[head.index("ADDRESS") :].split()[0] for row in rows} == {"127.0.0.1"}
    assert max(map(len, [head, *rows])) <= 100
    assert "\x1b[33m" in styled[-1]  # refusals are yellow


def on_a_terminal(operator: Operator, columns: int) -> list[str]:
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "authsvc", "audit"],
        env={**operator.environment, "PYTHONPATH": str(ROOT), "COLUMNS": str(columns)},
        stdout=theirs,
        stderr=theirs,
        stdin=subprocess.DEVNULL,
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(terminal, 4096):
            shown += part
    except OSError:
        pass  # Linux: the other end is closed
    finally:
        os.close(terminal)
        assert process.wait(timeout=30) == 0, shown
    return shown.decode().splitlines()


def test_a_reader_that_closes_the_pipe_early_is_not_an_error(reader: Operator) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "authsvc", "audit"],
        env={**reader.environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, stderr = process.communicate(timeout=30)
    assert "cannot be used" not in stderr
    assert "Traceback" not in stderr


def test_14_36_the_operator_is_named_as_the_system_names_them(
    operator: Operator, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    operator.run("users", "disable", alice.email)
    monkeypatch.setenv("SUDO_USER", "carol")
    operator.run("users", "enable", alice.email)
    name = pwd.getpwuid(os.getuid()).pw_name
    assert [line[3] for line in lines(operator)] == ["user", f"operator:{name}", "operator:carol"]
    last = json.loads(operator.run("audit", "--json", "--limit", "1").stdout)
    assert (last["actor"], last["operator"]) == ("operator", "carol")


def test_14_36_an_operator_without_a_name_is_shown_by_their_id(
    operator: Operator, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_001)
    operator.run("users", "disable", alice.email)
    assert lines(operator)[-1][3] == "operator:uid 4000000001"


def test_14_36_the_owner_of_the_account_is_not_shown_the_operators_name(
    operator: Operator, alice: Person
) -> None:
    operator.run("users", "grant", alice.email, "admin")
    newest, *_ = alice.logged_in().call("GET", "/api/me/activity").json["events"][1:]
    assert (newest["event"], newest["actor"]) == ("roles_changed", "operator")
    assert "operator" not in newest
