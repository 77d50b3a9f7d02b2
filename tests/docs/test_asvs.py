"""Requirements that no other test holds, most of OWASP ASVS 5.0; docs/security.md names them."""

import json
import logging
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import NullPool, create_engine, func, select

from authsvc import clock
from authsvc.database import Base, schema
from authsvc.guard import public
from tests.conftest import MakeApp, MakeDatabase, empty_tables
from tests.support.people import Person
from tests.support.responses import assert_problem
from tests.support.running_service import Service, new_database, serving

PASSWORD = "a horse that is correct"
MOST_COOKIE = 4096


def test_a_cookie_is_small_enough_for_browsers_to_keep(make_app: MakeApp, alice: Person) -> None:
    """3.3.5, with an issuer as long as a host name may be."""
    app = make_app(issuer=f"https://{'a' * 253}")
    answer = Person(app, alice.email, alice.password).log_in()
    name_and_value = answer.headers["Set-Cookie"].partition(";")[0]
    assert len(name_and_value) <= MOST_COOKIE


def test_flasks_own_session_is_unused(alice: Person) -> None:
    """H4: Flask refuses to write a session without a key to sign it with."""
    assert alice.app.secret_key is None
    cookies = alice.log_in(Cookie="session=e30.e30.e30").headers.getlist("Set-Cookie")
    assert [cookie.partition("=")[0] for cookie in cookies] == ["__Host-refresh_token"]


def test_the_module_does_not_use_the_document(app: Flask) -> None:
    """3.2.3: a module that does not use the document cannot mistake an element for a variable."""
    text = app.test_client().get("/static/authsvc.js").text
    assert re.findall(r"\b(?:document|window|innerHTML|eval|Function)\b", text) == []
    used = re.findall(r"globalThis\.(\w+)", text)
    assert set(used) == {"addEventListener", "removeEventListener"}


@pytest.mark.parametrize("name", ["callback", "jsonp", "cb"])
def test_a_response_is_never_jsonp(alice: Person, name: str) -> None:
    """3.5.6"""
    plain = alice.logged_in().call("GET", "/api/me")
    answer = alice.call("GET", f"/api/me?{name}=steal")
    assert (answer.mimetype, answer.data) == ("application/json", plain.data)


@pytest.mark.parametrize(
    "path",
    ["/api//me", "//evil.example/api/me", "//evil.example//", "/\\evil.example", "/@evil.example"],
)
def test_no_redirect_leads_to_another_host(app: Flask, path: str) -> None:
    """3.7.2"""
    location = app.test_client().get(path).headers.get("Location", "http://localhost/")
    assert location.startswith("http://localhost/")


def test_a_new_database_has_no_accounts(make_database: MakeDatabase) -> None:
    """6.3.2: a new database has no accounts."""
    url = make_database()
    schema.upgrade(url)
    with create_engine(url, poolclass=NullPool).connect() as connection:
        counts = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in Base.metadata.sorted_tables
        }
    assert set(counts.values()) == {0}
    assert {"users", "refresh_tokens", "security_events", "rate_limits"} < counts.keys()


def test_a_password_does_not_expire(alice: Person) -> None:
    """6.2.10"""
    with time_machine.travel(clock.now() + timedelta(days=5 * 365), tick=False):
        assert alice.log_in().status_code == 200


@pytest.mark.parametrize("path", ["/api/me/style.css", "/api/me;a.js", "/api/me%2fa.png", "/api/"])
def test_a_private_response_is_not_served_under_the_name_of_a_file(
    alice: Person, path: str
) -> None:
    """14.2.5: a cache that decides by the path's ending finds nothing to store."""
    answer = alice.logged_in().call("GET", path)
    assert_problem(answer, 404, "not_found")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.fixture
def broken(make_app: MakeApp) -> Iterator[Flask]:
    app = make_app()
    app.get("/broken")(public(lambda: {}["canary"]))
    yield app
    empty_tables(app)


