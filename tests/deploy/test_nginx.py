"""docs/deploy/nginx.conf, in a real nginx before a real gunicorn."""

import json
import socket
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from authsvc.problems import Problem, RequestTooLarge, ServiceUnavailable
from authsvc.web.headers import HSTS
from authsvc.web.json_body import MAX_BODY
from tests.deploy.conftest import HOST, PAGE, Answer, Site, site
from tests.http.test_proxies import FORWARDED
from tests.support.running_service import free_port

ALICE = {"email": "alice@example.com", "password": "a horse that is correct"}


@pytest.fixture(scope="module")
def alice(deployed: Site) -> dict[str, str]:
    assert deployed.ask("POST", "/auth/register", body=ALICE).status == 201
    return ALICE


def log_in(site: Site, headers: dict[str, str] | None = None, source: str = "127.0.0.1") -> Answer:
    answer = site.ask("POST", "/auth/login", headers, ALICE, source)
    assert answer.status == 200
    return answer


def cookie(answer: Answer) -> str:
    return answer.headers["Set-Cookie"].partition(";")[0]


def address_of(site: Site, login: Answer) -> str:
    bearer = {"Authorization": f"Bearer {login.json['access_token']}"}
    sessions = site.ask("GET", "/api/me/sessions", bearer).json["sessions"]
    (current,) = [session for session in sessions if session["current"]]
    return str(current["ip_address"])


@pytest.mark.both_servers
@pytest.mark.usefixtures("alice")
def test_a_session_works_over_https_from_login_to_logout(deployed: Site) -> None:
    login = log_in(deployed)
    assert login.headers["Set-Cookie"].startswith("__Host-refresh_token=")
    assert login.headers.get_all("Strict-Transport-Security") == [HSTS[1]]
    assert login.headers["Cache-Control"] == "no-store"
    sent = {"Cookie": cookie(login), "Origin": f"https://{HOST}", "Sec-Fetch-Site": "same-origin"}
    refreshed = deployed.ask("POST", "/auth/refresh", sent)
    assert refreshed.status == 200
    assert "Set-Cookie" not in refreshed.headers
    assert deployed.ask("POST", "/auth/logout", sent).status == 204
    assert deployed.ask("POST", "/auth/refresh", sent).json["code"] == "refresh_token_revoked"


@pytest.mark.both_servers
@pytest.mark.usefixtures("alice")
def test_the_service_sees_the_clients_own_address(deployed: Site) -> None:
    assert address_of(deployed, log_in(deployed, source="127.0.0.2")) == "127.0.0.2"


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize(
    "names", [[*FORWARDED], *([name] for name in FORWARDED if "X-Forwarded" in name)]
)
def test_forwarding_headers_of_a_client_are_ignored(deployed: Site, names: list[str]) -> None:
    forged = {name: FORWARDED[name] for name in names}
    login = log_in(deployed, forged, source="127.0.0.3")
    assert address_of(deployed, login) == "127.0.0.3"
    assert login.headers.get_all("Strict-Transport-Security") == [HSTS[1]]
    for origin, status in (("https://attacker.example", 403), (f"https://{HOST}", 401)):
        answer = deployed.ask("POST", "/auth/refresh", {**forged, "Origin": origin})
        assert answer.status == status


def test_another_host_name_is_not_passed_on(deployed: Site) -> None:
    sent = {"Host": "attacker.example", "Origin": "https://attacker.example"}
    assert deployed.ask("POST", "/auth/refresh", sent).json["code"] == "cross_origin_refused"


@pytest.mark.parametrize("path", ["/", "/settings/profile", "/index.html"])
def test_the_page_is_served_for_each_path_of_its_router(deployed: Site, path: str) -> None:
    answer = deployed.ask("GET", path)
    assert (answer.status, answer.body.decode()) == (200, PAGE)
    assert answer.headers["Content-Type"] == "text/html"
    assert answer.headers.get_all(HSTS[0]) == [HSTS[1]]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/assets/app.js",
        "/static/authsvc.js",
        "/static/authsvc-binding.js",
        "/static/authsvc-factors.js",
    ],
)
def test_modules_have_the_type_that_browsers_ask_for(deployed: Site, path: str) -> None:
    answer = deployed.ask("GET", path)
    assert answer.status == 200
    assert answer.headers["Content-Type"].partition(";")[0].endswith("/javascript")


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/healthz", "/%72eadyz", "/x/../readyz"])
def test_routes_for_the_machine_are_not_public(deployed: Site, path: str) -> None:
    assert deployed.ask("GET", path).status == 404


