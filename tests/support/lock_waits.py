"""Wait until a transaction waits for another one, on Postgres."""

import time
from concurrent.futures import Future
from typing import Any

from sqlalchemy import Connection, text


def wait_for_a_lock(connection: Connection, work: Future[Any]) -> None:
    """Return when a transaction of this database waits for a lock, or when the work is done."""
    waits = "wait_event_type = 'Lock' AND datname = current_database()"
    count = text(f"SELECT count(*) FROM pg_stat_activity WHERE {waits}")
    while not connection.scalar(count) and not work.done():
        time.sleep(0.01)
