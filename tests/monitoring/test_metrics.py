"""GET /metrics: who may read it, what it counts, and what it never holds."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Event
from time import monotonic

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from authsvc import clock
from authsvc.database import reading
from authsvc.monitoring.instruments import Instruments
from authsvc.users import hashing
from authsvc.users.passwords import Argon2id, Passwords
from authsvc.web import registry
from tests.conftest import MakeApp
from tests.monitoring.exposition import Figures, figures, requests
from tests.support.device import Device
from tests.support.device import send as send_device
from tests.support.dpop import Prover
from tests.support.given_passkeys import give_passkey
from tests.support.mailbox import Mailbox
from tests.support.passkeys import assertion, send
from tests.support.people import Person
from tests.support.recovery import forgot
from tests.support.responses import assert_problem, away
from tests.support.running_service import new_database
from tests.support.second_factors import give_totp
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET

TOKEN = "the-token-of-the-metrics-1234567"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ELSEWHERE = {"REMOTE_ADDR": "203.0.113.9"}


@pytest.fixture
def app(app: Flask, make_app: MakeApp) -> Flask:
    """An app that has not seen a proxy, as the shared app may have."""
    return make_app()


@pytest.fixture
def carol(app: Flask, make_app: MakeApp) -> Person:
    """Return Carol, at an app without measurements; `app` empties the tables afterwards."""
    return Person(make_app(), "carol@example.com", "a lamp that is not lit")


def read(app: Flask, **kwargs: object) -> TestResponse:
    return app.test_client().get("/metrics", **kwargs)


def measured(app: Flask) -> Figures:
    answer = read(app)
    assert answer.status_code == 200
    return figures(answer.text)


def test_the_metrics_are_prometheus_text(app: Flask) -> None:
    answer = read(app)
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# TYPE authsvc_http_request_duration_seconds histogram" in answer.text


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1"])
def test_clients_on_this_machine_may_read_the_metrics(app: Flask, address: str) -> None:
    assert read(app, environ_base={"REMOTE_ADDR": address}).status_code == 200


@pytest.mark.parametrize("address", ["203.0.113.9", "10.0.0.1", "0.0.0.0", "", "garbage", "::"])
def test_clients_on_other_machines_may_not_read_the_metrics(app: Flask, address: str) -> None:
    answer = read(app, environ_base={"REMOTE_ADDR": address}, headers=BEARER)
    assert_problem(answer, 403, "forbidden")


@pytest.mark.parametrize(
    "header",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-For": ""},
        {"x-forwarded-proto": "https"},
        {"X-Forwarded-Host": "localhost"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Via": "1.1 proxy"},
    ],
    ids=str,
)
@pytest.mark.parametrize("hops", [0, 1])
def test_requests_through_a_proxy_on_this_machine_need_the_token(
    make_app: MakeApp, header: dict[str, str], hops: int
) -> None:
    app = make_app(trusted_proxies=hops, metrics_token=TOKEN)
    assert_problem(read(app, headers=header), 403, "forbidden")
    assert read(app, headers=header | BEARER).status_code == 200


def test_the_token_is_enough_from_any_address(make_app: MakeApp) -> None:
    app = make_app(metrics_token=TOKEN)
    assert read(app, environ_base=ELSEWHERE, headers=BEARER).status_code == 200
    lower = {"Authorization": f"bearer {TOKEN}"}
    assert read(app, environ_base=ELSEWHERE, headers=lower).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        f"Bearer {TOKEN}, Bearer {TOKEN}",
        f"Basic {TOKEN}",
        "Basic YTpi",
        f"Token {TOKEN}",
        TOKEN,
        "Bearer é\x80",
    ],
)
def test_another_token_is_refused(make_app: MakeApp, sent: str) -> None:
    app = make_app(metrics_token=TOKEN)
    answer = read(app, environ_base=ELSEWHERE, headers={"Authorization": sent})
    assert_problem(answer, 403, "forbidden")


def test_the_token_is_read_only_from_the_header(make_app: MakeApp) -> None:
    client = make_app(metrics_token=TOKEN).test_client()
    answer = client.get(f"/metrics?access_token={TOKEN}&token={TOKEN}", environ_base=ELSEWHERE)
    assert_problem(answer, 403, "forbidden")
    client.set_cookie("token", TOKEN)
    body = {"access_token": TOKEN}
    answer = client.get("/metrics", json=body, environ_base=ELSEWHERE)
    assert_problem(answer, 403, "forbidden")


def test_an_access_token_does_not_open_the_metrics(make_app: MakeApp, alice: Person) -> None:
    bearer = {"Authorization": f"Bearer {alice.logged_in().access_token}"}
    answer = read(make_app(metrics_token=TOKEN), environ_base=ELSEWHERE, headers=bearer)
    assert_problem(answer, 403, "forbidden")


def test_requests_are_counted_by_route_and_status(carol: Person) -> None:
    carol.register().logged_in()
    for _ in range(3):
        carol.call("GET", "/api/me")
    carol.call("GET", "/api/me", headers={"Authorization": "Bearer x"})
    carol.call("DELETE", "/api/me/sessions/00000000-0000-7000-8000-000000000000")
    carol.call("GET", "/nowhere")
    carol.call("DELETE", "/auth/login")
    metrics = measured(carol.app)
    assert requests(metrics) == {
        ("authsvc.auth.register", 201): 1,
        ("authsvc.auth.login", 200): 1,
        ("authsvc.resources.show", 200): 3,
        ("authsvc.resources.show", 401): 1,
        ("authsvc.resources.revoke_one", 404): 1,
        ("none", 404): 1,
        ("none", 405): 1,
    }
    assert metrics['authsvc_problems_total{code="access_token_invalid"}'] == 1
    assert metrics['authsvc_problems_total{code="not_found"}'] == 2
    assert metrics['authsvc_problems_total{code="method_not_allowed"}'] == 1


def test_the_durations_of_requests_are_measured(carol: Person) -> None:
    with time_machine.travel("2026-11-24T12:00:00Z", tick=False):  # but the monotonic clock runs
        carol.register()
    metrics = measured(carol.app)
    series = (
        'authsvc_http_request_duration_seconds_{}{{{}route="authsvc.auth.register",status="201"}}'
    )
    assert 0 < metrics[series.format("sum", "")] < 60
    within = [metrics[series.format("bucket", f'le="{le}",')] for le in ("0.001", "2.5", "+Inf")]
    assert within == sorted(within)
    assert within[-1] == 1


def test_logins_are_counted_by_their_outcome(carol: Person) -> None:
    outcomes = 'authsvc_logins_total{{method="password",outcome="{}"}}'
    counts = measured(carol.app)
    assert [counts[outcomes.format(word)] for word in ("good", "refused", "throttled")] == [0, 0, 0]
    carol.register().logged_in().logged_in()
    eve = Person(carol.app, carol.email, "a guess that is wrong")
    for _ in range(12):
        eve.log_in()
    carol.call("OPTIONS", "/auth/login")
    carol.call("POST", "/auth/login", json={"email": carol.email})
    counts = measured(carol.app)
    assert [counts[outcomes.format(word)] for word in ("good", "refused", "throttled")] == [
        2,
        10,
        2,
    ]


def test_logins_with_a_second_factor_and_by_passkey_are_counted_by_their_outcome(
    carol: Person,
) -> None:
    carol.register()
    authenticator, phone = give_totp(carol), give_passkey(carol)
    carol.log_in()
    carol.call("POST", "/auth/login", json=carol.credentials | {"code": "000000"})
    code = {"code": authenticator.now()}
    assert carol.call("POST", "/auth/login", json=carol.credentials | code).status_code == 200
    response = assertion(carol, phone)
    assert [send(carol, response).status_code for _ in range(2)] == [200, 401]
    carol.call("POST", "/auth/passkey", json={})
    counts = measured(carol.app)
    series = 'authsvc_logins_total{{method="{}",outcome="{}"}}'
    outcomes = ("good", "refused", "second_factor", "throttled")
    found = [
        [counts[series.format(method, outcome)] for outcome in outcomes]
        for method in ("password", "passkey")
    ]
    assert found == [[1, 1, 1, 0], [1, 1, 0, 0]]
    assert counts['authsvc_sessions_opened_total{bound="no"}'] == 2
    assert counts['authsvc_problems_total{code="second_factor_required"}'] == 1


def test_registrations_of_devices_are_counted(make_app: MakeApp, carol: Person) -> None:
    carol.app = make_app(device_binding=True)
    carol.register()
    Device().bind(carol)
    assert send_device(carol, "/auth/device", "x").status_code == 403
    assert measured(carol.app)["authsvc_devices_registered_total"] == 1


def test_opened_sessions_are_counted_by_whether_they_are_bound(carol: Person) -> None:
    series = 'authsvc_sessions_opened_total{{bound="{}"}}'
    proof = Prover().proof
    new = {"current_password": carol.password, "new_password": "a staple for a battery"}
    carol.register().logged_in()
    carol.log_in(DPoP=proof("/auth/login"))
    assert carol.log_in(DPoP=proof("/auth/refresh")).status_code == 400
    assert carol.log_in(DPoP=proof("/auth/login", iat=0)).status_code == 401
    carol.call("OPTIONS", "/auth/login")
    header = {"DPoP": proof("/api/me/password", method="PUT")}
    assert carol.call("PUT", "/api/me/password", json=new, headers=header).status_code == 200
    phone = give_passkey(carol)
    by_passkey = assertion(carol, phone)
    assert send(carol, by_passkey, DPoP=proof("/auth/passkey")).status_code == 200
    counts = measured(carol.app)
    assert (counts[series.format("no")], counts[series.format("key")]) == (1, 3)
    assert counts['authsvc_logins_total{method="password",outcome="good"}'] == 2
    assert counts['authsvc_logins_total{method="password",outcome="refused"}'] == 0


def test_refreshes_without_the_key_are_counted_by_their_code(carol: Person) -> None:
    prover = Prover()
    carol.register().log_in(DPoP=prover.proof("/auth/login"))
    carol.refresh()
    carol.refresh(DPoP=Prover().proof("/auth/refresh"))
    carol.refresh(DPoP=prover.proof("/auth/refresh", iat=0))
    counts = measured(carol.app)
    codes = ("dpop_proof_missing", "dpop_proof_invalid", "use_dpop_nonce")
    assert [counts[f'authsvc_problems_total{{code="{code}"}}'] for code in codes] == [1, 1, 1]


def test_the_size_of_the_revocation_list_is_measured(carol: Person) -> None:
    other = carol.register().on_another_device().logged_in()
    carol.logged_in().call("GET", "/api/me")
    assert measured(carol.app)["authsvc_revoked_sessions"] == 0
    other.log_out()
    with time_machine.travel(clock.now() + timedelta(seconds=2), tick=False):
        carol.call("GET", "/api/me")
    assert measured(carol.app)["authsvc_revoked_sessions"] == 1


@pytest.fixture
def dora(make_app: MakeApp, tmp_path: Path) -> Person:
    """Return Dora, at an app whose database file can be moved away."""
    url = new_database(tmp_path)
    app = make_app(database_url=url)
    return Person(app, "dora@example.com", "a door that is ajar").register().logged_in()


def test_the_age_of_the_revocation_list_is_measured_while_the_database_is_away(
    dora: Person, tmp_path: Path
) -> None:
    series = "authsvc_revocation_list_age_seconds"
    with time_machine.travel(clock.now(), tick=False) as moved:
        dora.call("GET", "/api/me")
        assert measured(dora.app)[series] == 0
        with away(dora.app, tmp_path / "authsvc.db"):
            moved.shift(7)
            dora.call("GET", "/api/me")
            assert measured(dora.app)[series] == 7
        moved.shift(2)
        dora.call("GET", "/api/me")  # after a failure, the next query does not hold up a request
        deadline = monotonic() + 5
        while measured(dora.app)[series] != 0:
            assert monotonic() < deadline


def test_connections_in_use_are_measured(dora: Person) -> None:
    series = "authsvc_database_connections_in_use"
    with dora.app.app_context(), reading(), reading():
        assert measured(dora.app)[series] == 2
    assert measured(dora.app)[series] == 0


def test_a_connection_that_could_not_be_opened_does_not_count_as_in_use(
    dora: Person, tmp_path: Path
) -> None:
    with dora.app.app_context(), reading() as connection:
        connection.invalidate()  # the pool keeps its place, and opens a new one
    file = tmp_path / "authsvc.db"
    file.rename(tmp_path / "aside")
    file.mkdir()
    assert dora.refresh().status_code == 503
    assert measured(dora.app)["authsvc_database_connections_in_use"] == 0


class Held(Argon2id):
    """A hasher that waits for an event."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8)
        self.let_go = Event()

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        self.let_go.wait(timeout=20)
        return super().verify(password, hash)


