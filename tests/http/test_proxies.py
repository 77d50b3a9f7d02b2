"""H3: X-Forwarded-* headers count for as many hops as are configured, and no more."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import MakeApp, empty_tables
from tests.http.conftest import Session
from tests.http.raw import Connection, request
from tests.support.people import Person
from tests.support.running_service import Service, serving

pytestmark = [pytest.mark.once, pytest.mark.both_servers]

FORWARDED = {
    "Forwarded": "for=203.0.113.9;proto=https;host=attacker.example",
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Protocol": "https",
    "X-Forwarded-Scheme": "https",
    "X-Forwarded-Ssl": "on",
    "Front-End-Https": "on",
    "X-Scheme": "https",
    "X-Url-Scheme": "https",
    "X-Forwarded-Host": "attacker.example",
    "X-Forwarded-Server": "attacker.example",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Prefix": "/api",
    "X-Original-URL": "/api/me",
    "X-Rewrite-URL": "/api/me",
    "X-HTTP-Method-Override": "GET",
    "X-Real-IP": "203.0.113.9",
    "X-Client-IP": "203.0.113.9",
    "True-Client-IP": "203.0.113.9",
    "CF-Connecting-IP": "203.0.113.9",
    "Via": "1.1 proxy",
}
MakePerson = Callable[[int], Person]


@pytest.fixture
def behind(make_app: MakeApp) -> Iterator[MakePerson]:
    """Return Alice, as a user of a service that trusts this number of proxies."""
    apps = []

    def behind(hops: int) -> Person:
        apps.append(make_app(trusted_proxies=hops))
        return Person(apps[-1], "alice@example.com", "a horse that is correct").register()

    yield behind
    for app in apps:
        empty_tables(app)


def address(person: Person, **headers: str) -> str | None:
    """Return the address in the list of sessions after a login with these headers."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    assert person.log_in(**sent).status_code == 200
    answer = person.call("GET", "/api/me/sessions")
    (current,) = [session for session in answer.json["sessions"] if session["current"]]
    return str(current["ip_address"]) if current["ip_address"] else None


def has_hsts(person: Person, **headers: str) -> bool:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return "Strict-Transport-Security" in person.call("GET", "/healthz", headers=sent).headers


@pytest.mark.parametrize("name", FORWARDED)
def test_without_proxies_no_header_changes_anything(alice: Person, name: str) -> None:
    header = {name: FORWARDED[name]}
    assert address(alice, **header) == "127.0.0.1"
    assert not has_hsts(alice, **header)
    for origin in ("https://attacker.example", "https://localhost", "http://attacker.example"):
        assert alice.log_in(**header, Origin=origin).status_code == 403
    assert alice.log_in(**header, Origin="http://localhost").status_code == 200


def test_without_proxies_all_forwarding_headers_together_change_nothing(alice: Person) -> None:
    assert address(alice, **FORWARDED) == "127.0.0.1"
    assert not has_hsts(alice, **FORWARDED)
    assert alice.log_in(**FORWARDED, Origin="http://localhost").status_code == 200


def test_without_proxies_a_forged_address_evades_no_limit(alice: Person) -> None:
    for number in range(1, 21):
        eve = Person(alice.app, f"eve{number}@example.com", "a door that is shut now")
        answer = eve.call(
            "POST",
            "/auth/register",
            json=eve.credentials,
            headers={"X-Forwarded-For": f"203.0.113.{number}"},
        )
    assert answer.status_code == 429  # Alice was the first of the twenty


