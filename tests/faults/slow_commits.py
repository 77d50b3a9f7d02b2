"""The probe's service; its commits on SQLite take a moment while a file is beside the database."""

import time
from pathlib import Path

from sqlalchemy import Connection, event

from authsvc.database import our_engine
from tests.faults.probe import app

SECONDS = 0.5

with app.app_context():
    engine = our_engine()


@event.listens_for(engine, "commit")
def wait(connection: Connection) -> None:
    if Path(f"{engine.url.database}.slow").exists():
        time.sleep(SECONDS)
