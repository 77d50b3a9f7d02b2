"""An operator's own tables: `db` works as the documentation of Flask-SQLAlchemy says."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Connection, ForeignKey, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from authsvc import db
from authsvc.database import Base
from authsvc.database.pool import CONNECTIONS, OWN_CONNECTIONS
from authsvc.guard import public
from tests.conftest import MakeApp
from tests.support.people import Person
from tests.support.responses import assert_problem, users

THREADS = 20
WAIT = 20
"""Seconds: a generous deadline, which only a test that fails reaches."""


@pytest.fixture(scope="module")
def own(make_app: MakeApp) -> Iterator[SimpleNamespace]:
    """An app with a table of the operator's, and the model of the table."""

    class Note(db.Model):  # type: ignore[name-defined, misc]
        id: Mapped[int] = mapped_column(primary_key=True)
        user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
        text: Mapped[str] = mapped_column(unique=True)
        reads: Mapped[int] = mapped_column(default=0)

    app = make_app(rate_limit_factor=1000)
    with app.app_context():
        Note.__table__.create(db.engine)
    yield SimpleNamespace(app=app, Note=Note)
    with app.app_context():
        Note.__table__.drop(db.engine)
    db.metadata.remove(Note.__table__)
    db.Model.registry.dispose()


@pytest.fixture
def note(app: Flask, own: SimpleNamespace) -> Iterator[type]:
    """The model; its table is empty, and each test begins and ends without a session."""
    with own.app.app_context():
        db.session.execute(db.delete(own.Note))
        db.session.commit()
    yield own.Note
    with own.app.app_context():
        db.session.execute(db.delete(own.Note))
        db.session.commit()


@pytest.fixture
def view(own: SimpleNamespace, note: type) -> Callable[..., str]:
    """A function that adds a public view, and returns its path."""

    def add(function: Callable[[], object], *methods: str) -> str:
        path = f"/own/{len(own.app.view_functions)}"
        own.app._got_first_request = False
        own.app.add_url_rule(path, path, public(lambda: function()), methods=methods or ["GET"])
        return path

    return add


def rows(connection: Connection) -> list[str]:
    return list(connection.execute(text("SELECT text FROM note ORDER BY id")).scalars())


def statuses(app: Flask, requests: list[tuple[str, str]]) -> list[int]:
    """Send the requests at once, each in a thread of its own, and return the statuses."""

    def ask(request: tuple[str, str]) -> int:
        method, path = request
        return app.test_client().open(path, method=method).status_code

    with ThreadPoolExecutor(len(requests)) as threads:
        return list(threads.map(ask, requests))


def test_the_tables_are_in_our_metadata_with_our_names(note: type) -> None:
    table = note.__table__
    assert db.metadata is Base.metadata
    assert table.name == "note"
    assert {constraint.name for constraint in table.constraints} == {
        "pk_note",
        "fk_note_user_id",
        "uq_note_text",
    }


def test_what_is_rolled_back_leaves_no_row(
    own: SimpleNamespace, note: type, connection: Connection
) -> None:
    with own.app.app_context():
        db.session.add(note(text="flushed"))
        db.session.flush()
        assert rows(connection) == []
        db.session.rollback()
        db.session.add(note(text="kept"))
        db.session.commit()
        db.session.add(note(text="not committed"))
        db.session.flush()
    assert rows(connection) == ["kept"]


def test_a_savepoint_is_rolled_back_alone(
    own: SimpleNamespace, note: type, connection: Connection
) -> None:
    with own.app.app_context():
        db.session.add(note(text="before"))
        db.session.flush()
        with pytest.raises(IntegrityError), db.session.begin_nested():
            db.session.add(note(text="before"))
        db.session.commit()
    assert rows(connection) == ["before"]
    with own.app.app_context():
        savepoint = db.session.begin_nested()
        db.session.add(note(text="inside"))
        savepoint.commit()
        db.session.rollback()
    assert rows(connection) == ["before"]


