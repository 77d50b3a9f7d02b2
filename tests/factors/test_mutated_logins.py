"""Every response of a passkey that is not right is refused, and opens nothing.

WebAuthn level 3, section 7.2.
"""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from tests.conftest import MakeApp
from tests.support.cbor import cbor
from tests.support.dpop import b64
from tests.support.passkeys import (
    add_passkey,
    assertion,
    creation_options,
    request_options,
    send,
    stored,
)
from tests.support.people import Person
from tests.support.responses import assert_problem
from tests.support.software_authenticator import (
    BE,
    UP,
    UV,
    Algorithm,
    SoftwareAuthenticator,
    unb64,
)
from tests.support.wrong_ceremonies import (
    AT,
    DATA,
    FLAGS,
    MEMBERS,
    RAW,
    Edit,
    Faults,
    edits,
    misshapen,
    shared_references,
)

EVIL = SoftwareAuthenticator()
"""An authenticator with a key of its own."""


def flipped(credential: dict[str, Any], name: str, at: int) -> None:
    """Change one bit of a member."""
    data = bytearray(unb64(credential["response"][name]))
    data[at] ^= 1
    credential["response"][name] = b64(bytes(data))


WRONG: dict[str, Faults] = {
    **MEMBERS,
    **DATA,
    "the type of a registration": {"type": "webauthn.create"},
    **{name: {"flags": flags} for name, flags in FLAGS.items()},
    "a key that can be backed up, and could not before": {"flags": UP | UV | BE},
    "a new key": {"flags": UP | UV | AT},
    "a new key of shared references": {
        "flags": UP | UV | AT,
        "extensions": bytes(16) + b"\0\1i" + shared_references(40),
    },
    "the signature of another key": {"sign": EVIL.sign},
    "no signature": {"sign": lambda signed: b""},
    "a signature of zeros": {"sign": lambda signed: bytes(70)},
    "a signature of the numbers zero": {"sign": lambda signed: encode_dss_signature(0, 0)},
    "the account of another person": {"user_handle": bytes(16)},
    "the account's id with a byte more": {"user_handle": bytes(17)},
    "no account": {"user_handle": b""},
}
TEXTS: dict[str, Edit] = {
    **edits("id", "rawId", "authenticatorData", "clientDataJSON", "signature", "userHandle"),
    "an id that is not the raw id": lambda credential: credential.update(id=b64(b"another")),
    "a passkey that is not registered": lambda credential: credential.update(
        id=b64(b"another"), rawId=b64(b"another")
    ),
    "an id of 9,000 bytes": lambda credential: credential.update(
        id=b64(b"i" * 4500), rawId=b64(b"i" * 4500)
    ),
    "another bit in the signature": lambda credential: flipped(credential, "signature", 20),
    "another bit in the domain": lambda credential: flipped(credential, "authenticatorData", 0),
    "another bit in the sign count": lambda credential: flipped(
        credential, "authenticatorData", 36
    ),
    "another bit in the client data": lambda credential: flipped(credential, "clientDataJSON", 5),
    "a byte after the signature": lambda credential: credential["response"].update(
        signature=b64(unb64(credential["response"]["signature"]) + b"\0")
    ),
    "a signature that is not DER": lambda credential: credential["response"].update(
        signature=b64(
            b"".join(
                number.to_bytes(32, "big")
                for number in decode_dss_signature(unb64(credential["response"]["signature"]))
            )
        )
    ),
    "no userHandle": lambda credential: credential["response"].pop("userHandle"),
    "null as userHandle": lambda credential: credential["response"].update(userHandle=None),
}
SHAPES: dict[str, Edit] = {
    **misshapen(
        *("id", "rawId", "type", "response"),
        *("authenticatorData", "clientDataJSON", "signature"),
    ),
    "a number as userHandle": lambda credential: credential["response"].update(userHandle=7),
    "half a character in userHandle": lambda credential: credential["response"].update(
        userHandle="\ud800"
    ),
    "another type": lambda credential: credential.update(type="password"),
}


@pytest.fixture
def authenticator(alice: Person) -> SoftwareAuthenticator:
    """The authenticator with the passkey of Alice, who has no session."""
    authenticator = add_passkey(alice.logged_in())
    alice.call("DELETE", "/api/me/sessions")
    alice.access_token = alice.refresh_token = ""
    return authenticator


@pytest.fixture(scope="module")
def key(owner: Person) -> SoftwareAuthenticator:
    """The authenticator with the passkey of the owner, who has no session."""
    authenticator = add_passkey(owner)
    owner.access_token = owner.refresh_token = ""
    return authenticator


def assert_refused(
    alice: Person,
    connection: Connection,
    credential: dict[str, Any],
    status: int = 401,
    code: str = "invalid_credentials",
) -> None:
    """Assert that a response opens nothing, by itself or beside the password."""
    before = stored(connection)
    for path, body in (
        ("/auth/passkey", {"credential": credential}),
        ("/auth/login", {**alice.credentials, "passkey": credential}),
    ):
        answer = alice.call("POST", path, data=json.dumps(body), content_type="application/json")
        assert_problem(answer, status, code)
        assert "Set-Cookie" not in answer.headers
    assert stored(connection) == before


@pytest.mark.once
@pytest.mark.parametrize("fault", WRONG)
def test_a_response_with_one_fault_is_refused(
    owner: Person, key: SoftwareAuthenticator, rows: Connection, fault: str
) -> None:
    credential = assertion(owner, key, **WRONG[fault])
    assert_refused(owner, rows, credential)