@pytest.mark.parametrize("path", ["/auth/nothing", "/api/nothing", "/docs/nothing"])
def test_unknown_routes_of_the_service_are_its_own_404(deployed: Site, path: str) -> None:
    assert deployed.ask("GET", path).json["code"] in ("not_found", "access_token_missing")


def is_the_services(answer: Answer, problem: type[Problem]) -> bool:
    """Return whether nginx's own response has the form of the service's problem."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert answer.status == answer.json["status"] == problem.status
    assert answer.json.keys() == {"type", "title", "status", "code", "detail"}
    assert answer.json["type"] == f"https://{HOST}/docs#{problem.code}"
    assert answer.json["code"] == problem.code
    return True


def test_a_body_over_the_limit_gets_the_services_problem(deployed: Site) -> None:
    fits = json.dumps(ALICE).encode().ljust(MAX_BODY)
    assert deployed.ask("POST", "/auth/login", body=fits).status in (200, 401)
    answer = deployed.ask("POST", "/auth/login", body=fits + b" ")
    assert is_the_services(answer, RequestTooLarge)
    assert answer.json["detail"] == RequestTooLarge.detail


@pytest.mark.usefixtures("alice")
def test_a_body_without_a_length_is_passed_on_complete(deployed: Site) -> None:
    text = json.dumps(ALICE).encode()
    with deployed.certificate.connected(deployed.port) as connection:
        headers = {"Host": HOST, "Content-Type": "application/json"}
        connection.request("POST", "/auth/login", iter([text[:9], text[9:]]), headers)
        assert connection.getresponse().status == 200


def test_a_connection_serves_many_requests(deployed: Site) -> None:
    with deployed.certificate.connected(deployed.port) as connection:
        for path in ("/", "/api/me", "/auth/nothing") * 5:
            connection.request("GET", path, headers={"Host": HOST})
            connection.getresponse().read()
            assert connection.sock is not None  # it is still open


def test_http2_is_spoken(deployed: Site) -> None:
    with deployed.certificate.connected(deployed.port, protocol="h2") as connection:
        connection.connect()
        assert connection.sock.selected_alpn_protocol() == "h2"


def test_plain_http_is_redirected_to_https(deployed: Site) -> None:
    connection = HTTPConnection("127.0.0.1", deployed.plain_port, timeout=15)
    connection.request("GET", "/settings?tab=1", headers={"Host": "attacker.example"})
    answer = connection.getresponse()
    assert answer.status == 301
    assert answer.headers["Location"] == f"https://{HOST}/settings?tab=1"
    connection.close()


def are_told_to_try_again(site: Site, *paths: str) -> bool:
    for path in paths:
        answer = site.ask("POST", path, {"Cookie": "__Host-refresh_token=a.b.c"}, ALICE)
        assert is_the_services(answer, ServiceUnavailable)
        assert 0 < int(answer.headers["Retry-After"]) < 5
    return True


def test_without_the_service_clients_get_retry_after(tmp_path: Path) -> None:
    with site(tmp_path, service_port=free_port()) as alone:
        assert are_told_to_try_again(alone, "/auth/refresh", "/auth/logout", "/auth/login")
        assert alone.ask("GET", "/").body.decode() == PAGE


def test_if_the_services_queue_is_full_clients_get_retry_after(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as waiting:
        waiting.connect(full.getsockname())
        with site(tmp_path, service_port=full.getsockname()[1]) as crowded:
            began = time.monotonic()
            assert are_told_to_try_again(crowded, "/auth/refresh")
            assert time.monotonic() - began > 1  # it was not let in, and not refused either
            assert crowded.ask("GET", "/").body.decode() == PAGE


@pytest.mark.usefixtures("alice")
def test_nginx_does_not_log_what_the_service_logs(deployed: Site) -> None:
    log_in(deployed)
    with deployed.certificate.connected(deployed.port) as connection:
        for path in ("/a-page", "/another"):  # the first is logged before the second is answered
            connection.request("GET", path, headers={"Host": HOST})
            connection.getresponse().read()
    logged = (deployed.folder / "access.log").read_text()
    assert "/a-page" in logged
    assert '"POST /auth/login HTTP/1.1" 200' not in logged