def test_waiting_and_refused_password_hashings_are_measured(
    carol: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "MAX_WAITING", 0)
    monkeypatch.setattr(hashing, "HASH_SECONDS", 20)
    with carol.register().app.app_context():
        metrics = registry.get(Instruments).passwords
    hasher = Held()
    registry.add(carol.app, Passwords(15, hasher, metrics))
    with ThreadPoolExecutor(3) as three:
        held = [three.submit(carol.on_another_device().log_in) for _ in range(3)]
        while measured(carol.app)["authsvc_passwords_waiting"] != 2:
            assert not any(one.done() for one in held)
        assert_problem(carol.log_in(), 503, "service_unavailable")
        assert measured(carol.app)["authsvc_passwords_refused_total"] == 1
        hasher.let_go.set()
    metrics = measured(carol.app)
    assert [one.result().status_code for one in held] == [200] * 3
    assert metrics["authsvc_passwords_waiting"] == 0
    assert metrics["authsvc_password_hash_duration_seconds_count"] == 3
    assert metrics["authsvc_passwords_refused_total"] == 1


def test_mails_are_counted_by_kind(
    app: Flask, make_app: MakeApp, mail_settings: dict[str, str], tmp_path: Path
) -> None:
    settings = {**mail_settings, "mail_url": f"file://{tmp_path}/mail"}
    carol = Person(make_app(**settings), "carol@example.com", "a lamp that is not lit")
    mails = Mailbox(carol.app, tmp_path / "mail")
    with time_machine.travel("2036-11-24T12:00:00Z", tick=False) as moved:
        forgot(carol.register())
        moved.shift(60)
        assert len(mails.deliver()) == 2
        metrics = measured(carol.app)
        kinds = ("reset", "verification", "change")
        sent = [metrics[f'authsvc_mails_sent_total{{kind="{kind}"}}'] for kind in kinds]
        assert sent == [1, 1, 0]
        assert metrics["authsvc_mails_waiting"] == 2
        assert metrics["authsvc_mail_oldest_age_seconds"] == 60
        mails.deliver()
        metrics = measured(carol.app)
    assert metrics["authsvc_mails_waiting"] == metrics["authsvc_mail_oldest_age_seconds"] == 0