@pytest.mark.once
@pytest.mark.parametrize("fault", RAW)
def test_strange_client_data_is_refused(
    owner: Person, key: SoftwareAuthenticator, rows: Connection, fault: str
) -> None:
    options = request_options(owner)
    faults = RAW[fault](options["challenge"], "webauthn.get")
    assert_refused(owner, rows, key.get(options, **faults))


@pytest.mark.once
@pytest.mark.parametrize("fault", TEXTS)
def test_a_response_of_which_a_text_was_changed_is_refused(
    owner: Person, key: SoftwareAuthenticator, rows: Connection, fault: str
) -> None:
    credential = assertion(owner, key)
    TEXTS[fault](credential)
    assert_refused(owner, rows, credential)


@pytest.mark.once
@pytest.mark.parametrize("fault", SHAPES)
def test_a_response_of_another_shape_is_invalid(
    owner: Person, key: SoftwareAuthenticator, rows: Connection, fault: str
) -> None:
    credential = assertion(owner, key)
    SHAPES[fault](credential)
    assert_refused(owner, rows, credential, 422, "validation_failed")


def test_the_challenge_of_a_registration_is_refused(
    alice: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    send(alice, assertion(alice, authenticator))
    challenge = creation_options(alice)["challenge"]
    alice.refresh_token = ""
    assert_refused(alice, connection, assertion(alice, authenticator, challenge=challenge))


def test_a_response_is_accepted_once(
    alice: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    credential = assertion(alice, authenticator)
    assert send(alice.on_another_device(), credential).status_code == 200
    assert_refused(alice, connection, credential)


def test_a_challenge_is_accepted_once(
    alice: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    options = request_options(alice)
    assert send(alice.on_another_device(), authenticator.get(options)).status_code == 200
    assert_refused(alice, connection, authenticator.get(options))


def test_the_passkey_of_one_account_does_not_open_another(
    alice: Person, bob: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    of_bob = add_passkey(bob.logged_in())
    stolen = assertion(alice, of_bob, user_handle=authenticator.user_handle)
    assert_refused(alice, connection, stolen)
    relabeled = assertion(alice, of_bob, user_handle=authenticator.user_handle)
    relabeled.update(id=authenticator.id, rawId=authenticator.id)
    assert_refused(alice, connection, relabeled)


@pytest.mark.parametrize(
    ("before", "now"), [(5, 5), (5, 4), (5, 0), (1, 0), (2**32 - 1, 2**32 - 1), (2**32 - 1, 1)]
)
def test_a_sign_count_that_does_not_go_up_is_refused(
    alice: Person, connection: Connection, before: int, now: int
) -> None:
    authenticator = SoftwareAuthenticator(sign_count=before)
    add_passkey(alice.logged_in(), authenticator)
    alice.access_token = alice.refresh_token = ""
    assert_refused(alice, connection, assertion(alice, authenticator, sign_count=now))


def test_a_body_beyond_the_limit_is_too_large(
    alice: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    credential = assertion(alice, authenticator, extensions=cbor(bytes(13_000)))
    assert_refused(alice, connection, credential, 413, "request_too_large")


@pytest.mark.parametrize(
    "faults",
    [
        {"extensions": cbor({"appid": False, "uvm": [[2, 4, 2]]})},
        {"crossOrigin": ...},
        {"a member of a later version": {"a": [1]}},
        {"sign_count": 2**32 - 1},
    ],
    ids=["extensions", "no crossOrigin", "more members", "sign count"],
)
def test_a_response_that_the_standard_allows_is_accepted(
    alice: Person, authenticator: SoftwareAuthenticator, faults: Faults
) -> None:
    assert send(alice, assertion(alice, authenticator, **faults)).status_code == 200


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_each_algorithm_verifies_its_signatures_and_no_others(
    alice: Person, connection: Connection, algorithm: Algorithm
) -> None:
    authenticator = add_passkey(alice.logged_in(), SoftwareAuthenticator(algorithm=algorithm))
    other = SoftwareAuthenticator(algorithm=algorithm)
    assert send(alice, assertion(alice, authenticator)).status_code == 200
    alice.access_token = alice.refresh_token = ""
    assert_refused(alice, connection, assertion(alice, authenticator, sign=other.sign))
    assert_refused(alice, connection, assertion(alice, authenticator, sign=EVIL.sign))


@pytest.fixture(scope="module")
def patient_app(make_app: MakeApp) -> Flask:
    """An app with limits that no test reaches."""
    return make_app(rate_limit_factor=1000)


@pytest.mark.once
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    data=st.fixed_dictionaries(
        {},
        optional={
            "authenticator_data": st.binary(min_size=1, max_size=2000),
            "extensions": st.binary(min_size=1, max_size=2000),
            "client_data_json": st.binary(min_size=1, max_size=2000),
            "sign": st.binary(max_size=600).map(lambda data: lambda signed: data),
        },
    )
)
def test_no_bytes_make_it_fail(
    patient_app: Flask, alice: Person, authenticator: SoftwareAuthenticator, data: Faults
) -> None:
    person = Person(patient_app, alice.email, alice.password)
    answer = send(person, assertion(person, authenticator, **data))
    honest = not data or (data.keys() == {"extensions"} and answer.status_code == 200)
    assert answer.status_code == (200 if honest else 401), answer.text
