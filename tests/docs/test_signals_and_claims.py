"""docs/signals-and-claims.md: each listing, run as a reader would run it."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from authsvc.database import db, schema
from authsvc.signals import Reason
from authsvc.tokens.claims import NAMES
from tests.conftest import MakeDatabase
from tests.support.people import Person
from tests.support.responses import claims
from tests.support.running_service import ROOT, environment
from tests.support.signing_secrets import ACCESS_SECRET

DOC = (ROOT / "docs" / "signals-and-claims.md").read_text(encoding="utf-8")


def test_each_listing_is_run_here() -> None:
    assert re.findall(r"^```(\w+)$", DOC, re.MULTILINE) == ["python"] * 3


def listing(title: str) -> str:
    """Return the listing that begins with that text."""
    blocks = re.findall(r"^```python\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)
    (found,) = (text for text in blocks if text.startswith(f'"""{title}'))
    return str(found)


def run(title: str) -> dict[str, Any]:
    """Run a listing, and return its names."""
    names: dict[str, Any] = {"__name__": "listing"}
    exec(compile(listing(title), title, "exec"), names)
    return names


@pytest.fixture
def folder(
    make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[None]:
    """Settings of a migrated database of its own; `boot` changes the log's level until the end."""
    url = make_database()
    schema.upgrade(url)
    for name, value in environment(url).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    levels = {name: logging.getLogger(name).level for name in (None, "gunicorn.error")}
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def with_signals(folder: None) -> Iterator[dict[str, Any]]:
    names = run("wsgi.py: the service, with receivers")
    yield names
    dispose(names["app"])


@pytest.fixture
def with_claims(folder: None) -> Iterator[Flask]:
    app = run("wsgi.py: the service, with a claim")["app"]
    yield app
    dispose(app)


def dispose(app: Flask) -> None:
    with app.app_context():
        db.engine.dispose()


def alice_of(app: Flask) -> Person:
    return Person(app, "alice@example.com", "a horse that is correct").register().logged_in()


def test_the_receivers_get_what_happens_to_an_account(
    with_signals: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    alice = alice_of(with_signals["app"])
    sub = claims(alice.access_token)["sub"]
    alice.call("DELETE", "/api/me", json={"password": alice.password})
    queue = with_signals["for_crm"]
    assert [queue.get_nowait() for _ in range(2)] == [("add", sub), ("remove", sub)]
    assert "closing the web sockets of a session: account_deleted" in caplog.messages


def test_the_service_and_another_one_read_the_claim(
    with_claims: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = alice_of(with_claims)
    odd = UUID(str(claims(alice.access_token)["sub"])).int % 2
    tenant = "acme" if odd else "globex"
    assert alice.call("GET", "/api/tenant").json == {"tenant": tenant}
    monkeypatch.setenv("ISSUER", "authsvc")
    monkeypatch.setenv("ACCESS_TOKEN_SECRET", ACCESS_SECRET.hex())
    alice.app = run("notes.py")["app"].test_client().application
    bearer = {"Authorization": f"Bearer {alice.access_token}"}
    answer = alice.app.test_client().get("/notes", headers=bearer)
    assert answer.json == {"of": tenant}


@pytest.mark.once
def test_the_document_names_each_reason_and_each_reserved_claim(database: str) -> None:
    reasons = DOC.partition("| reason | the session was ended by |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)`", reasons, re.MULTILINE) == list(Reason.__args__)
    refused = DOC.partition("These names are refused")[2].partition(".\n")[0]
    assert set(re.findall(r"`(\w+)`", refused)) == NAMES
