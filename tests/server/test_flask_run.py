"""`flask --app wsgi run --debug`: Flask's own server for development."""

import json
import sys
from collections.abc import Iterator

import pytest

from tests.support.developer import Developer, developing, documented
from tests.support.running_service import ROOT

WSGI = (ROOT / "wsgi.py").read_text()
UNKNOWN = "import os\nos.environ['AUTHSVC_COLOUR'] = 'blue'\n"
NOTES = """
from authsvc.guard import public
app.add_url_rule("/notes", view_func=public(lambda: {"notes": []}), endpoint="notes")
"""
ALICE = json.dumps({"email": "alice@example.com", "password": "a horse that is correct"})


@pytest.fixture(scope="module")
def developer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Developer]:
    folder = tmp_path_factory.mktemp("flask-run")
    (folder / "wsgi.py").write_text(WSGI)
    words = documented("flask --app wsgi run --debug").split()
    command = [sys.executable, "-m", *words, "--port", "{port}"]
    with developing(folder, command, ROOT, cookie_secure="false") as developer:
        yield developer


def test_it_serves_and_logs_each_request_once(developer: Developer) -> None:
    developer.call("POST", "/auth/register", ALICE)
    headers, body = developer.call("POST", "/auth/login", ALICE)
    assert headers["Set-Cookie"].startswith("refresh_token=")
    assert json.loads(body)["token_type"] == "Bearer"
    (line,) = [line for line in developer.log().splitlines() if "/auth/login" in line]
    assert '"POST /auth/login HTTP/1.1" 200' in line


def test_a_mail_is_sent_by_the_process_that_serves(developer: Developer) -> None:
    developer.assert_that_registering_sends_a_mail()


def test_a_change_takes_effect_and_a_bad_setting_is_shown_until_it_is_corrected(
    developer: Developer,
) -> None:
    developer.change("wsgi.py", UNKNOWN + WSGI, "/healthz", "AUTHSVC_COLOUR is not a setting")
    developer.change("wsgi.py", WSGI + NOTES, "/notes", '{"notes":[]}')