def test_an_unexpected_error_is_logged_and_the_service_continues(
    broken: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    """16.3.4, 16.5.4"""
    client = broken.test_client()
    assert_problem(client.get("/broken"), 500, "internal_error")
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], KeyError)
    assert client.get("/healthz").status_code == 200


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("asvs")


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Service]:
    url = new_database(folder)
    with serving(url, folder / "log", workers=1) as service:
        yield service


@pytest.fixture
def service(running: Service) -> Service:
    """The service, with an empty log."""
    running.empty_log()
    return running


def call(service: Service, method: str, path: str, body: Any = None, **headers: str) -> Any:
    sent = {"Content-Type": "application/json", **headers} if body is not None else headers
    with service.connected() as connection:
        connection.request(method, path, json.dumps(body) if body is not None else None, sent)
        answer = connection.getresponse()
        text = answer.read()
    return json.loads(text) if text else None


def logged(service: Service) -> list[dict[str, Any]]:
    lines = map(json.loads, service.log().splitlines())
    return [line for line in lines if line["event"] == "request"]


def bearer_of(service: Service, email: str) -> dict[str, str]:
    credentials = {"email": email, "password": PASSWORD}
    call(service, "POST", "/auth/register", credentials)
    token = call(service, "POST", "/auth/login", credentials)["access_token"]
    return {"Authorization": f"Bearer {token}"}


def test_each_log_line_has_a_time_in_utc_and_an_address(service: Service) -> None:
    """16.2.1, 16.2.2"""
    before = datetime.now(UTC)
    call(service, "GET", "/api/me")
    (line,) = logged(service)
    assert line["time"].endswith("Z")
    assert before <= datetime.fromisoformat(line["time"]) <= datetime.now(UTC)
    assert (line["address"], line["level"]) == ("127.0.0.1", "info")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/me", 401)


def test_refused_access_and_malformed_input_are_logged(service: Service) -> None:
    """16.3.2, 16.3.3: each refusal has its code, and the user if one is known."""
    alice = bearer_of(service, "alice@example.com")
    me = call(service, "GET", "/api/me", **alice)["id"]
    service.empty_log()
    call(service, "GET", "/api/me")
    call(service, "GET", "/api/me", Authorization="Bearer a.b.c")
    call(service, "DELETE", "/api/me", {"password": "a wrong one"}, **alice)
    call(
        service, "DELETE", f"/api/me/sessions/{me}", **alice
    )  # an id that is not one of her sessions
    call(service, "POST", "/auth/login", {"email": ["x"], "password": "x"})
    call(service, "POST", "/auth/login", [])
    shown = [(line["code"], line.get("user")) for line in logged(service)]
    assert shown == [
        ("access_token_missing", None),
        ("access_token_invalid", None),
        ("wrong_password", me),
        ("not_found", me),
        ("validation_failed", None),
        ("invalid_request", None),
    ]


def test_the_service_writes_only_to_standard_error_its_database_and_its_metrics(
    service: Service, folder: Path
) -> None:
    """16.2.3: no log is written anywhere else."""
    bearer_of(service, "bob@example.com")
    database = {folder / f"authsvc.db{end}" for end in ("", "-wal", "-shm", ".serving")}
    written = {path for pid in processes(service) for path in files_written(pid)}
    assert service.output in written
    metrics = {path for path in written if path.parent.name.startswith("authsvc-metrics-")}
    assert written - {service.output, *database} - metrics == set()


def processes(service: Service) -> list[int]:
    master = service.process.pid
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return [master, *map(int, children)]


def files_written(pid: int) -> Iterator[Path]:
    """Return the files on disk that a process has open for writing, except worker heartbeats."""
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed in the meantime, as a client's socket is
            target, flags = entry.readlink(), Path(f"/proc/{pid}/fdinfo/{entry.name}").read_text()
            (mode,) = re.findall(r"^flags:\s+(\d+)", flags, re.MULTILINE)
            if target.is_file() and int(mode, 8) & os.O_ACCMODE != os.O_RDONLY:
                yield target
