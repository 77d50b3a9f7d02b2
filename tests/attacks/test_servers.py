"""The whole corpus through gunicorn and granian, whose parsers read the headers first."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse

import pytest

from tests.attacks.attack import COOKIE, JSON, Attack, Sent, Transport, me_with, refresh_with
from tests.attacks.groups import GROUPS
from tests.attacks.proof import FAULTS, faulty, refresh_by
from tests.attacks.tokens import Good, compact
from tests.support.dpop import Prover
from tests.support.running_service import Service, new_database, serving

pytestmark = pytest.mark.both_servers
ALICE = compact({"email": "alice@example.com", "password": "a horse that is correct"})


@pytest.fixture(scope="module")
def service(wsgi_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    url, settings = new_database(folder), {"rate_limit_factor": "1000"}
    with serving(url, folder / "output", server=wsgi_server, workers=1, **settings) as service:
        yield service


@pytest.fixture(scope="module")
def tokens(service: Service) -> tuple[str, str]:
    """The access token and the refresh token of one of Alice's sessions."""
    with service.connected() as connection:
        exchange(connection, Sent("POST", "/auth/register", (JSON,), ALICE))
        status, answer, cookies = exchange(connection, Sent("POST", "/auth/login", (JSON,), ALICE))
    assert status == 200
    return answer["access_token"], cookies[0].partition(";")[0].removeprefix(f"{COOKIE}=")


@pytest.mark.parametrize("group", GROUPS)
def test_the_server_and_the_service_refuse_it(
    service: Service, tokens: tuple[str, str], group: str
) -> None:
    rows = [(attack, kind) for attack in GROUPS[group] for kind in attack.on]
    with service.connected() as connection:
        for attack, kind in rows:
            good = Good(kind, *(tokens if kind == "access" else reversed(tokens)))
            for sent in attack.requests(good):
                assert_refused(connection, attack, kind, sent)
        access, refresh = tokens
        untouched = me_with((("Authorization", f"Bearer {access}"),))
        assert exchange(connection, untouched)[0] == 200
        untouched = refresh_with((("Cookie", f"{COOKIE}={refresh}"),))
        assert exchange(connection, untouched)[0] == 200


def test_the_server_and_the_service_refuse_a_mutated_proof(
    service: Service, tokens: tuple[str, str]
) -> None:
    prover = Prover(f"http://127.0.0.1:{service.port}")
    proof = ("DPoP", prover.proof("/auth/login"))
    with service.connected() as connection:
        login = Sent("POST", "/auth/login", (JSON, proof), ALICE)
        cookie = ("Cookie", exchange(connection, login)[2][0].partition(";")[0])
        for name in FAULTS:
            sent = refresh_by(cookie, faulty(name, prover))
            status, answer, cookies = exchange(connection, sent)
            assert (status, answer.get("code")) == (401, "dpop_proof_invalid"), name
            assert cookies == [], name
        honest = refresh_by(cookie, [prover.proof("/auth/refresh")])
        assert exchange(connection, honest)[0] == 200


def assert_refused(
    connection: HTTPConnection, attack: Attack | Transport, kind: str, sent: Sent
) -> None:
    status, answer, cookies = exchange(connection, sent)
    if "code" not in answer:  # the server refused the header itself
        assert status == 400, attack.name
        return
    assert (status, answer["code"]) == (attack.status, attack.code(kind)), attack.name
    assert cookies == [], attack.name


def exchange(connection: HTTPConnection, sent: Sent) -> tuple[int, dict[str, str], list[str]]:
    """Return the status, the members of the JSON body and the cookies of the response."""
    connection.putrequest(sent.method, sent.path)
    for name, value in sent.headers:
        connection.putheader(name, value.encode("latin-1"))
    if sent.body:
        connection.putheader("Content-Length", str(len(sent.body)))
    connection.endheaders(sent.body or None)
    answer: HTTPResponse = connection.getresponse()
    body = answer.read()
    is_json = answer.headers.get_content_subtype().endswith("json")
    members = json.loads(body) if body and is_json else {}
    return answer.status, members, answer.headers.get_all("Set-Cookie") or []