def test_the_engine_begins_transactions_too(
    own: SimpleNamespace, note: type, connection: Connection
) -> None:
    with own.app.app_context():
        with db.engine.connect() as own_connection:
            own_connection.execute(db.insert(note).values(text="a", reads=0))
            own_connection.rollback()
        raw = db.engine.raw_connection()
        try:
            raw.cursor().execute("INSERT INTO note (text, reads) VALUES ('b', 0)")
            raw.rollback()
        finally:
            raw.close()
    assert rows(connection) == []


def test_a_connection_in_autocommit_begins_no_transaction(
    own: SimpleNamespace, note: type, connection: Connection
) -> None:
    with own.app.app_context(), db.engine.connect() as own_connection:
        own_connection.execution_options(isolation_level="AUTOCOMMIT")
        own_connection.execute(db.insert(note).values(text="at once", reads=0))
        assert rows(connection) == ["at once"]


def test_what_flask_sqlalchemy_adds_works(
    own: SimpleNamespace, note: type, view: Callable[..., str]
) -> None:
    with own.app.app_context():
        db.session.add_all([note(text=str(number)) for number in range(3)])
        db.session.commit()
        assert note.query.filter_by(text="1").count() == 1
    page = view(lambda: str(db.paginate(select(note).order_by(note.id), per_page=2).total))
    assert own.app.test_client().get(page).text == "3"
    missing = own.app.test_client().get(view(lambda: db.get_or_404(note, -1)))
    assert_problem(missing, 404, "not_found")
    missing = own.app.test_client().get(
        view(lambda: db.get_or_404(note, -1, description="No note."))
    )
    assert missing.json["detail"] == "No note."


def test_a_foreign_key_is_enforced(own: SimpleNamespace, note: type) -> None:
    with own.app.app_context():
        db.session.add(note(text="of a stranger", user_id=UUID(int=1)))
        with pytest.raises(IntegrityError):
            db.session.commit()


def test_the_session_is_closed_after_each_request(
    own: SimpleNamespace, view: Callable[..., str]
) -> None:
    path = view(lambda: str(db.session.scalar(select(func.count()).select_from(own.Note))))
    answers = [own.app.test_client().get(path) for _ in range(20)]
    assert [answer.status_code for answer in answers] == [200] * 20


@pytest.mark.usefixtures("note")
def test_a_teardown_function_of_the_operators_may_use_the_session(
    make_app: MakeApp,
) -> None:
    app, seen = make_app(), []
    app.teardown_appcontext(lambda _: seen.append(db.session.scalar(select(func.now()))))
    app.get("/reads")(public(lambda: str(db.session.scalar(select(1)))))
    assert app.test_client().get("/reads").text == "1"
    assert len(seen) == 1
    app.teardown_appcontext_funcs = app.teardown_appcontext_funcs[:1]
    with app.app_context():
        assert db.engine.pool.checkedout() == 0


def test_a_service_without_own_tables_calls_nothing_after_a_request(make_app: MakeApp) -> None:
    app = make_app()
    app.test_client().get("/readyz")
    assert app.teardown_appcontext_funcs == []


def test_one_request_more_than_the_pool_has_connections_waits(
    own: SimpleNamespace, view: Callable[..., str]
) -> None:
    all_hold = threading.Barrier(OWN_CONNECTIONS)
    took = iter(range(100))

    def hold() -> str:
        db.session.scalar(select(1))
        if next(took) < OWN_CONNECTIONS:
            all_hold.wait(WAIT)
        return "held"

    path = view(hold)
    more = [("GET", path)] * (OWN_CONNECTIONS + 1)
    assert statuses(own.app, more) == [200] * (OWN_CONNECTIONS + 1)


def test_slow_views_that_hold_all_connections_keep_no_login_waiting(
    own: SimpleNamespace, view: Callable[..., str], alice: Person
) -> None:
    alice.app = own.app
    all_hold = threading.Barrier(OWN_CONNECTIONS + 1)
    end = threading.Event()

    def slow() -> str:
        db.session.scalar(select(func.count()).select_from(own.Note))
        all_hold.wait(WAIT)
        end.wait(WAIT)
        return "slow"

    path = view(slow)
    with ThreadPoolExecutor(1) as thread:
        slow_ones = thread.submit(statuses, own.app, [("GET", path)] * OWN_CONNECTIONS)
        all_hold.wait(WAIT)
        try:
            got = [alice.log_in().status_code, alice.refresh().status_code]
            got.append(alice.call("GET", "/readyz").status_code)
        finally:
            end.set()
        assert slow_ones.result(WAIT) == [200] * OWN_CONNECTIONS
    assert got == [200, 200, 200]


