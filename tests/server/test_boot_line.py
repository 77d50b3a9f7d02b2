"""The line at boot: the version, the database, the workers, and the settings that were changed."""

import json
import re
from pathlib import Path

from authsvc import __version__
from tests.support.running_service import new_database, serving
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET

TOKEN = "canary-token-of-the-metrics-12345678"


def boot_line(folder: Path, **settings: str) -> str:
    """Boot a service and return its line."""
    with serving(new_database(folder), folder / "log", **settings) as service:
        lines = service.output.read_text().splitlines()
    (event,) = (json.loads(line)["event"] for line in lines if f'"authsvc {__version__}: ' in line)
    return str(event)


def test_the_boot_line_names_version_database_workers_and_changed_settings(tmp_path: Path) -> None:
    changed = {
        "issuer": "http://localhost:8000",
        "allowed_origins": "https://app.example.com,https://admin.example.com",
        "access_token_ttl": "300",
        "refresh_token_ttl": "604800",  # the default
        "cookie_secure": "false",
    }
    line, threads = re.subn(r"of \d+ threads", "of some threads", boot_line(tmp_path, **changed))
    assert threads == 1
    assert line == (
        f"authsvc {__version__}: database sqlite, gunicorn with 2 workers of some threads, "
        "settings: AUTHSVC_ACCESS_TOKEN_SECRET=set, AUTHSVC_ACCESS_TOKEN_TTL=300, "
        "AUTHSVC_ISSUER=http://localhost:8000, "
        "AUTHSVC_ALLOWED_ORIGINS=https://app.example.com,https://admin.example.com, "
        "AUTHSVC_COOKIE_SECURE=false"
    )


def test_the_boot_line_holds_no_secret(tmp_path: Path) -> None:
    storage = "redis://alice:canary@127.0.0.1/0"
    line = boot_line(
        tmp_path,
        metrics_token=TOKEN,
        rate_limit_storage=storage,
        mail_url="smtp://canary:canary@127.0.0.1",
        mail_from="no-reply@example.com",
        app_url="https://app.example.com",
    )
    assert "AUTHSVC_MAIL_URL=set, AUTHSVC_MAIL_FROM=no-reply@example.com" in line
    assert "AUTHSVC_METRICS_TOKEN=set" in line
    assert "AUTHSVC_RATE_LIMIT_STORAGE=set" in line
    text = (tmp_path / "log").read_text()
    secrets = [TOKEN, "canary", ACCESS_SECRET.hex(), REFRESH_SECRET.hex()]
    assert not [secret for secret in secrets if secret in text]
