"""Sessions that are bound to a device: offered by a login, registered and renewed by browsers."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, text
from werkzeug.test import TestResponse

from authsvc.sessions import device as sessions_device
from authsvc.sessions.lookup import FoundSession
from tests.conftest import MakeApp
from tests.support.device import (
    MARKER,
    Device,
    ask,
    challenge_of,
    marker_of,
    offered,
    refresh,
    send,
)
from tests.support.dpop import Prover
from tests.support.people import Person
from tests.support.responses import (
    assert_problem,
    claims,
    counted_statements,
    events,
    sessions,
)
from tests.support.second_factors import give_totp
from tests.test_rotation import REFRESH_ROTATED

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
NEW = "a lamp that is not lit"
OFFER = "Secure-Session-Registration"


@pytest.fixture(scope="session")
def shared_device_app(make_app: MakeApp) -> Flask:
    return make_app(is_shared=True, device_binding=True)


@pytest.fixture
def alice(alice: Person, shared_device_app: Flask) -> Person:
    alice.app = shared_device_app
    return alice


@pytest.fixture
def device() -> Device:
    return Device()


def change_password(person: Person, **headers: str) -> TestResponse:
    body = {"current_password": person.password, "new_password": NEW}
    return person.call("PUT", "/api/me/password", json=body, headers=headers)


def again(person: Person) -> TestResponse:
    return person.call("POST", "/auth/reauthenticate", json={"password": person.password})


def keys(connection: Connection) -> list[str | None]:
    return [row.device_key for row in sessions(connection)]


# What the service offers


def test_a_login_and_a_password_change_offer_to_register_a_key(alice: Person) -> None:
    assert offered(alice.log_in())[0] == "/auth/device"
    assert offered(change_password(alice))[0] == "/auth/device"


def test_refreshes_logouts_and_refused_logins_offer_nothing(alice: Person) -> None:
    alice.logged_in()
    stranger = Person(alice.app, alice.email, "not the password at all")
    for answer in (alice.refresh(), stranger.log_in(), again(alice), alice.log_out()):
        assert OFFER not in answer.headers


def test_a_login_with_a_proof_of_a_page_is_offered_nothing(alice: Person) -> None:
    prover = Prover()
    answer = alice.log_in(DPoP=prover.proof("/auth/login"))
    assert answer.status_code == 200
    assert OFFER not in answer.headers


def test_it_is_off_by_default(app: Flask, alice: Person) -> None:
    alice.app = app
    answers = [alice.log_in(), alice.refresh(), again(alice), change_password(alice)]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert not any(
        name.startswith("Secure-Session") for answer in answers for name, _ in answer.headers
    )
    for path in ("/auth/device", "/auth/device/refresh"):
        assert_problem(send(alice, path, None), 404, "not_found")
    assert not any(path.startswith("/auth/device") for path in described(app))


def test_the_description_has_the_routes_where_it_is_on(shared_device_app: Flask) -> None:
    assert {"/auth/device", "/auth/device/refresh"} <= set(described(shared_device_app))


def described(app: Flask) -> dict[str, Any]:
    document: dict[str, Any] = app.test_client().get("/openapi.json").json
    return document["paths"]


def test_below_a_prefix_the_paths_have_it(make_app: MakeApp, alice: Person) -> None:
    alice.app = make_app(device_binding=True, issuer="https://id.example.com/sso")
    path, _ = offered(alice.log_in())
    assert path == "/sso/auth/device"


# Registration


def test_a_registration_binds_the_session_and_says_what_the_browser_is_to_do(
    alice: Person, device: Device, connection: Connection
) -> None:
    _, challenge = offered(alice.log_in())
    answer = device.register(alice, challenge)
    sid = claims(alice.refresh_token)["sid"]
    assert answer.json == {
        "session_identifier": sid,
        "refresh_url": "/auth/device/refresh",
        "scope": {
            "origin": "http://localhost",
            "include_site": False,
            "scope_specification": [
                {"type": "exclude", "domain": "*", "path": "/"},
                {"type": "include", "domain": "*", "path": "/auth/refresh"},
            ],
        },
        "credentials": [
            {
                "type": "cookie",
                "name": MARKER,
                "attributes": "Path=/; Secure; HttpOnly; SameSite=Strict",
            }
        ],
        "allowed_refresh_initiators": [],
    }
    [cookie] = answer.headers.getlist("Set-Cookie")
    assert cookie.partition("; ")[2] == "Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=600"
    [key] = keys(connection)
    assert key is not None
    assert device.jwk["x"] in key
    assert [event.event for event in events(connection)][-1] == "device_bound"
    [session] = alice.call("GET", "/api/me/sessions").json["sessions"]
    assert session["bound"] == "device"


def test_pages_of_allowed_origins_may_cause_renewals(make_app: MakeApp, alice: Person) -> None:
    origins = "https://app.example.com,http://localhost:5173"
    alice.app = make_app(device_binding=True, allowed_origins=origins)
    _, challenge = offered(alice.log_in())
    answer = Device().register(alice, challenge)
    assert answer.json["allowed_refresh_initiators"] == ["app.example.com", "localhost"]


def test_the_same_key_may_register_again_and_another_may_not(
    alice: Person, device: Device, connection: Connection
) -> None:
    _, challenge = offered(alice.log_in())
    for _ in range(2):
        marker_of(device.register(alice, challenge))
    before = keys(connection)
    assert_problem(Device().register(alice, challenge), 403, "device_proof_invalid")
    assert keys(connection) == before


def test_a_copied_registration_proof_gets_no_marker_after_its_five_minutes(
    alice: Person, device: Device
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        _, challenge = offered(alice.log_in())
        copied = device.signed({"jti": challenge}, with_key=True)
        marker_of(send(alice, "/auth/device", copied))
        clock.move_to(NOON + timedelta(seconds=299))
        marker_of(send(alice, "/auth/device", copied))
        clock.move_to(NOON + timedelta(seconds=300))
        assert_problem(send(alice, "/auth/device", copied), 403, "device_proof_invalid")


def test_the_registered_key_gets_no_marker_for_a_challenge_that_was_not_offered(
    alice: Person, device: Device
) -> None:
    device.bind(alice)
    for challenge in ("", "x", ask(alice)):
        assert_problem(device.register(alice, challenge), 403, "device_proof_invalid")


def test_a_key_that_replaced_another_may_register_again(alice: Person, device: Device) -> None:
    device.bind(alice)
    _, challenge = offered(again(alice))
    new = Device()
    for _ in range(2):
        marker_of(new.register(alice, challenge))


def test_of_eight_keys_that_register_at_once_one_is_stored(
    alice: Person, connection: Connection
) -> None:
    _, challenge = offered(alice.log_in())
    devices = [Device() for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda one: one.register(alice.on_same_device(), challenge), devices)
        )
    assert sorted(answer.status_code for answer in answers) == [200, *[403] * 7]
    winner = devices[[answer.status_code for answer in answers].index(200)]
    [key] = keys(connection)
    assert key is not None
    assert winner.jwk["x"] in key


def test_a_key_that_registers_while_another_is_checked_stays(
    alice: Person, device: Device, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, challenge = offered(alice.log_in())
    find = sessions_device.find_session

    def find_and_be_overtaken(sid: UUID) -> FoundSession | None:
        session = find(sid)
        monkeypatch.undo()
        marker_of(device.register(alice.on_same_device(), challenge))
        return session

    monkeypatch.setattr(sessions_device, "find_session", find_and_be_overtaken)
    assert_problem(Device().register(alice, challenge), 403, "device_proof_invalid")
    [key] = keys(connection)
    assert key is not None
    assert device.jwk["x"] in key


def test_a_challenge_is_good_for_five_minutes_and_for_its_own_session(
    alice: Person, bob: Person, device: Device
) -> None:
    bob.app = alice.app
    with time_machine.travel(NOON, tick=False) as clock:
        _, challenge = offered(alice.log_in())
        _, of_bob = offered(bob.log_in())
        _, of_another = offered(alice.on_another_device().log_in())
        for other in (of_bob, of_another, "", "x", challenge[:-1], f"{challenge}A"):
            assert_problem(device.register(alice, other), 403, "device_proof_invalid")
        clock.move_to(NOON + timedelta(seconds=300))
        assert_problem(device.register(alice, challenge), 403, "device_proof_invalid")
        clock.move_to(NOON + timedelta(seconds=299))
        marker_of(device.register(alice, challenge))


def test_a_session_that_is_bound_to_a_page_cannot_be_bound_to_a_device(
    alice: Person, device: Device, connection: Connection
) -> None:
    _, challenge = offered(alice.log_in())
    alice.log_in(DPoP=Prover().proof("/auth/login"))
    assert_problem(device.register(alice, challenge), 403, "device_proof_invalid")
    assert set(keys(connection)) == {None}


@pytest.mark.once
@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "RS256"},
        {"typ": "dpop+jwt"},
        {"typ": "JWT"},
        {"kid": "x"},
        {"crit": ["jti"]},
        {"jwk": {}},
        {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
        {"jwk": {"kty": "oct", "k": "AA"}},
        {"jwk": None},
    ],
    ids=str,
)
def test_a_registration_with_another_header_is_refused(
    alice: Person, device: Device, header: dict[str, Any], connection: Connection
) -> None:
    _, challenge = offered(alice.log_in())
    usual = {"typ": "dbsc+jwt", "alg": "ES256", "jwk": device.jwk}
    wrong = by_hand(device, {**usual, **header}, {"jti": challenge})
    assert_problem(send(alice, "/auth/device", wrong), 403, "device_proof_invalid")
    assert keys(connection) == [None]


def by_hand(device: Device, header: Any, payload: Any) -> str:
    """Return a proof with any header, with a valid ES256 signature."""
    prover = Prover()
    prover.key = device.key
    return prover.signed_by_hand(json.dumps(header).encode(), json.dumps(payload).encode())


@pytest.mark.once
@pytest.mark.parametrize(
    "proof",
    [None, "", '""', "a.b.c", "a.b", "~~~", "x" * 5000, "{0}.", ".{0}", "{0}x", "{0}, {0}"],
    ids=["none", "empty", "quotes", "letters", "two", "signs", "long", "end", "start", "more", "2"],
)
def test_a_registration_without_a_whole_proof_is_refused(
    alice: Person, device: Device, proof: str | None, connection: Connection
) -> None:
    _, challenge = offered(alice.log_in())
    good = device.signed({"jti": challenge}, with_key=True)
    sent = None if proof is None else proof.format(good)
    assert_problem(send(alice, "/auth/device", sent), 403, "device_proof_invalid")
    assert keys(connection) == [None]
    marker_of(send(alice, "/auth/device", f'"{good}"'))  # as the draft writes it


@pytest.mark.once
@pytest.mark.parametrize("payload", [{}, {"jti": 1}, [], "x", None], ids=str)
def test_a_registration_with_another_payload_is_refused(
    alice: Person, device: Device, payload: Any
) -> None:
    alice.log_in()
    proof = device.signed(payload, with_key=True)
    assert_problem(send(alice, "/auth/device", proof), 403, "device_proof_invalid")


def test_a_registration_signed_by_another_key_is_refused(alice: Person, device: Device) -> None:
    _, challenge = offered(alice.log_in())
    proof = device.signed({"jti": challenge}, with_key=True, header={"jwk": Device().jwk})
    assert_problem(send(alice, "/auth/device", proof), 403, "device_proof_invalid")


# The marker


def test_a_refresh_demands_the_marker_and_keeps_the_cookie(
    alice: Person, device: Device, connection: Connection
) -> None:
    marker = device.bind(alice)
    assert refresh(alice, marker).status_code == 200
    for wrong in (None, "", "x", marker[:-2], alice.access_token, alice.refresh_token):
        answer = refresh(alice, wrong)
        assert_problem(answer, 401, "device_proof_missing")
        assert "Set-Cookie" not in answer.headers
    assert refresh(alice, marker).status_code == 200
    refused = [event for event in events(connection) if event.event == "refresh_refused"]
    assert [event.detail for event in refused] == ["device_proof_missing"]  # once an hour


def test_a_marker_lives_ten_minutes(alice: Person, device: Device) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        marker = device.bind(alice)
        clock.move_to(NOON + timedelta(seconds=609))  # with leeway for clocks that differ
        assert refresh(alice, marker).status_code == 200
        clock.move_to(NOON + timedelta(seconds=610))
        assert_problem(refresh(alice, marker), 401, "device_proof_missing")


def test_a_marker_of_another_session_does_not_count(alice: Person, bob: Person) -> None:
    bob.app = alice.app
    of_alice, of_bob = Device().bind(alice), Device().bind(bob)
    assert_problem(refresh(alice, of_bob), 401, "device_proof_missing")
    assert refresh(bob, of_bob).status_code == 200
    assert refresh(alice, of_alice).status_code == 200


def test_an_unbound_session_needs_no_marker(alice: Person) -> None:
    alice.logged_in()
    assert alice.refresh().status_code == 200
    assert refresh(alice, "garbage").status_code == 200


@pytest.mark.once
@pytest.mark.parametrize(
    ("skipped", "status"),
    [
        ("server_error", 503),
        ('unreachable;session_identifier="1"', 503),
        ('quota_exceeded;session_identifier="1", unreachable;session_identifier="2"', 503),
        ("quota_exceeded", 401),
        ("", 401),
        ("unreachable_not", 401),
    ],
)
def test_where_the_browser_could_not_renew_the_client_is_to_try_again(
    alice: Person, device: Device, skipped: str, status: int
) -> None:
    marker = device.bind(alice)
    header = {"Secure-Session-Skipped": skipped}
    assert refresh(alice, None, **header).status_code == status
    assert refresh(alice, marker, **header).status_code == 200


def test_a_thief_who_claims_that_the_service_was_away_is_in_the_audit_trail_and_limited(
    alice: Person, device: Device, connection: Connection
) -> None:
    marker = device.bind(alice)
    header = {"Secure-Session-Skipped": "unreachable"}
    answers = [refresh(alice, None, **header).status_code for _ in range(61)]
    assert answers == [*[503] * 60, 429]
    refused = [event for event in events(connection) if event.event == "refresh_refused"]
    assert [event.detail for event in refused] == ["service_unavailable"]  # once an hour
    assert refresh(alice, marker, **header).status_code == 200


def test_a_marker_is_good_for_nothing_else(alice: Person, device: Device) -> None:
    marker = device.bind(alice)
    bearer = {"Authorization": f"Bearer {marker}"}
    assert_problem(alice.call("GET", "/api/me", headers=bearer), 401, "access_token_invalid")
    cookie = {"Cookie": f"{alice.cookie_name}={marker}"}
    assert_problem(
        alice.call("POST", "/auth/refresh", headers=cookie), 401, "refresh_token_invalid"
    )


# Renewal


def test_the_browser_asks_for_a_challenge_and_signs_it(alice: Person, device: Device) -> None:
    device.bind(alice)
    challenge = ask(alice)
    answer = device.renew(alice, challenge)
    assert refresh(alice, marker_of(answer)).status_code == 200
    assert answer.json["refresh_url"] == "/auth/device/refresh"


def test_a_challenge_is_the_same_for_five_minutes_and_good_for_five_more(
    alice: Person, device: Device
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        device.bind(alice)
        challenge = ask(alice)
        clock.move_to(NOON + timedelta(seconds=299))
        assert ask(alice) == challenge
        clock.move_to(NOON + timedelta(seconds=599))
        assert ask(alice) != challenge
        marker_of(device.renew(alice, challenge))
        clock.move_to(NOON + timedelta(seconds=600))
        assert_problem(device.renew(alice, challenge), 403, "device_proof_invalid")
        marker_of(device.renew(alice, ask(alice)))


def test_a_renewal_with_a_wrong_proof_gets_the_challenge_again(
    alice: Person, device: Device
) -> None:
    device.bind(alice)
    challenge = ask(alice)
    wrong = [
        "x",
        Device().signed({"jti": challenge}, with_key=False),
        device.signed({"jti": "old"}, with_key=False),
        device.signed({"jti": challenge}, with_key=True),  # only a registration has the key
        device.signed({}, with_key=False),
    ]
    for proof in wrong:
        answer = send(alice, "/auth/device/refresh", proof)
        assert_problem(answer, 403, "device_proof_invalid")
        assert challenge_of(answer) == challenge


def test_a_session_without_a_device_has_nothing_to_renew(alice: Person, device: Device) -> None:
    alice.logged_in()
    answer = send(alice, "/auth/device/refresh", None)
    assert_problem(answer, 403, "device_proof_invalid")
    assert "Secure-Session-Challenge" not in answer.headers


def test_a_browser_that_names_a_session_of_an_earlier_login_is_to_forget_it(
    alice: Person, device: Device
) -> None:
    device.bind(alice)
    earlier = claims(alice.refresh_token)["sid"]
    Device().bind(alice)
    now = claims(alice.refresh_token)["sid"]
    path, name = "/auth/device/refresh", "Sec-Secure-Session-Id"
    for sid, code in [
        (earlier, 401),
        (f'"{earlier}"', 401),
        ("", 401),
        (now, 403),
        (f'"{now}"', 403),
    ]:
        assert send(alice, path, None, **{name: sid}).status_code == code
    assert_problem(send(alice, path, None, **{name: earlier}), 401, "refresh_token_missing")


@pytest.mark.parametrize("path", ["/auth/device", "/auth/device/refresh"])
def test_once_the_session_is_over_the_browser_gets_a_401(
    alice: Person, device: Device, path: str
) -> None:
    device.bind(alice)
    assert_problem(
        Person(alice.app, "x@example.com", "").call("POST", path), 401, "refresh_token_missing"
    )
    before = alice.refresh_token
    alice.log_out()
    alice.refresh_token = before
    assert_problem(send(alice, path, None), 401, "refresh_token_revoked")
    alice.refresh_token = "x.y.z"
    assert_problem(send(alice, path, None), 401, "refresh_token_invalid")


@pytest.mark.parametrize("path", ["/auth/device", "/auth/device/refresh"])
@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("DELETE FROM refresh_tokens", "refresh_token_invalid"),
        ("UPDATE users SET disabled_at = created_at", "refresh_token_revoked"),
        ("UPDATE refresh_tokens SET expires_at = issued_at", "refresh_token_expired"),
    ],
)
def test_a_session_that_the_operator_ended_gets_a_401_also_for_a_good_proof(
    alice: Person, device: Device, connection: Connection, path: str, statement: str, code: str
) -> None:
    _, challenge = offered(alice.log_in())
    marker_of(device.register(alice, challenge))
    to_sign = ask(alice)
    connection.execute(text(statement))
    with_key = path == "/auth/device"
    proof = device.signed({"jti": challenge if with_key else to_sign}, with_key=with_key)
    assert_problem(send(alice, path, proof), 401, code)


def test_too_many_wrong_proofs_are_a_503_and_never_a_429(alice: Person, device: Device) -> None:
    device.bind(alice)
    answers = [send(alice, "/auth/device/refresh", "x").status_code for _ in range(62)]
    assert answers == [*[403] * 60, 503, 503]
    marker_of(device.renew(alice, ask(alice)))  # the device itself is not hindered


def test_a_body_of_any_type_is_ignored(alice: Person, device: Device) -> None:
    _, challenge = offered(alice.log_in())
    proof = device.signed({"jti": challenge}, with_key=True)
    answer = alice.call(
        "POST",
        "/auth/device",
        headers={"Secure-Session-Response": proof, "Content-Type": "text/plain"},
        data="{",
    )
    marker_of(answer)


# The way back


def test_after_a_reauthentication_another_device_may_take_its_place(
    alice: Person, device: Device, connection: Connection
) -> None:
    old = device.bind(alice)
    answer = again(alice)
    assert "Set-Cookie" not in answer.headers
    _, challenge = offered(answer)
    new = Device()
    marker = marker_of(new.register(alice, challenge))
    assert refresh(alice, marker).status_code == 200
    assert_problem(device.renew(alice, ask(alice)), 403, "device_proof_invalid")
    assert refresh(alice, old).status_code == 200  # until it expires
    third = Device().register(alice, challenge)
    assert_problem(third, 403, "device_proof_invalid")
    [key] = keys(connection)
    assert key is not None
    assert new.jwk["x"] in key


def test_of_four_keys_that_take_its_place_at_once_one_is_stored(
    alice: Person, device: Device, connection: Connection
) -> None:
    device.bind(alice)
    _, challenge = offered(again(alice))
    devices = [Device() for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        answers = list(
            threads.map(lambda one: one.register(alice.on_same_device(), challenge), devices)
        )
    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403]
    winner = devices[[answer.status_code for answer in answers].index(200)]
    [key] = keys(connection)
    assert key is not None
    assert winner.jwk["x"] in key


def test_an_offer_to_replace_a_key_that_was_replaced_meanwhile_is_void(
    alice: Person, device: Device
) -> None:
    device.bind(alice)
    _, first = offered(again(alice))
    _, second = offered(again(alice))
    marker_of(Device().register(alice, first))
    assert_problem(Device().register(alice, second), 403, "device_proof_invalid")
    _, third = offered(again(alice))
    marker_of(Device().register(alice, third))


def test_the_offer_of_the_login_replaces_no_key(alice: Person, device: Device) -> None:
    _, at_login = offered(alice.log_in())
    marker_of(device.register(alice, at_login))
    assert_problem(Device().register(alice, at_login), 403, "device_proof_invalid")
    marker_of(Device().register(alice, offered(again(alice))[1]))
    assert_problem(device.register(alice, "x"), 403, "device_proof_invalid")
    assert_problem(device.register(alice, at_login), 403, "device_proof_invalid")


@pytest.mark.parametrize(
    "options",
    [
        {"json": {}},
        {"json": [1]},
        {"data": b"\xff", "headers": {"Content-Type": "application/json"}},
        {"data": b"a=1", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"headers": {"Accept": "text/html"}},
        {"headers": {"Authorization": "Bearer x"}},
        {"headers": {"DPoP": "x"}},
        {"headers": {"Origin": "null", "Sec-Fetch-Site": "same-origin"}},
        {"headers": {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "same-site"}},
        {"headers": {"Secure-Session-Response": "ü".encode().decode("latin-1")}},
        {"query_string": "a=1"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/auth/device", "/auth/device/refresh"])
def test_while_the_session_lives_every_refusal_is_a_403_in_json(
    alice: Person, device: Device, path: str, options: dict[str, Any]
) -> None:
    device.bind(alice)
    answer = alice.call("POST", path, **options)
    assert answer.status_code == 403
    assert answer.mimetype == "application/problem+json"


def test_with_a_second_factor_the_password_alone_is_not_the_way_back(
    alice: Person, device: Device
) -> None:
    device.bind(alice)
    give_totp(alice)
    answer = again(alice)
    assert_problem(answer, 401, "second_factor_required")
    assert OFFER not in answer.headers


# Other workers, secrets and settings


def test_other_workers_and_a_rotated_secret_recognize_what_was_issued(
    make_app: MakeApp, alice: Person, device: Device
) -> None:
    _, challenge = offered(alice.log_in())
    alice.app = make_app(device_binding=True)
    marker = marker_of(device.register(alice, challenge))
    to_sign = ask(alice)
    alice.app = make_app(device_binding=True, **REFRESH_ROTATED)
    assert refresh(alice, marker).status_code == 200
    marker_of(device.renew(alice, to_sign))


def test_switched_off_again_sessions_go_on_without_their_device(
    app: Flask, alice: Person, device: Device
) -> None:
    device.bind(alice)
    alice.app = app
    assert alice.refresh().status_code == 200


def test_the_marker_costs_no_statement(alice: Person, device: Device) -> None:
    marker = device.bind(alice)
    refresh(alice, marker)
    with counted_statements(alice.app) as statements:
        assert refresh(alice, marker).status_code == 200
    assert len(statements) == 1
