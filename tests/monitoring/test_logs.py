"""What the log of requests holds, and what it never holds."""

import json
import re
import time
from collections.abc import Iterator
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.mailbox import APP_URL, text_of
from tests.support.running_service import Service, new_database, serving
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET

PASSWORD = "canary-password-of-alice"
WRONG = "canary-password-of-none"
UNKNOWN = "canary-address@example.com"
ORIGIN = "https://canary.example"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("logs")
    url = new_database(folder)
    mail = {
        "mail_url": f"file://{folder / 'mail'}",
        "mail_from": "no-reply@example.com",
        "app_url": APP_URL,
    }
    with serving(url, folder / "log", workers=1, **mail) as service:
        yield service


@pytest.fixture
def service(running: Service) -> Service:
    """Return the service with an empty log."""
    running.empty_log()
    return running


def call(service: Service, method: str, path: str, body: Any = None, **headers: str) -> Any:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    text = None if body is None else json.dumps(body)
    if text is not None:
        sent.setdefault("Content-Type", "application/json")
    with service.connected() as connection:
        connection.request(method, path, text, sent)
        answer = connection.getresponse()
        answer.body = answer.read().decode()  # type: ignore[attr-defined]
        return answer


def request_lines(service: Service) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in service.log().splitlines()]
    return [line for line in lines if line["event"] == "request" and line["path"] != "/healthz"]


def test_each_request_is_logged_in_one_line_with_user_session_and_code(service: Service) -> None:
    credentials = {"email": "alice@example.com", "password": PASSWORD}
    account = json.loads(call(service, "POST", "/auth/register", credentials).body)
    answer = call(service, "POST", "/auth/login", credentials, X_Request_ID="my-own.id_1")
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    call(service, "POST", "/auth/login", credentials | {"password": WRONG})
    call(service, "POST", "/auth/logout", Cookie=cookie)
    call(service, "POST", "/auth/refresh", Cookie=cookie)
    call(service, "POST", "/auth/refresh", Origin=ORIGIN)
    register, login, refused, logout, refresh, elsewhere = request_lines(service)
    assert login["request_id"] == "my-own.id_1"
    assert [line["route"] for line in (register, login, logout)] == [
        "authsvc.auth.register",
        "authsvc.auth.login",
        "authsvc.auth.logout",
    ]
    assert {line["user"] for line in (register, login, refused, logout, refresh)} == {account["id"]}
    assert re.fullmatch("[0-9a-f]{16}", login["session"])
    assert login["session"] == logout["session"] == refresh["session"]
    assert refused["code"] == "invalid_credentials"
    assert refresh["code"] == "refresh_token_revoked"
    assert elsewhere["code"] == "cross_origin_refused"
    assert logout["status"] == 204
    assert "code" not in logout


def test_throttling_is_logged(service: Service) -> None:
    for _ in range(11):
        call(service, "POST", "/auth/login", {"email": "unknown@example.com", "password": WRONG})
    assert [line["code"] for line in request_lines(service)] == [
        *["invalid_credentials"] * 10,
        "rate_limited",
    ]


@pytest.mark.parametrize("forged", ["\r\n", "\n", "\x1b[31m", "\u2028", "\x85", '"}'])
def test_control_characters_of_a_client_stay_on_one_line(service: Service, forged: str) -> None:
    call(service, "GET", quote(f"/api/x{forged}injected") + "?query=secret")
    text = service.log()
    (line,) = (line for line in re.split("[\n\r\u2028\x85]", text) if "injected" in line)
    assert json.loads(line)["path"] == f"/api/x{forged}injected"
    assert "\x1b" not in text
    assert "query" not in text


def test_no_secret_is_ever_logged_or_stored(service: Service) -> None:
    credentials = {"email": "bob@example.com", "password": PASSWORD}
    call(service, "POST", "/auth/register", credentials)
    answer = call(service, "POST", "/auth/login", credentials)
    refresh_token = answer.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
    access_token = json.loads(answer.body)["access_token"]
    cookie = f"__Host-refresh_token={refresh_token}"
    bearer = f"Bearer {access_token}"
    call(service, "POST", "/auth/refresh", Cookie=cookie)
    call(service, "GET", f"/api/me?access_token={access_token}", Authorization=bearer)
    call(service, "PUT", "/api/me/password", {"current_password": WRONG}, Authorization=bearer)
    call(service, "POST", "/auth/login", {"email": [PASSWORD], "password": {"x": WRONG}})
    call(service, "POST", "/auth/login", credentials | {"password": WRONG + "\ud800"})
    call(service, "POST", f"/auth/login?password={WRONG}", credentials, Authorization=bearer)
    call(service, "POST", "/auth/logout", Cookie=cookie + "x")
    call(service, "POST", "/auth/login", {"email": UNKNOWN, "password": WRONG})
    call(service, "POST", "/auth/logout", Cookie=cookie)
    call(service, "POST", "/auth/refresh", Cookie=cookie)
    call(service, "DELETE", "/api/me", {"password": PASSWORD}, Authorization=bearer)
    written = service.log()
    assert len(request_lines(service)) == 13
    for file in service.output.parent.glob("authsvc.db*"):  # deleted rows are still in the file
        written += file.read_bytes().decode("latin-1")
    assert "login_refused" in written
    assert "refresh_refused" in written
    canaries = [PASSWORD, WRONG, UNKNOWN, access_token, refresh_token]
    canaries += [ACCESS_SECRET.hex(), REFRESH_SECRET.hex()]
    canaries += [token.split(".")[2] for token in (access_token, refresh_token)]
    assert [canary for canary in canaries if canary in written] == []


def test_no_token_of_a_link_is_ever_logged_or_stored(service: Service) -> None:
    credentials = {"email": "carol@example.com", "password": PASSWORD}
    call(service, "POST", "/auth/register", credentials)
    call(service, "POST", "/auth/password/forgot", {"email": credentials["email"]})
    token = mailed_token(service.output.with_name("mail"))
    body = {"token": token, "new_password": WRONG}
    call(service, "POST", f"/auth/password/reset?token={token}", body | {"new_password": token[:9]})
    call(service, "POST", "/auth/password/reset", body | {"token": [token]})
    assert call(service, "POST", "/auth/password/reset", body).status == 204
    assert call(service, "POST", "/auth/password/reset", body).status == 401
    written = service.log()
    assert len(request_lines(service)) == 6
    for file in service.output.parent.glob("authsvc.db*"):  # deleted rows are still in the file
        written += file.read_bytes().decode("latin-1")
    assert "password_reset" in written
    assert [canary for canary in (token, PASSWORD, WRONG) if canary in written] == []


def mailed_token(folder: Path) -> str:
    """Wait until the sender has written the mail, and return the token of its link."""
    give_up = time.monotonic() + 10
    while time.monotonic() < give_up:
        for mail in folder.glob("*.eml"):
            if found := re.search(rf"{APP_URL}/reset-password#token=([\w-]+)", text_in(mail)):
                return found[1]
        time.sleep(0.02)
    raise AssertionError("no mail was sent")


def text_in(mail: Path) -> str:
    return text_of(BytesParser(policy=policy.default).parsebytes(mail.read_bytes()))
