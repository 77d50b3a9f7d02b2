"""A worker imports the library for passkeys when the first passkey comes, and not before."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.signing_secrets import ACCESS_SECRET, FACTOR_SECRET, REFRESH_SECRET

SCRIPT = """
import sys
from authsvc import create_app
from authsvc.database import schema
from authsvc.settings import Settings

names = "database_url", "access_token_secret", "refresh_token_secret", "factor_secret"
settings = dict(zip(names, sys.argv[1:]))
schema.upgrade(settings["database_url"])
app = create_app(Settings.model_validate({**settings, "cookie_secure": False}))
browser = app.test_client()
alice = {"email": "alice@example.com", "password": "a horse that is correct"}
assert browser.post("/auth/register", json=alice).status_code == 201
answer = browser.post("/auth/login", json=alice)
bearer = {"Authorization": "Bearer " + answer.json["access_token"]}
assert browser.post("/auth/refresh").status_code == 200
assert browser.post("/auth/passkey/options", json={}).status_code == 200
assert browser.post("/api/me/passkeys/options", json={}, headers=bearer).status_code == 200
print(sorted({"webauthn", "cbor2", "OpenSSL"} & sys.modules.keys()))
part = {"clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA", "userHandle": "AA"}
credential = {"id": "AA", "rawId": "AA", "type": "public-key", "response": part}
assert browser.post("/auth/passkey", json={"credential": credential}).status_code == 401
print(sorted({"webauthn", "cbor2", "OpenSSL"} & sys.modules.keys()))
"""


@pytest.mark.once
def test_a_process_that_serves_no_passkeys_does_not_import_it(
    database: str, tmp_path: Path
) -> None:
    """Neither do options for passkeys, nor a response to a challenge that is not ours."""
    secrets = [secret.hex() for secret in (ACCESS_SECRET, REFRESH_SECRET, FACTOR_SECRET)]
    command = [sys.executable, "-c", SCRIPT, f"sqlite:///{tmp_path / 'authsvc.db'}", *secrets]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines()[-2:] == ["[]", "[]"], done.stderr[-2000:]