def test_views_that_hold_connections_and_call_our_code_do_not_block_each_other(
    own: SimpleNamespace, view: Callable[..., str], alice: Person
) -> None:
    alice.app = own.app
    alice.logged_in()
    bearer = {"Authorization": f"Bearer {alice.access_token}"}
    all_hold = threading.Barrier(OWN_CONNECTIONS)

    def nested() -> str:
        db.session.scalar(select(1))
        all_hold.wait(WAIT)
        return own.app.test_client().get("/api/me", headers=bearer).text

    assert CONNECTIONS < OWN_CONNECTIONS
    path = view(nested)
    assert statuses(own.app, [("GET", path)] * OWN_CONNECTIONS) == [200] * OWN_CONNECTIONS


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_requests_that_read_and_then_write_all_succeed(
    own: SimpleNamespace, view: Callable[..., str], connection: Connection, method: str
) -> None:
    with own.app.app_context():
        db.session.add(own.Note(text="counted"))
        db.session.commit()

    def read_then_write() -> str:
        found = db.session.scalars(select(own.Note)).one()
        found.reads = own.Note.reads + 1
        db.session.commit()
        return "written"

    path = view(read_then_write, "GET", "POST")
    assert statuses(own.app, [(method, path)] * THREADS) == [200] * THREADS
    assert connection.execute(text("SELECT reads FROM note")).scalar_one() == THREADS


def test_a_row_that_is_selected_for_update_is_not_changed_meanwhile(
    own: SimpleNamespace, view: Callable[..., str], connection: Connection
) -> None:
    with own.app.app_context():
        db.session.add(own.Note(text="counted"))
        db.session.commit()

    def read_then_write() -> str:
        found = db.session.scalars(select(own.Note).with_for_update()).one()
        found.reads = found.reads + 1
        db.session.commit()
        return "written"

    path = view(read_then_write, "POST")
    assert statuses(own.app, [("POST", path)] * THREADS) == [200] * THREADS
    assert connection.execute(text("SELECT reads FROM note")).scalar_one() == THREADS


def test_logins_and_own_writes_at_the_same_time_all_succeed(
    own: SimpleNamespace, view: Callable[..., str], alice: Person, connection: Connection
) -> None:
    number = iter(range(1000))

    def add() -> str:
        known = db.session.scalar(select(func.count()).select_from(own.Note))
        db.session.add(own.Note(text=f"{next(number)} {known}"))
        db.session.commit()
        return "added"

    path = view(add, "POST")
    alice.app = own.app

    def log_in(_: int) -> int:
        return alice.on_another_device().log_in().status_code

    with ThreadPoolExecutor(THREADS) as threads:
        logins = threads.map(log_in, range(THREADS // 2))
        assert statuses(own.app, [("POST", path)] * (THREADS // 2)) == [200] * (THREADS // 2)
        assert list(logins) == [200] * (THREADS // 2)
    assert len(rows(connection)) == THREADS // 2


@pytest.mark.usefixtures("note")
def test_a_table_that_is_missing_is_500_and_is_logged(
    own: SimpleNamespace, view: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    path = view(lambda: str(db.session.execute(text("SELECT 1 FROM not_migrated")).all()))
    assert_problem(own.app.test_client().get(path), 500, "internal_error")
    assert "not_migrated" in caplog.text


def test_rows_of_an_account_go_with_it(
    own: SimpleNamespace, note: type, alice: Person, connection: Connection
) -> None:
    (user,) = users(connection)
    with own.app.app_context():
        db.session.add(note(text="hers", user_id=user.id))
        db.session.commit()
    alice.logged_in()
    answer = alice.call("DELETE", "/api/me", json={"password": alice.password})
    assert (answer.status_code, rows(connection)) == (204, [])
