"""No secret of a factor is logged, counted, mailed, shown in an error or stored as plain text."""

import json
import re
from base64 import b32decode
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, select

from authsvc.auth.login import Credentials
from authsvc.auth.passkey import PasskeyLogin
from authsvc.auth.reauthenticate import Reauthentication
from authsvc.database import our_tables
from authsvc.factors.challenges import Challenges
from authsvc.factors.credentials import AuthenticationCredential
from authsvc.factors.encryption import SecretBox
from authsvc.factors.second_factor import Factors, Given
from authsvc.factors.totp_setup import setup_of
from authsvc.resources.recovery_codes import NewRecoveryCodes
from authsvc.resources.totp import FirstCode
from authsvc.settings import Settings
from authsvc.web import registry
from tests.faults.visitor import Answer
from tests.faults.with_factors import ISSUER, Resident, close, settings_of, town
from tests.support.authenticator_app import set_up
from tests.support.passkeys import add_passkey, assertion, send
from tests.support.people import Person
from tests.support.running_service import Service, new_database, serving
from tests.support.signing_secrets import FACTOR_SECRET, REFRESH_SECRET
from tests.support.software_authenticator import SoftwareAuthenticator

TOKEN = "a-token-for-metrics-of-these-tests"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("secrets")
    settings = {**settings_of(folder), "log_level": "debug", "metrics_token": TOKEN}
    with serving(new_database(folder), folder / "log", workers=1, **settings) as service:
        yield service


@pytest.fixture
def alice(service: Service) -> Iterator[Resident]:
    folder = service.output.parent
    people = town(f"sqlite:///{folder / 'authsvc.db'}", service.port, folder)
    yield people.person()
    close(people.app)


def life_of(alice: Resident) -> tuple[set[str], list[Answer]]:
    """Use every route of factors, rightly and wrongly; return the secrets and the other answers."""
    answers = []

    def call(method: str, path: str, body: Any = None) -> Answer:
        answers.append(alice.visitor.call(method, path, body))
        return answers[-1]

    alice.visitor.logged_in()
    app = alice.scanned()
    secret, first = app.parameters["secret"], app.code()
    wrong = app.wrong_code()
    call("PUT", f"/api/me/totp?code={first}", {"code": wrong})
    codes = alice.visitor.call("PUT", "/api/me/totp", {"code": first}).body["recovery_codes"]
    second = app.code(1)
    call("POST", "/auth/reauthenticate", {"code": first})
    call("POST", "/auth/reauthenticate", {"code": second})
    call("POST", "/auth/reauthenticate", {"code": [second], "password": codes[0]})
    passkey = SoftwareAuthenticator(ISSUER)
    new = alice.new_credential(passkey)
    call("POST", "/api/me/passkeys", {**new, "name": secret * 9})
    assert call("POST", "/api/me/passkeys", new).status == 201
    call("POST", "/api/me/passkeys", new)
    credential = alice.assertion(passkey)
    call("POST", f"/auth/passkey?credential={credential['id']}", {"credential": credential["id"]})
    assert call("POST", "/auth/passkey", {"credential": credential}).status == 200
    call("POST", "/auth/passkey", {"credential": credential})
    assert alice.visitor.log_in(recovery_code=codes[0]).status == 200
    answers.append(alice.visitor.log_in(recovery_code=codes[0]))
    answers.append(alice.visitor.log_in(code=codes[1], recovery_code=codes[1]))
    answers.append(alice.visitor.log_in(code=secret))
    answers.append(alice.visitor.log_in(passkey={"id": codes[2]}))
    answers.append(alice.visitor.log_in(recovery_code=codes[2] + "\ud800"))
    call("GET", "/api/me/factors")
    call("GET", "/api/me/activity")
    raw = b32decode(secret).hex()
    signed = credential["response"]
    secrets = {secret, raw, first, second, wrong, *codes, FACTOR_SECRET.hex()}
    secrets |= {code.replace("-", "") for code in codes}
    secrets |= {signed["signature"], signed["clientDataJSON"], signed["authenticatorData"]}
    secrets |= {credential["id"], new["credential"]["response"]["attestationObject"]}
    return secrets, answers


def test_no_secret_of_a_factor_leaves_the_response_that_shows_it(
    service: Service, alice: Resident
) -> None:
    service.empty_log()
    secrets, answers = life_of(alice)
    assert all(answer.status < 500 for answer in answers)
    with service.connected() as connection:
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        connection.request("GET", "/metrics", headers=bearer)
        metrics = connection.getresponse().read().decode()
    assert "authsvc_" in metrics
    written = [without_times(line) for line in service.log().splitlines()]
    assert any("login_refused" in line or "/auth/passkey" in line for line in written)
    written += [json.dumps(answer.body) for answer in answers]
    written += [json.dumps(answer.headers) for answer in answers]
    written.append(metrics)
    for mail in service.output.parent.glob("mail/*.eml"):
        written.append(mail.read_text())
    for file in service.output.parent.glob("authsvc.db*"):  # deleted rows are still in the file
        written.append(re.sub(r"\.\d{6}", "", file.read_bytes().decode("latin-1")))
    for secret in secrets:
        pattern = re.compile(rf"(?<![0-9A-Za-z]){re.escape(secret)}(?![0-9A-Za-z])", re.IGNORECASE)
        assert [text[:300] for text in written if pattern.search(text)] == []


def without_times(line: str) -> str:
    """Return a line of the log without the numbers in which six digits may be found by chance."""
    said = json.loads(line)
    for name in ("time", "ms", "request_id", "session"):
        said.pop(name, None)
    return json.dumps(said)


def test_a_dump_of_the_database_holds_no_secret_in_plain_text(
    app: Flask, connection: Connection
) -> None:
    alice = Person(app, "carol@example.com", "a lamp that is not lit").register().logged_in()
    phone, codes = set_up(alice)
    secret = phone.parameters["secret"]
    authenticator = add_passkey(alice)
    assert send(alice, assertion(alice, authenticator)).status_code == 200
    with app.app_context():
        rows = [row for table in our_tables() for row in connection.execute(select(table))]
    dump = b" ".join(as_bytes(value) for row in rows for value in row)
    plain = [secret, *codes, *(code.replace("-", "") for code in codes)]
    assert [text for text in plain if text.encode() in dump.upper()] == []
    assert b32decode(secret) not in dump


def as_bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def test_no_repr_has_a_secret(app: Flask) -> None:
    canary = "CANARYCANARYCANARYCANARY"  # it is base32
    signed = {"clientDataJSON": canary}
    signed |= {"authenticatorData": canary, "signature": canary, "userHandle": canary}
    credential = AuthenticationCredential.model_validate(
        {"id": canary, "rawId": canary, "type": "public-key", "response": signed}
    )
    with app.app_context():
        settings, factors = registry.get(Settings), registry.get(Factors)
    objects = [
        settings,
        factors,
        SecretBox(FACTOR_SECRET),
        Challenges(REFRESH_SECRET),
        Given(code=canary, recovery_code=canary),
        NewRecoveryCodes([canary]),
        setup_of(canary, "example.com", "alice@example.com"),
        credential,
        PasskeyLogin(credential=credential),
        Credentials(email="alice@example.com", password=canary, code=canary),
        Credentials(email="alice@example.com", password=canary, recovery_code=canary),
        Reauthentication(password=canary),
        FirstCode(code=canary),
    ]
    told = [canary, FACTOR_SECRET.hex(), repr(FACTOR_SECRET), REFRESH_SECRET.hex()]
    for text in map(repr, objects):
        assert [secret for secret in told if secret in text] == []
    assert canary not in " ".join(map(str, objects))
