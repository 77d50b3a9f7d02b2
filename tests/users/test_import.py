"""Issue 14.28: `users import` takes accounts from another system, whatever their file holds."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from click.testing import Result
from flask import Flask
from sqlalchemy import Connection

from authsvc.admin.import_accounts import BATCH
from authsvc.users.import_lines import MAX_LINE
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.responses import events, users
from tests.users.test_passwords import CHEAPEST, PASSWORD, outdated

HASH = CHEAPEST.hash(PASSWORD)
NOON = datetime(2036, 11, 24, 12, tzinfo=UTC)
ALICE = {"email": "Alice@example.com", "hash": HASH}


def run(operator: Operator, tmp_path: Path, content: bytes | str) -> Result:
    file = tmp_path / "accounts"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return operator.run("users", "import", str(file))


def lines(*values: object) -> str:
    return "".join(f"{json.dumps(value)}\n" for value in values)


def reported(done: Result) -> list[str]:
    """Return what was reported of lines, and assert that it holds nothing of them."""
    assert "canary" not in done.output
    assert "Traceback" not in done.output
    return [line.strip("\r") for line in done.stderr.splitlines() if "line " in line]


@pytest.mark.parametrize("kind", list(outdated(PASSWORD)))
def test_an_imported_account_logs_in_with_its_password(
    operator: Operator, app: Flask, tmp_path: Path, kind: str
) -> None:
    done = run(operator, tmp_path, lines({**ALICE, "hash": outdated(PASSWORD)[kind]}))
    assert (done.exit_code, reported(done)) == (0, [])
    assert done.stdout == "1 accounts are imported, 0 exist already, 0 refused.\n"
    assert Person(app, "alice@example.com", PASSWORD).log_in().status_code == 200


@time_machine.travel(NOON, tick=False)
def test_all_fields_are_stored_and_the_event_names_the_operator(
    operator: Operator, connection: Connection, tmp_path: Path
) -> None:
    more = {"created_at": "2020-02-03T05:05:06+01:00", "roles": ["admin", "editor"]}
    run(
        operator,
        tmp_path,
        lines({**ALICE, **more, "verified": True}, {**ALICE, "email": "b@b.example"}),
    )
    alice, other = users(connection)
    assert (alice.email, alice.email_key, alice.roles) == (
        "Alice@example.com",
        "alice@example.com",
        "admin editor",
    )
    assert alice.created_at == datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert (alice.email_verified_at, other.email_verified_at) == (NOON, None)
    assert (other.created_at, other.roles) == (NOON, "")
    assert [(row.event, row.detail, row.user_id) for row in events(connection)] == [
        ("registered", "imported", alice.id),
        ("registered", "imported", other.id),
    ]
    assert all(row.operator for row in events(connection))


def test_csv_and_standard_input_are_read(operator: Operator, connection: Connection) -> None:
    text = (
        "\ufeffemail,verified,hash,roles,created_at\r\n"
        f'a@example.com,true,"{HASH}",admin editor,2020-02-03T04:05:06\r\n'
        "\r\n"
        f"b@example.com,,{HASH.replace(',', '')},,\r\n"
        f'c@example.com,FALSE,"{HASH}",,\r\n'
    )
    done = operator.run("users", "import", "-", typed=text)
    assert reported(done) == [
        "line 4: `hash` is not in a known format; plain passwords are not imported"
    ]
    first, second = users(connection)
    assert (first.email, first.roles, second.email) == (
        "a@example.com",
        "admin editor",
        "c@example.com",
    )
    assert first.email_verified_at is not None
    assert second.email_verified_at is None


REFUSED = {
    "{": "not JSON",
    "[]": "not a JSON object",
    '{"email": "canary@a.example", "email": "b@b.example", "hash": "x"}': "names a member twice",
    lines({**ALICE, "password": "canary"}): "a member other than",
    lines({"hash": HASH}): "`email` is not an e-mail address",
    lines({**ALICE, "email": 7}): "`email` is not an e-mail address",
    lines({**ALICE, "email": "canary"}): "`email` is not an e-mail address",
    lines({**ALICE, "email": "canary\0@example.com"}): "`email` is not an e-mail address",
    lines({**ALICE, "email": "canary\ud800@example.com"}): "`email` is not an e-mail address",
    lines({"email": "a@example.com"}): "`hash` is not a text",
    lines({**ALICE, "hash": ["canary"]}): "`hash` is not a text",
    lines({**ALICE, "hash": "pbkdf2:sha256:1000$\0canary$ab"}): "`hash` is not a text",
    lines({**ALICE, "hash": "canary in plain text"}): "plain passwords are not imported",
    lines({**ALICE, "hash": "!canary"}): "plain passwords are not imported",
    lines({**ALICE, "hash": "d41d8cd98f00b204e9800998ecf8427e"}): "not in a known format",
    lines({**ALICE, "hash": "$2b$15$" + "a" * 53}): "takes too long to verify: bcrypt cost 15",
    lines({**ALICE, "created_at": "canary"}): "`created_at` is not a time",
    lines({**ALICE, "created_at": 7}): "`created_at` is not a time",
    lines({**ALICE, "created_at": "0001-01-01T00:00:00+14:00"}): "`created_at` is not a time",
    lines({**ALICE, "created_at": "9998-01-01"}): "`created_at` is in the future",
    lines({**ALICE, "roles": "canary Canary"}): "`roles` has a name",
    lines({**ALICE, "roles": {"canary": 1}}): "`roles` has a name",
    lines({**ALICE, "roles": [["canary"]]}): "`roles` has a name",
    lines({**ALICE, "roles": [f"r{n}" for n in range(17)]}): "`roles` has more than 16",
    lines({**ALICE, "verified": "canary"}): "`verified` is not true or false",
}


@pytest.mark.parametrize("line", list(REFUSED))
def test_a_wrong_line_is_refused_with_its_number_and_the_others_are_imported(
    operator: Operator, connection: Connection, tmp_path: Path, line: str
) -> None:
    good = {**ALICE, "email": "good@example.com"}
    done = run(
        operator,
        tmp_path,
        f"{lines(good)}\n{line.strip()}\n{lines({**good, 'email': 'b@b.example'})}",
    )
    assert done.exit_code == 1
    (report,) = reported(done)
    assert report.startswith("line 3: ")
    assert REFUSED[line] in report
    assert [row.email for row in users(connection)] == ["good@example.com", "b@b.example"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"email": "' + b"x" * MAX_LINE + b'"}', f"the line has more than {MAX_LINE} bytes"),
        (b"{" * 300_000, f"the line has more than {MAX_LINE} bytes"),
        (b'{"email": "\xff"}', "the line is not JSON in UTF-8, or names a member twice"),
        (b"[" * 9000, "the line is not JSON in UTF-8, or names a member twice"),
    ],
    ids=["long", "very long", "latin-1", "deep"],
)
def test_a_hostile_line_is_refused_and_the_others_are_imported(
    operator: Operator, connection: Connection, tmp_path: Path, line: bytes, why: str
) -> None:
    last = lines({**ALICE, "email": "last@example.com"}).encode()
    done = run(operator, tmp_path, lines(ALICE).encode() + line + b"\n" + last)
    assert reported(done) == [f"line 2: {why}"]
    assert len(users(connection)) == 2


@pytest.mark.parametrize(
    "line", ["a@example.com", f"a@example.com,{HASH}", 'a@example.com,"canary', "a,b,c,d"]
)
def test_a_wrong_line_of_csv_is_refused(operator: Operator, tmp_path: Path, line: str) -> None:
    done = run(operator, tmp_path, f"email,hash\n{line}\n")
    (report,) = reported(done)
    assert report.startswith("line 2: the line ")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"email\n",
        b"email,hash,hash\n",
        b"email,hash,canary\n",
        b'"email,hash\n',
        lines(ALICE).encode("utf-16"),
        b"x" * 200_000,
    ],
    ids=range(8),
)
def test_a_file_that_is_neither_json_lines_nor_csv_is_refused(
    operator: Operator, connection: Connection, tmp_path: Path, content: bytes
) -> None:
    done = run(operator, tmp_path, content)
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: The first line is neither a JSON object nor a CSV header")
    assert users(connection) == []


def test_the_same_file_imported_again_changes_nothing_and_reports_each_line(
    operator: Operator, connection: Connection, tmp_path: Path
) -> None:
    bob = {**ALICE, "email": "bob@example.com"}
    content = lines(ALICE, bob, {**ALICE, "email": "ALICE@example.com"})
    assert reported(run(operator, tmp_path, content)) == [
        "line 3: the address has an account already"
    ]
    before = users(connection)
    done = run(operator, tmp_path, content.replace(HASH, outdated(PASSWORD)["scrypt"]))
    assert len(reported(done)) == 3
    assert done.stdout == "0 accounts are imported, 3 exist already, 0 refused.\n"
    assert (done.exit_code, users(connection)) == (0, before)


def test_each_batch_is_one_transaction(
    operator: Operator, connection: Connection, tmp_path: Path
) -> None:
    accounts = [{**ALICE, "email": f"{number}@example.com"} for number in range(BATCH + 2)]
    done = run(operator, tmp_path, lines(*accounts))
    assert f"\r{BATCH} imported ..." in done.stderr
    assert f"\r{BATCH + 2} imported ..." in done.stderr
    assert len(users(connection)) == len(events(connection)) == BATCH + 2