def test_mails_that_are_given_up_are_counted_by_kind(
    app: Flask, make_app: MakeApp, mail_settings: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    settings = {**mail_settings, "mail_url": f"file://{tmp_path}/file/mail"}
    carol = Person(make_app(**settings), "carol@example.com", "a lamp that is not lit")
    mails, series = Mailbox(carol.app, tmp_path), 'authsvc_mails_failed_total{kind="verification"}'
    with time_machine.travel("2036-11-24T12:00:00Z", tick=False) as moved:
        carol.register()
        mails.deliver()
        assert measured(carol.app)[series] == 0
        moved.shift(24 * 60 * 60)
        mails.deliver()
    assert measured(carol.app)[series] == 1


def hostile(app: Flask, word: str) -> None:
    """Send requests with the word in every place that a client controls."""
    client = app.test_client()
    for path in (f"/{word}", f"/api/me/{word}", f"/api/me/sessions/{word}", "/api/me"):
        for method in ("GET", word.upper()):
            client.open(path, method=method, headers={"X-Request-ID": word})
    client.post("/auth/login", json={"email": f"{word}@example.com", "password": word})
    client.post("/auth/refresh", headers={"Cookie": f"__Host-refresh_token={word}"})
    client.get("/healthz", headers={"Host": f"{word}.example", "Origin": word})


def test_a_client_cannot_create_a_series(carol: Person) -> None:
    hostile(carol.app, "foobar")
    measured(carol.app)
    before = measured(carol.app)
    for number in range(20):
        hostile(carol.app, f"canary{number}")
    after = measured(carol.app)
    assert set(after) == set(before)
    assert not [series for series in after if "canary" in series.lower()]
    assert requests(after)["none", 405] == 21


def test_the_metrics_hold_no_personal_data_and_no_secret(carol: Person) -> None:
    me = carol.register().logged_in().call("GET", "/api/me").json["id"]
    session = carol.call("GET", "/api/me/sessions").json["sessions"][0]["id"]
    carol.call("GET", f"/api/me?access_token={carol.access_token}")
    carol.call("DELETE", f"/api/me/sessions/{session}")
    carol.refresh()
    carol.call("GET", "/api/me")
    carol.log_in()
    text = read(carol.app).text
    canaries = [carol.email, carol.password, carol.access_token, carol.refresh_token, me, session]
    canaries += ["127.0.0.1", ACCESS_SECRET.hex(), REFRESH_SECRET.hex()]
    assert [canary for canary in canaries if canary in text] == []