@pytest.mark.parametrize(
    ("hops", "sent", "expected"),
    [
        (1, "203.0.113.1", "203.0.113.1"),
        (1, "198.51.100.7, 203.0.113.1", "203.0.113.1"),
        (1, "198.51.100.7,203.0.113.1", "203.0.113.1"),
        (1, "127.0.0.1, 10.0.0.1, 203.0.113.1", "203.0.113.1"),
        (1, "203.0.113.1, 2001:DB8::1", "2001:db8::1"),
        (1, "203.0.113.1, garbage", None),
        (1, "203.0.113.1, 203.0.113.2:443", "203.0.113.2"),
        (1, "203.0.113.4:51008", "203.0.113.4"),
        (1, "203.0.113.4:_hidden", "203.0.113.4"),
        (1, '"203.0.113.4:51008"', "203.0.113.4"),
        (1, "[2001:db8::1]", "2001:db8::1"),
        (1, "[2001:db8::1]:443", "2001:db8::1"),
        (1, '198.51.100.7, "[2001:DB8:0::1]:443"', "2001:db8::1"),
        (1, "::ffff:203.0.113.4", "203.0.113.4"),
        (1, "[::ffff:203.0.113.4]:443", "203.0.113.4"),
        (1, "unknown", None),
        (1, "198.51.100.7, unknown", None),
        (1, "_hidden", None),
        (1, "203.0.113.4:", None),
        (1, "203.0.113.4:443:1", None),
        (1, "[203.0.113.4", None),
        (1, "[203.0.113.999]", None),
        (1, "1.2.3.4.5", None),
        (1, "", "127.0.0.1"),
        (2, "198.51.100.7, 203.0.113.1, 10.0.0.1", "203.0.113.1"),
        (2, "203.0.113.1, 10.0.0.1", "203.0.113.1"),
        (2, "203.0.113.1", "127.0.0.1"),
        (3, "203.0.113.1, 10.0.0.1", "127.0.0.1"),
    ],
)
def test_the_address_is_the_last_trusted_hops(
    behind: MakePerson, hops: int, sent: str, expected: str | None
) -> None:
    assert address(behind(hops), X_Forwarded_For=sent) == expected


@pytest.mark.parametrize(
    ("hops", "sent", "expected"),
    [
        (1, "https", True),
        (1, "http, https", True),
        (1, "https, http", False),
        (1, "", False),
        (1, "HTTPS", True),
        (1, "wss", False),
        (2, "https", True),
        (2, "https, http", True),
        (3, "http, https", True),
        (2, "http, https", False),
    ],
)
def test_the_scheme_is_the_last_trusted_hops(
    behind: MakePerson, hops: int, sent: str, expected: bool
) -> None:
    alice = behind(hops)
    assert has_hsts(alice, X_Forwarded_Proto=sent) == expected
    forwarded = {
        "X-Forwarded-Proto": sent,
        "X-Forwarded-Host": ", ".join(["auth.example.com"] * hops),
    }
    answer = alice.log_in(**forwarded, Origin="https://auth.example.com")
    assert answer.status_code == (200 if expected else 403)


@pytest.mark.parametrize(
    ("hops", "sent", "own"),
    [
        (1, "auth.example.com", "http://auth.example.com"),
        (1, "attacker.example, auth.example.com", "http://auth.example.com"),
        (2, "attacker.example, auth.example.com, inner", "http://auth.example.com"),
        (2, "auth.example.com", "http://auth.example.com"),
        (3, "attacker.example, auth.example.com", "http://auth.example.com"),
        (1, "auth.example.com:8000", "http://auth.example.com:8000"),
        (1, "[2001:db8::1]", "http://[2001:db8::1]"),
    ],
)
def test_the_own_origin_is_the_last_trusted_hops(
    behind: MakePerson, hops: int, sent: str, own: str
) -> None:
    alice = behind(hops)
    for origin in {"http://auth.example.com", "http://attacker.example", "http://localhost", own}:
        answer = alice.log_in(**{"X-Forwarded-Host": sent, "Origin": origin})
        assert answer.status_code == (200 if origin == own else 403)


@pytest.mark.parametrize("name", ["Forwarded", "X-Forwarded-Prefix", "X-Real-IP", "X-Scheme"])
def test_only_three_headers_of_a_trusted_proxy_are_used(behind: MakePerson, name: str) -> None:
    alice = behind(1)
    assert address(alice, **{name: FORWARDED[name]}) == "127.0.0.1"
    assert not has_hsts(alice, **{name: FORWARDED[name]})
    assert (
        alice.log_in(**{name: FORWARDED[name], "Origin": "http://attacker.example"}).status_code
        == 403
    )


def register(person: Person, number: int, **headers: str) -> int:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"email": f"person{number}@example.com", "password": "a door that is shut now"}
    return person.call("POST", "/auth/register", json=body, headers=sent).status_code


