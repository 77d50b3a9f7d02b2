"""Every response to the options for a new passkey that is not right is refused, and adds nothing.

WebAuthn level 3, section 7.1.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from tests.conftest import MakeApp
from tests.support.cbor import cbor
from tests.support.dpop import b64
from tests.support.passkeys import (
    add_passkey,
    creation_options,
    register,
    request_options,
    stored,
)
from tests.support.people import Person
from tests.support.responses import assert_problem
from tests.support.software_authenticator import (
    AT,
    UP,
    UV,
    SoftwareAuthenticator,
    cose_key,
    new_key,
    unb64,
)
from tests.support.wrong_ceremonies import (
    DATA,
    FLAGS,
    MEMBERS,
    RAW,
    Edit,
    Faults,
    FromChallenge,
    edits,
    misshapen,
    shared_references,
)

EC = cose_key(ec.derive_private_key(7, ec.SECP256R1()))
ED = cose_key(new_key("EdDSA"))
RSA = {1: 3, 3: -257, -1: (2**2048 - 1).to_bytes(256, "big"), -2: b"\1\0\1"}


def changed(key: dict[int, Any], **members: Any) -> dict[int, Any]:
    """Return a COSE key with other members: `n` for the minus of a label, `...` leaves one out."""
    labels = {int(name[1:].replace("n", "-")): value for name, value in members.items()}
    return {label: value for label, value in {**key, **labels}.items() if value is not ...}


KEYS: dict[str, Any] = {
    "a point off the curve": changed(EC, _n3=bytes(31) + b"\1"),
    "the point zero": changed(EC, _n2=bytes(32), _n3=bytes(32)),
    "a coordinate beyond the field": changed(EC, _n2=b"\xff" * 32),
    "a short coordinate": changed(EC, _n2=EC[-2][1:]),
    "a coordinate after a zero": changed(EC, _n2=b"\0" + EC[-2]),
    "empty coordinates": changed(EC, _n2=b"", _n3=b""),
    "a compressed point": changed(EC, _n3=True),
    "a coordinate as text": changed(EC, _n2="x" * 32),
    "no coordinate": changed(EC, _n3=...),
    "a private key": changed(EC, _n4=bytes(32)),
    "the curve P-384": changed(EC, _n1=2),
    "the curve secp256k1": changed(EC, _n1=8),
    "the curve as true": changed(EC, _n1=True),
    "no curve": changed(EC, _n1=...),
    "no type of key": changed(EC, _1=...),
    "the type of key as text": changed(EC, _1="EC2"),
    "no algorithm": changed(EC, _3=...),
    "a list as the algorithm": changed(EC, _3=[-7]),
    "ES384": changed(EC, _3=-35),
    "ES512": changed(EC, _3=-36),
    "ES256K": changed(EC, _3=-47),
    "EdDSA on a key for ECDSA": changed(EC, _3=-8),
    "an operation that the key is for": changed(EC, _4=[2]),
    "no members": {},
    "the bytes of an older format": b"\4",
    "a list": [1, 2],
    "text": "key",
    "a key with a member twice": b"\xa6" + cbor(EC)[1:] + b"\1\2",
    "a key that is cut off": cbor(EC)[:-1],
    "bytes after the key": cbor(EC) + b"\0",
    "shared references": shared_references(40),
    "a tagged key": b"\xc1" + cbor(EC),
    "a key without an end": b"\xbf" + cbor(EC)[1:] + b"\xff",
    "the algorithm as a float": cbor(EC).replace(b"\3\x26", b"\3\xf9\xc7\0"),
    "X25519": changed(ED, _n1=4),
    "Ed448": changed(ED, _n1=7, _n2=bytes(57)),
    "ES256 on a key for EdDSA": changed(ED, _3=-7),
    "EdDSA": ED,
    "RSA of 1,024 bits": changed(RSA, _n1=RSA[-1][:128]),
    "RSA of 2,047 bits": changed(RSA, _n1=b"\x7f" + RSA[-1][1:]),
    "RSA of 8,192 bits": changed(RSA, _n1=b"\xff" * 1024),
    "RSA with the exponent 1": changed(RSA, _n2=b"\1"),
    "RSA with the exponent 0": changed(RSA, _n2=b""),
    "RSA with an even exponent": changed(RSA, _n2=b"\2"),
    "RSA with a long exponent": changed(RSA, _n2=b"\xff" * 9),
    "RSA with SHA-1": changed(RSA, _3=-65535),
    "RSA with SHA-512": changed(RSA, _3=-259),
    "RSA-PSS": changed(RSA, _3=-37),
    "ML-DSA": {1: 7, 3: -48, -1: bytes(1312)},
}
ATTESTATIONS: dict[str, Faults] = {
    "a format that does not exist": {"fmt": "sealed"},
    "an empty format": {"fmt": ""},
    "a number as the format": {"fmt": 7},
    "no attestation, with a statement": {"attest": lambda signed: {"sig": b"x"}},
    "a number as the statement": {"attest": lambda signed: 7},
    **{
        f"{fmt} with {what}": {"fmt": fmt, "attest": lambda signed, made=made: made}
        for fmt in (
            *("packed", "fido-u2f", "apple"),
            *("tpm", "android-key", "android-safetynet"),
        )
        for what, made in {
            "nothing": {},
            "a signature that is wrong": {"alg": -7, "sig": b"x" * 70},
            "certificates that are not": {"alg": -7, "sig": b"x" * 70, "x5c": [b"x", b"y"]},
            "members of other types": {
                "alg": "x",
                "sig": 7,
                "x5c": 7,
                "response": 7,
                "ver": 7,
                "certInfo": 7,
                "pubArea": 7,
            },
            "bytes everywhere": {
                "alg": -7,
                "sig": b"x" * 70,
                "x5c": [b"x"],
                "response": b"{}.x.x",
                "ver": "2.0",
                "certInfo": b"\xff" * 90,
                "pubArea": b"\xff" * 90,
            },
        }.items()
    },
}
OBJECTS: dict[str, bytes] = {
    "text": b"attestation",
    "a number": cbor(7),
    "a list": cbor([{}]),
    "no members": cbor({}),
    "no format": cbor({"attStmt": {}, "authData": bytes(100)}),
    "no authenticator data": cbor({"fmt": "none", "attStmt": {}}),
    "text as authenticator data": cbor({"fmt": "none", "attStmt": {}, "authData": "x" * 100}),
    "a number as authenticator data": cbor({"fmt": "none", "attStmt": {}, "authData": 7}),
    "shared references": shared_references(40),
    "deep lists": b"\x81" * 8000 + b"\1",
    "deep maps": b"\xa1\1" * 4000 + b"\1",
    "a tag": b"\xc1\1",
    "a regular expression": b"\xd8\x23\x6a(a+)+(b+)+",
    "a string longer than the bytes": b"\x5b" + b"\xff" * 8,
    "a map longer than the bytes": b"\xbb" + b"\xff" * 8,
    "a map without an end": b"\xbf\x63fmt\x64none",
    "the end of a map": b"\xff",
}
CREDENTIAL_IDS: dict[str, Faults] = {
    "an id of 1,024 bytes": {"credential_id": b"i" * 1024},
    "no id": {"credential_id": b""},
}
WRONG: dict[str, Faults] = {
    **MEMBERS,
    **DATA,
    "the type of a login": {"type": "webauthn.get"},
    "no new key": {"flags": UP | UV},
    **{name: {"flags": flags | AT} for name, flags in FLAGS.items()},
    **{f"the key is {name}": {"public_key": key} for name, key in KEYS.items()},
    **ATTESTATIONS,
    **{f"the object is {name}": {"attestation_object": one} for name, one in OBJECTS.items()},
    **CREDENTIAL_IDS,
}
TEXTS: dict[str, Edit] = {
    **edits("id", "rawId", "attestationObject", "clientDataJSON"),
    "an id that is not the raw id": lambda credential: credential.update(id=b64(b"another")),
    "an id that is not that of the key": lambda credential: credential.update(
        id=b64(b"another"), rawId=b64(b"another")
    ),
    "an object with a byte after it": lambda credential: credential["response"].update(
        attestationObject=b64(unb64(credential["response"]["attestationObject"]) + b"\0")
    ),
    "an object that ends a byte early": lambda credential: credential["response"].update(
        attestationObject=b64(unb64(credential["response"]["attestationObject"])[:-1])
    ),
    "the client data of another passkey": lambda credential: credential["response"].update(
        clientDataJSON=b64(b'{"type":"webauthn.create"}')
    ),
}
SHAPES: dict[str, Edit] = {
    **misshapen("id", "rawId", "type", "response", "attestationObject", "clientDataJSON"),
    "another type": lambda credential: credential.update(type="password"),
}


def assert_refused(
    alice: Person,
    connection: Connection,
    make: Callable[[dict[str, Any]], dict[str, Any]],
    status: int = 403,
    code: str = "credential_refused",
) -> None:
    """Assert that what is made of new options is refused, and that nothing is stored."""
    if not alice.access_token:
        alice.logged_in()
    credential = make(creation_options(alice))
    before = stored(connection)
    body = json.dumps({"name": "phone", "credential": credential})
    answer = alice.call("POST", "/api/me/passkeys", data=body, content_type="application/json")
    assert_problem(answer, status, code)
    assert stored(connection) == before


@pytest.fixture
def authenticator() -> SoftwareAuthenticator:
    return SoftwareAuthenticator()


@pytest.mark.once
@pytest.mark.parametrize("fault", WRONG)
def test_a_response_with_one_fault_is_refused(
    owner: Person, authenticator: SoftwareAuthenticator, rows: Connection, fault: str
) -> None:
    assert_refused(owner, rows, lambda options: authenticator.create(options, **WRONG[fault]))


@pytest.mark.once
@pytest.mark.parametrize("fault", RAW)
def test_strange_client_data_is_refused(
    owner: Person, authenticator: SoftwareAuthenticator, rows: Connection, fault: str
) -> None:
    faults: FromChallenge = RAW[fault]
    assert_refused(
        owner,
        rows,
        lambda options: authenticator.create(
            options, **faults(options["challenge"], "webauthn.create")
        ),
    )


@pytest.mark.once
@pytest.mark.parametrize("fault", TEXTS)
def test_a_response_of_which_a_text_was_changed_is_refused(
    owner: Person, authenticator: SoftwareAuthenticator, rows: Connection, fault: str
) -> None:
    def make(options: dict[str, Any]) -> dict[str, Any]:
        credential = authenticator.create(options)
        TEXTS[fault](credential)
        return credential

    assert_refused(owner, rows, make)


@pytest.mark.once
@pytest.mark.parametrize("fault", SHAPES)
def test_a_response_of_another_shape_is_invalid(
    owner: Person, authenticator: SoftwareAuthenticator, rows: Connection, fault: str
) -> None:
    def make(options: dict[str, Any]) -> dict[str, Any]:
        credential = authenticator.create(options)
        SHAPES[fault](credential)
        return credential

    assert_refused(owner, rows, make, 422, "validation_failed")


def test_the_challenge_of_a_login_is_refused(
    alice: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    challenge = request_options(alice)["challenge"]
    assert_refused(
        alice, connection, lambda options: authenticator.create(options, challenge=challenge)
    )


def test_a_response_is_accepted_once(
    alice: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    credential = authenticator.create(creation_options(alice.logged_in()))
    assert register(alice, credential).status_code == 201
    assert_refused(alice, connection, lambda options: credential)


def test_a_challenge_is_accepted_once(
    alice: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    first = creation_options(alice.logged_in())
    assert register(alice, authenticator.create(first)).status_code == 201
    assert_refused(alice, connection, lambda options: SoftwareAuthenticator().create(first))


def test_the_challenge_of_another_account_is_refused(
    alice: Person, bob: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    challenge = creation_options(bob.logged_in())["challenge"]
    assert_refused(
        alice, connection, lambda options: authenticator.create(options, challenge=challenge)
    )


def test_a_passkey_that_another_account_has_is_refused(
    alice: Person, bob: Person, connection: Connection
) -> None:
    of_bob = add_passkey(bob.logged_in())
    same_id = SoftwareAuthenticator(credential_id=of_bob.credential_id)
    assert_refused(alice, connection, same_id.create)


def test_a_passkey_that_the_account_has_is_refused(alice: Person, connection: Connection) -> None:
    authenticator = add_passkey(alice.logged_in())
    assert_refused(alice, connection, authenticator.create)


def test_a_body_beyond_the_limit_is_too_large(alice: Person, connection: Connection) -> None:
    alice.logged_in()
    authenticator = SoftwareAuthenticator(credential_id=b"i" * 13_000)
    assert_refused(alice, connection, authenticator.create, 413, "request_too_large")


@pytest.mark.parametrize(
    "faults",
    [
        {"credential_id": b"i" * 1023},
        {"extensions": cbor({"credProtect": 2, "hmac-secret": True})},
        {"crossOrigin": ...},
        {"a member of a later version": {"a": [1]}},
        {"tokenBinding": {"status": "supported"}},
        {"public_key": changed(RSA, _n1=b"\xff" * 512)},
    ],
    ids=["long id", "extensions", "no crossOrigin", "more members", "token binding", "4,096 bits"],
)
def test_a_response_that_the_standard_allows_is_accepted(
    alice: Person, authenticator: SoftwareAuthenticator, faults: Faults
) -> None:
    credential = authenticator.create(creation_options(alice.logged_in()), **faults)
    answer = register(alice, credential)
    assert answer.status_code == 201, answer.json


def test_an_authenticator_may_attest_its_key_by_itself(
    alice: Person, authenticator: SoftwareAuthenticator, connection: Connection
) -> None:
    def attest(signed: bytes) -> dict[str, Any]:
        return {"alg": -7, "sig": authenticator.sign(signed)}

    add_passkey(alice.logged_in(), authenticator, fmt="packed", attest=attest)
    other = SoftwareAuthenticator()
    assert_refused(
        alice, connection, lambda options: other.create(options, fmt="packed", attest=attest)
    )


ANY_BYTES = st.binary(min_size=1, max_size=2000)
CBOR_LIKE = st.recursive(
    st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=40) | st.text(max_size=20) | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


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
            "attestation_object": ANY_BYTES | CBOR_LIKE.map(cbor),
            "authenticator_data": ANY_BYTES,
            "public_key": ANY_BYTES | st.dictionaries(st.integers(-5, 5), CBOR_LIKE),
            "extensions": ANY_BYTES,
            "fmt": st.text(max_size=20),
            "client_data_json": ANY_BYTES,
        },
    ).filter(bool)
)
def test_no_bytes_make_it_fail(patient_app: Flask, alice: Person, data: Faults) -> None:
    alice.app = patient_app
    if not alice.access_token:
        alice.logged_in()
    answer = register(alice, SoftwareAuthenticator().create(creation_options(alice), **data))
    assert answer.status_code in (201, 403), answer.text
    if answer.status_code == 201:
        assert set(data) == {"extensions"}  # they may be CBOR by chance
        passkey = f"/api/me/passkeys/{answer.json['id']}"
        assert alice.call("DELETE", passkey).status_code == 204
