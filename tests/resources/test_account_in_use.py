"""DELETE /api/me where rows of an operator's own tables refer to the account."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, text

from authsvc.users.model import User
from tests.support.people import Person
from tests.support.responses import assert_problem, events, live_sessions, users

TABLES = ("note_tags", "notes")


@pytest.fixture
def create(connection: Connection) -> Iterator[Callable[..., None]]:
    """A function that executes SQL, in which ID is the type of users.id."""
    ids = connection.dialect.type_compiler_instance.process(User.__table__.c.id.type)

    def execute(*statements: str) -> None:
        for statement in statements:
            connection.execute(text(statement.replace("ID", ids)))

    yield execute
    for table in TABLES:
        connection.execute(text(f"DROP TABLE IF EXISTS {table}"))


def delete(person: Person):
    return person.call("DELETE", "/api/me", json={"password": person.password})


REFUSING = {
    "a plain foreign key": ("CREATE TABLE notes (owner ID REFERENCES users (id))", "notes"),
    "RESTRICT": ("CREATE TABLE notes (owner ID REFERENCES users (id) ON DELETE RESTRICT)", "notes"),
    "a foreign key that is checked at the commit": (
        "CREATE TABLE notes (owner ID REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED)",
        "notes",
    ),
    "SET NULL on a column that is NOT NULL": (
        "CREATE TABLE notes (owner ID NOT NULL REFERENCES users (id) ON DELETE SET NULL)",
        "notes",
    ),
}


@pytest.mark.parametrize("case", REFUSING)
def test_an_account_that_rows_refer_to_is_409_and_nothing_changes(
    alice: Person,
    connection: Connection,
    create: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    case: str,
) -> None:
    sql, named = REFUSING[case]
    create(sql, "INSERT INTO notes SELECT id FROM users")
    alice.logged_in()
    before = (users(connection), events(connection))
    answer = delete(alice)
    assert_problem(answer, 409, "account_in_use")
    assert "Set-Cookie" not in answer.headers
    assert (users(connection), events(connection)) == before
    assert live_sessions(connection) == 1
    assert (alice.refresh().status_code, alice.call("GET", "/api/me").status_code) == (200, 200)
    (line,) = [record.getMessage() for record in caplog.records if "not deleted" in record.msg]
    assert named in line
    assert str(before[0][0].id) not in line
    assert before[0][0].id.hex not in line


def test_rows_that_refer_to_rows_of_the_account_are_409_too(
    alice: Person,
    connection: Connection,
    create: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    create(
        "CREATE TABLE notes (owner ID PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE)",
        "CREATE TABLE note_tags (note ID REFERENCES notes (owner))",
        "INSERT INTO notes SELECT id FROM users",
        "INSERT INTO note_tags SELECT id FROM users",
    )
    alice.logged_in()
    assert_problem(delete(alice), 409, "account_in_use")
    assert connection.execute(text("SELECT count(*) FROM notes")).scalar_one() == 1
    assert "a foreign key" in caplog.text or "note_tags" in caplog.text


TRIGGERS = {
    "sqlite": [
        "CREATE TRIGGER keep BEFORE DELETE ON users BEGIN SELECT RAISE(ABORT, 'canary'); END"
    ],
    "postgresql": [
        "CREATE FUNCTION keep() RETURNS trigger AS "
        "$$ BEGIN RAISE EXCEPTION 'canary'; END $$ LANGUAGE plpgsql",
        "CREATE TRIGGER keep BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION keep()",
    ],
}
DROP = {
    "sqlite": ["DROP TRIGGER keep"],
    "postgresql": ["DROP TRIGGER keep ON users", "DROP FUNCTION keep"],
}


def test_a_trigger_that_refuses_is_409(
    alice: Person, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    alice.logged_in()
    for statement in TRIGGERS[connection.dialect.name]:
        connection.execute(text(statement))
    try:
        assert_problem(delete(alice), 409, "account_in_use")
    finally:
        for statement in DROP[connection.dialect.name]:
            connection.execute(text(statement))
    assert "An account was not deleted: a trigger" in caplog.text
    assert "canary" not in caplog.text
    assert alice.refresh().status_code == 200
    assert delete(alice).status_code == 204


@pytest.mark.every_case
@pytest.mark.parametrize(("action", "left"), [("CASCADE", []), ("SET NULL", [None])])
def test_rows_go_with_the_account_or_lose_its_id_as_their_foreign_key_says(
    alice: Person,
    connection: Connection,
    create: Callable[..., None],
    action: str,
    left: list[None],
) -> None:
    create(
        f"CREATE TABLE notes (owner ID REFERENCES users (id) ON DELETE {action})",
        "INSERT INTO notes SELECT id FROM users",
    )
    alice.logged_in()
    assert delete(alice).status_code == 204
    assert list(connection.execute(text("SELECT owner FROM notes")).scalars()) == left


def test_the_description_names_the_problem(app) -> None:
    document = app.test_client().get("/openapi.json").json
    conflict = document["paths"]["/api/me"]["delete"]["responses"]["409"]
    assert conflict == {"$ref": "#/components/responses/AccountInUse"}