@pytest.mark.parametrize("spelling", ["203.0.113.{}:51008", '"[2001:db8:{}::1]:443"'])
def test_people_whose_addresses_have_ports_do_not_share_a_limit(
    behind: MakePerson, spelling: str
) -> None:
    """Issue 14, number 11: 22 people, each with an address and port of their own."""
    alice = behind(1)
    statuses = [register(alice, n, X_Forwarded_For=spelling.format(n)) for n in range(1, 23)]
    assert statuses == [201] * 22


def test_a_port_evades_no_limit(behind: MakePerson) -> None:
    """Issue 14, number 11."""
    alice = behind(1)
    statuses = [register(alice, n, X_Forwarded_For=f"203.0.113.1:{n}") for n in range(1, 22)]
    assert statuses == [201] * 20 + [429]


def test_one_proto_behind_two_hops_gives_hsts_and_the_own_origin(behind: MakePerson) -> None:
    """Issue 14, number 11."""
    alice = behind(2)
    sent = {
        "X-Forwarded-For": "203.0.113.1, 10.0.0.1",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "auth.example.com",
    }
    assert has_hsts(alice, **sent)
    assert alice.log_in(**sent, Origin="https://auth.example.com").status_code == 200


def test_an_ipv4_mapped_address_is_an_ipv4_address(
    alice: Person, capfd: pytest.CaptureFixture[str]
) -> None:
    """Issue 14, number 12: in the list of sessions and in the log; limits use the same address."""
    mapped = {"REMOTE_ADDR": "::ffff:203.0.113.4"}
    client = alice.app.test_client()
    answer = client.post("/auth/login", json=alice.credentials, environ_base=mapped)
    alice.access_token = answer.json["access_token"]
    sessions = alice.call("GET", "/api/me/sessions").json["sessions"]
    assert [session["ip_address"] for session in sessions] == ["203.0.113.4"]
    assert '"address":"203.0.113.4"' in capfd.readouterr().err


def test_the_server_ignores_every_forwarding_header_too(
    service: Service, log_in: Callable[..., Session]
) -> None:
    lines_sent = [f"{name}: {value}" for name, value in FORWARDED.items()]
    underscored = [f"{name.replace('-', '_')}: {value}" for name, value in FORWARDED.items()]
    for lines in (lines_sent, underscored):
        current = seen(service, log_in(*lines))
        assert current["ip_address"] == "127.0.0.1"
        with Connection(service.port) as connection:
            answer = connection.ask(request("GET /healthz", *lines))
        assert answer.status == 200
        assert "strict-transport-security" not in answer.headers
        assert own_origin_is_refused(service, "https://attacker.example", *lines)


def test_the_server_behind_one_proxy_believes_the_last_hop(
    service_database: str, wsgi_server: str, tmp_path: Path
) -> None:
    forwarded = ["X-Forwarded-For: 198.51.100.7, 203.0.113.1", "X-Forwarded-Proto: http, https"]
    forwarded += ["X-Forwarded-Host: attacker.example, auth.example.com"]
    settings = {"server": wsgi_server, "trusted_proxies": "1"}
    with serving(service_database, tmp_path / "output", workers=1, **settings) as proxied:
        with Connection(proxied.port) as connection:
            answer = connection.ask(request("GET /healthz", *forwarded))
            assert "strict-transport-security" in answer.headers
        assert own_origin_is_refused(proxied, "https://attacker.example", *forwarded)
        assert not own_origin_is_refused(proxied, "https://auth.example.com", *forwarded)
        underscored = [line.replace("-", "_", 2) for line in forwarded]
        assert own_origin_is_refused(proxied, "https://auth.example.com", *underscored)
        twice = [*forwarded, "X-Forwarded-Host: attacker.example"]  # as a proxy that appends a line
        assert own_origin_is_refused(proxied, "https://auth.example.com", *twice)


def seen(service: Service, session: Session) -> dict[str, object]:
    with Connection(service.port) as connection:
        answer = connection.ask(request("GET /api/me/sessions", session.bearer))
    (current,) = [one for one in answer.json["sessions"] if one["current"]]
    return dict(current)


def own_origin_is_refused(service: Service, origin: str, *lines: str) -> bool:
    with Connection(service.port) as connection:
        answer = connection.ask(request("POST /auth/logout", f"Origin: {origin}", *lines))
    assert answer.status in (204, 403)
    return answer.status == 403
