"""Access tokens in services of other makers: stock libraries, configured from the metadata."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt
import pytest
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_oauth2 import ResourceProtector
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from flask import Flask
from joserfc import jwk
from joserfc import jwt as joserfc_jwt
from joserfc.errors import JoseError

from authsvc.tokens.key_pairs import key_from_pem
from tests.attacks.tokens import Good
from tests.conftest import MakeApp
from tests.support.key_pair_settings import PEM, signed_by
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.responses import claims

pytestmark = pytest.mark.once

ISSUER = "https://auth.example.com"
NOTES = "https://notes.example"
REQUIRED = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"]
"""The claims that RFC 9068 section 2.2 requires."""


@dataclass(frozen=True)
class Issued:
    """A token for the service at NOTES, and what that service reads about its issuer."""

    token: str
    issuer: str
    jwks: dict[str, Any]

    def changed(self, **changes: Any) -> str:
        """Return the token with other claims, signed by the issuer; None removes a claim."""
        good = Good("access", self.token, "", key_from_pem(PEM["ES256"]).sign)
        gone = [name for name, value in changes.items() if value is None]
        rest = {name: value for name, value in changes.items() if value is not None}
        without = Good("access", good.without_claims(*gone), "", good.sign)
        return without.with_claims(**rest)


@pytest.fixture
def issue(make_app: MakeApp, alice: Person, operator: Operator) -> Callable[..., Issued]:
    """A function that issues a token to Alice, who is an admin; its keywords are settings."""
    assert operator.run("users", "grant", alice.email, "admin").exit_code == 0

    def issue(**settings: str) -> Issued:
        alice.app = make_app(**{"issuer": ISSUER, "audience": NOTES, **settings})
        token = alice.logged_in().access_token
        client = alice.app.test_client()
        metadata = client.get("/.well-known/oauth-authorization-server").json
        path = metadata["jwks_uri"].removeprefix(ISSUER)
        return Issued(token, metadata["issuer"], client.get(path).json)

    return issue


def by_pyjwt(issued: Issued, token: str) -> dict[str, Any]:
    kid = jwt.get_unverified_header(token)["kid"]
    key = jwt.PyJWKSet.from_dict(issued.jwks)[kid]
    expected = {"audience": NOTES, "issuer": issued.issuer}
    return jwt.decode(token, key, algorithms=["ES256"], **expected, options={"require": REQUIRED})


def by_joserfc(issued: Issued, token: str) -> dict[str, Any]:
    read = joserfc_jwt.decode(token, jwk.KeySet.import_key_set(issued.jwks))
    essential = {name: {"essential": True} for name in REQUIRED}
    expected = {"iss": {"value": issued.issuer}, "aud": {"value": NOTES}}
    merged = {name: {**rule, **expected.get(name, {})} for name, rule in essential.items()}
    joserfc_jwt.JWTClaimsRegistry(**merged).validate(read.claims)
    return read.claims


def by_authlib(issued: Issued, token: str) -> dict[str, Any]:
    from authlib.jose import JsonWebKey
    from authlib.jose import jwt as authlib_jwt

    options = {name: {"essential": True} for name in REQUIRED}
    options["iss"]["value"], options["aud"]["value"] = issued.issuer, NOTES
    keys = JsonWebKey.import_key_set(issued.jwks)
    read = authlib_jwt.decode(token, keys, claims_options=options)
    read.validate()
    return dict(read)


class NotesValidator(JWTBearerTokenValidator):
    """Authlib's validator of RFC 9068, as its documentation says to write it."""

    def __init__(self, issued: Issued) -> None:
        super().__init__(issuer=issued.issuer, resource_server=NOTES)
        self.keys = jwk.KeySet.import_key_set(issued.jwks)

    def get_jwks(self) -> jwk.KeySet:
        return self.keys


def notes(issued: Issued) -> Flask:
    """Return a Flask app that Authlib protects; only admins may read it."""
    app = Flask("notes")
    protected = ResourceProtector()
    protected.register_token_validator(NotesValidator(issued))
    app.get("/")(protected(roles="admin")(lambda: "notes"))
    return app


def status(app: Flask, token: str) -> int:
    return app.test_client().get("/", headers={"Authorization": f"Bearer {token}"}).status_code


LIBRARIES = {"PyJWT": by_pyjwt, "joserfc": by_joserfc, "Authlib": by_authlib}
REFUSALS = (jwt.InvalidTokenError, JoseError, AuthlibBaseError)
AUDIENCES = pytest.mark.parametrize("audience", [NOTES, f"https://files.example, {NOTES}"])
old_authlib = pytest.mark.filterwarnings("ignore:authlib.jose")


def test_a_token_satisfies_rfc_9068(issue: Callable[..., Issued]) -> None:
    issued = issue(**signed_by("ES256"))
    header, payload = jwt.get_unverified_header(issued.token), claims(issued.token)
    [key] = issued.jwks["keys"]
    assert header == {"alg": "ES256", "kid": key["kid"], "typ": "at+jwt"}
    texts = {name: payload[name] for name in ("iss", "aud", "sub", "client_id", "jti")}
    assert texts == {
        "iss": issued.issuer,
        "aud": NOTES,
        "sub": str(UUID(payload["sub"])),
        "client_id": "web",
        "jti": str(UUID(payload["jti"])),
    }
    assert {type(payload[name]) for name in ("exp", "iat", "auth_time")} == {int}
    assert payload["exp"] > payload["iat"] >= payload["auth_time"]
    assert payload["roles"] == ["admin"]  # section 2.2.3.1


@old_authlib
@AUDIENCES
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_verifies_a_token_with_the_published_key(
    issue: Callable[..., Issued], library: str, audience: str
) -> None:
    issued = issue(audience=audience, **signed_by("ES256"))
    verify = LIBRARIES[library]
    assert verify(issued, issued.token) == claims(issued.token)
    wrong = [
        issued.changed(aud="https://files.example"),
        issued.changed(aud=["https://files.example"]),
        issued.changed(iss=f"{ISSUER}/"),
        issued.changed(exp=claims(issued.token)["iat"] - 1),
        issued.changed(client_id=None),
        f"{issued.token[:-4]}AAAA",
    ]
    for token in wrong:
        with pytest.raises(REFUSALS):
            verify(issued, token)


@AUDIENCES
def test_authlibs_validator_of_rfc_9068_accepts_a_token_and_its_roles(
    issue: Callable[..., Issued], audience: str
) -> None:
    issued = issue(audience=audience, **signed_by("ES256"))
    app = notes(issued)
    assert status(app, issued.token) == 200
    assert status(app, issued.changed(roles=["editor"])) == 401
    assert status(app, issued.changed(aud="https://files.example")) == 401
    assert status(app, issued.changed(iss=f"{ISSUER}/")) == 401
    assert status(app, f"{issued.token[:-4]}AAAA") == 401
    for name in REQUIRED:  # each is needed, `client_id` too
        assert status(app, issued.changed(**{name: None})) == 401, name


def test_authlibs_validator_does_not_know_eddsa(issue: Callable[..., Issued]) -> None:
    """This is why `keys generate` makes ES256 keys."""
    issued = issue(**signed_by("EdDSA"))
    assert status(notes(issued), issued.token) == 401
