"""A wsgi.py that an operator edited before the boot checks moved still serves."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import MakeDatabase
from tests.support.running_service import ROOT, environment, new_database

OLD_WSGI = """
import sys
from contextlib import suppress

from sqlalchemy.exc import OperationalError

from authsvc import create_app, schema
from authsvc.settings import SettingsInvalid

try:
    app = create_app()
    with suppress(OperationalError):
        schema.require_newest(app.config["SQLALCHEMY_DATABASE_URI"])
        schema.require_durable(app.config["SQLALCHEMY_DATABASE_URI"])
except (SettingsInvalid, schema.DatabaseUnfit) as error:
    print(f"authsvc cannot start: {error}", file=sys.stderr)
    sys.exit(3)
"""


def run(folder: Path, database_url: str) -> "subprocess.CompletedProcess[str]":
    (folder / "old_wsgi.py").write_text(OLD_WSGI)
    env = {**environment(database_url), "PYTHONPATH": f"{ROOT}:{folder}"}
    code = "import old_wsgi; print(old_wsgi.app.test_client().get('/healthz').status)"
    return subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=folder, capture_output=True, text=True
    )


def test_an_old_wsgi_file_serves_a_migrated_database(tmp_path: Path) -> None:
    assert run(tmp_path, new_database(tmp_path)).stdout == "200 OK\n"


@pytest.mark.only("sqlite")
def test_an_old_wsgi_file_refuses_a_database_without_tables(
    tmp_path: Path, make_database: MakeDatabase
) -> None:
    done = run(tmp_path, make_database())
    assert done.returncode == 3
    assert "db upgrade" in done.stderr
