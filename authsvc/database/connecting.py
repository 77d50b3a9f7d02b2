"""The two engines of an app: that of our rooms, and that of an operator's own tables."""

from typing import TYPE_CHECKING

from flask import Flask, current_app
from sqlalchemy import Engine, create_engine, event

from authsvc.database.engine import (
    LOCK_SECONDS,
    discard_lost_connections,
    engine_options,
    prepare_engine,
)
from authsvc.database.own_tables import begin_at_first_write
from authsvc.database.pool import CONNECTIONS, OWN_CONNECTIONS, STUCK_SECONDS, WAIT_SECONDS
from authsvc.database.tables import db

if TYPE_CHECKING:
    from authsvc.database.prepared import Prepare


def our_engine() -> Engine:
    """Return the engine of our rooms for the current app's database."""
    engine: Engine = current_app.extensions[_ENGINE]
    return engine


_ENGINE = "authsvc.engine"


def dispose(*, close: bool = True) -> None:
    """Drop the current app's pooled connections, ours and those of an operator's own tables.

    Args:
        close: False after a fork: the connections are still the parent's.
    """
    our_engine().dispose(close=close)
    db.engine.dispose(close=close)


def connect_app(app: Flask, url: str, prepare: "Prepare" = "auto") -> Engine:
    """Connect the app to that database, and return our rooms' engine.

    Args:
        app: the app.
        url: ``sqlite:///`` with a file, or ``postgresql+psycopg://``.
        prepare: whether our rooms' connections to Postgres prepare statements.
    """
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url, OWN_CONNECTIONS, WAIT_SECONDS)
    db.init_app(app)
    # It closes sessions after every request. A session of ours sees to it, if there is one.
    app.teardown_appcontext_funcs.clear()
    with app.app_context():
        own = db.engine
    ours = create_engine(own.url, **engine_options(url, CONNECTIONS, STUCK_SECONDS))
    app.extensions[_ENGINE] = ours
    for engine in (ours, own):
        _prepare(engine)
    if own.name == "sqlite":
        begin_at_first_write(own, LOCK_SECONDS)
    else:
        # Imported here, as below.
        from authsvc.database.postgres import read_without_transactions
        from authsvc.database.prepared import prepare_statements

        read_without_transactions(ours)
        prepare_statements(ours, prepare)
    event.listen(own, "engine_disposed", lambda _: ours.dispose())
    return ours


def _prepare(engine: Engine) -> None:
    prepare_engine(engine)
    discard_lost_connections(engine)
    if engine.name != "sqlite":
        # Imported here: only an operator who has Postgres needs its library.
        from authsvc.database.postgres import set_deadlines

        set_deadlines(engine)
