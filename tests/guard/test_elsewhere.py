"""The guard in another Flask app, whose errors, bodies and files it leaves alone."""

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Blueprint, Flask, abort, g, request
from werkzeug.routing import Rule

from authsvc.guard import AccessTokenGuard, current_access_token, public, requires_role
from authsvc.problems import Problem
from authsvc.tokens.access import access_keyring
from authsvc.tokens.key_pairs import key_from_pem
from authsvc.tokens.keyring import hmac_key
from tests.guard.issuer import ISSUER, token_by
from tests.support.key_pair_settings import ED25519
from tests.support.responses import assert_problem, claims
from tests.support.running_service import ROOT
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET
from tests.tokens.forgery import EPOCH, NOW, by_hand, payload

KEY = hmac_key(ACCESS_SECRET)
LARGE = 10 * 1024 * 1024


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    """Another app, with routes of every kind."""
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "style.css").write_text("p {}")
    app = Flask("elsewhere", root_path=str(tmp_path))
    AccessTokenGuard(app, issuer=ISSUER, secret=ACCESS_SECRET.hex())
    app.get("/")(lambda: str(current_access_token().sub))
    app.get("/g", endpoint="g")(lambda: {"sid": str(g.access_token.sid)})
    app.get("/open", endpoint="open")(public(lambda: "open"))
    app.get("/abort", endpoint="abort")(lambda: abort(418))
    app.get("/breaks", endpoint="breaks")(lambda: {}["canary"])
    app.post("/size", endpoint="size")(lambda: {"size": len(request.get_data())})
    app.post("/json", endpoint="json")(lambda: {"got": request.get_json()})
    app.post("/read", endpoint="read")(lambda: {"size": len(request.stream.read())})
    app.post("/upload", endpoint="upload")(size_of_the_file)
    return app


def size_of_the_file() -> dict[str, int]:
    with closing(request.files["f"]) as file:
        return {"size": len(file.read())}


def call(app: Flask, method: str, path: str, token: str | None = None, **kwargs: Any):
    headers = kwargs.pop("headers", {})
    if token is not None:
        headers = {**headers, "Authorization": f"Bearer {token}"}
    return app.test_client().open(path, method=method, headers=headers, buffered=True, **kwargs)


def test_a_view_in_another_app_can_require_a_role(app: Flask) -> None:
    app.get("/admin", endpoint="admin")(requires_role("admin")(lambda: "admin"))
    answer = call(app, "GET", "/admin", token_by(KEY, roles=("editor",)))
    assert_problem(answer, 403, "forbidden")
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    assert call(app, "GET", "/admin", token_by(KEY, roles=("editor", "admin"))).text == "admin"


def test_a_view_in_another_app_reads_the_operators_own_claims(app: Flask) -> None:
    app.get("/own", endpoint="own")(lambda: current_access_token().extra)
    own = {"tenant": "acme", "groups": ["staff"]}
    token = token_by(KEY, extra_json=json.dumps(own))
    assert [call(app, "GET", "/own", token).json for _ in range(2)] == [own, own]
    assert call(app, "GET", "/own", token_by(KEY, roles=("editor",))).json == {}


def test_every_route_except_the_public_one_is_protected(app: Flask) -> None:
    for path in ("/", "/g", "/abort", "/breaks", "/static/style.css"):
        answer = call(app, "GET", path)
        assert_problem(answer, 401, "access_token_missing")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="authsvc"'
    assert call(app, "GET", "/open").text == "open"


def test_a_rule_that_flask_did_not_make_is_protected_in_every_method(app: Flask) -> None:
    app.url_map.add(Rule("/raw", endpoint="raw"))
    app.view_functions["raw"] = lambda: "raw"
    for method in ("GET", "OPTIONS"):
        assert_problem(call(app, method, "/raw"), 401, "access_token_missing")


def test_a_token_of_the_issuer_is_accepted_and_its_claims_reach_the_view(app: Flask) -> None:
    token = token_by(KEY)
    assert call(app, "GET", "/", token).text == claims(token)["sub"]
    assert call(app, "GET", "/g", token).json == {"sid": claims(token)["sid"]}
    body = {"access_token": token, "a": 1}
    assert call(app, "POST", "/json", json=body).json == {"got": body}


@pytest.mark.parametrize(
    "token",
    [
        token_by(hmac_key(REFRESH_SECRET)),
        token_by(key_from_pem(ED25519)),
        token_by(KEY, aud="https://other.example"),
        token_by(KEY, ttl=901),
        "a.b.c",
        "",
    ],
    ids=["secret", "algorithm", "audience", "life", "garbage", "empty"],
)
def test_any_other_token_is_refused(app: Flask, token: str) -> None:
    assert_problem(call(app, "GET", "/", token), 401, "access_token_invalid")


def test_an_app_can_refuse_tokens_that_live_longer_than_its_limit() -> None:
    app = Flask("elsewhere")
    app.get("/")(lambda: "accepted")
    AccessTokenGuard(app, issuer=ISSUER, secret=ACCESS_SECRET.hex(), max_life=300)
    assert call(app, "GET", "/", token_by(KEY, ttl=300)).text == "accepted"
    assert_problem(call(app, "GET", "/", token_by(KEY, ttl=301)), 401, "access_token_invalid")


def test_the_apps_own_errors_stay_its_own(app: Flask) -> None:
    token = token_by(KEY)
    for path, status in (("/abort", 418), ("/nowhere", 404), ("/breaks", 500)):
        answer = call(app, "GET", path, token)
        assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert call(app, "DELETE", "/", token).status_code == 405
    assert call(app, "GET", "/nowhere").status_code == 404


def test_an_app_that_renders_problems_itself_keeps_its_handler() -> None:
    app = Flask("elsewhere")
    app.register_error_handler(Problem, lambda problem: ("mine", problem.status))
    AccessTokenGuard(app, issuer=ISSUER, secret=ACCESS_SECRET.hex())
    app.get("/")(lambda: "")
    assert call(app, "GET", "/").text == "mine"


def test_options_is_answered_without_a_token(app: Flask) -> None:
    assert call(app, "OPTIONS", "/").status_code == 200


def test_static_files_are_protected_until_they_are_made_public(app: Flask) -> None:
    assert call(app, "GET", "/static/style.css", token_by(KEY)).text == "p {}"
    public(app.view_functions["static"])
    assert call(app, "GET", "/static/style.css").text == "p {}"


def test_a_blueprint_registered_later_is_protected_too(app: Flask) -> None:
    later = Blueprint("later", __name__)
    later.get("/later")(lambda: "later")
    app.register_blueprint(later)
    assert call(app, "GET", "/later").status_code == 401
    assert call(app, "GET", "/later", token_by(KEY)).text == "later"


def test_a_large_body_beside_a_header_passes_untouched(app: Flask) -> None:
    token = token_by(KEY)
    large = b'"' + b"x" * LARGE + b'"'
    json = {"content_type": "application/json", "data": large}
    for path in ("/size", "/read"):
        assert call(app, "POST", path, token, **json).json == {"size": len(large)}
    part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    upload = {"content_type": "multipart/form-data; boundary=x"}
    answer = call(app, "POST", "/upload", token, data=part + large + b"\r\n--x--\r\n", **upload)
    assert answer.json == {"size": len(large)}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"{", {}),
        (b"NaN", {}),
        (b'{"a":1,"a":2}', {}),
        (b"\x1f\x8b", {"Content-Encoding": "gzip"}),
        ('"é"'.encode("utf-16"), {"Content-Type": "application/json; charset=utf-16"}),
        (b'{"access_token": "x"}', {}),
    ],
)
def test_any_body_beside_a_header_is_the_views_own(
    app: Flask, body: bytes, headers: dict[str, str]
) -> None:
    sent = {"Content-Type": "application/json", **headers}
    answer = call(app, "POST", "/read", token_by(KEY), data=body, headers=sent)
    assert answer.json == {"size": len(body)}


def test_without_a_header_a_token_is_read_from_a_body_of_up_to_16_kib(app: Flask) -> None:
    token = token_by(KEY)
    small = {"access_token": token, "a": "x" * 10_000}
    assert call(app, "POST", "/json", json=small).json == {"got": small}
    large = {"access_token": token, "a": "x" * 20_000}
    assert call(app, "POST", "/json", json=large).status_code == 413
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    assert call(app, "POST", "/json", json=large).json == {"got": large}


def test_two_headers_are_refused_here_too(app: Flask) -> None:
    twice = [("Authorization", f"Bearer {token_by(KEY)}")] * 2
    assert_problem(app.test_client().get("/", headers=twice), 400, "invalid_request")


KEYRING = access_keyring(KEY)
JWKS = "https://auth.example.com/.well-known/jwks.json"


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"jwks_url": JWKS, "secret": ACCESS_SECRET.hex()},
        {"jwks_url": JWKS, "keys": KEYRING},
        {"secret": ACCESS_SECRET.hex(), "keys": KEYRING},
        {"secret": None},
    ],
)
def test_exactly_one_source_of_keys_must_be_given(keys: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="exactly one of jwks_url, secret and keys"):
        AccessTokenGuard(Flask("elsewhere"), issuer=ISSUER, **keys)


@pytest.mark.parametrize(
    ("secret", "why"),
    [("", "has 0 bytes"), ("canary", "is not hexadecimal"), ("00" * 64, "is a placeholder")],
)
def test_a_bad_secret_is_refused_and_never_shown(secret: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"The secret {why}") as caught:
        AccessTokenGuard(Flask("elsewhere"), issuer=ISSUER, secret=secret)
    assert "canary" not in str(caught.value)


def test_the_audience_is_the_issuer_unless_another_is_named() -> None:
    app = Flask("elsewhere")
    app.get("/")(lambda: "accepted")
    AccessTokenGuard(app, issuer=ISSUER, audience="https://other.example", keys=KEYRING)
    assert call(app, "GET", "/", token_by(KEY)).status_code == 401
    assert call(app, "GET", "/", token_by(KEY, aud="https://other.example")).text == "accepted"


def test_a_token_for_several_audiences_is_accepted_by_each_and_by_no_other() -> None:
    token = token_by(KEY, aud=("https://a.example", "https://b.example"))
    for audience, status in (
        ("https://b.example", 200),
        (("https://c.example", "https://a.example"), 200),
        ("https://c.example", 401),
        (None, 401),  # the issuer
    ):
        app = Flask("elsewhere")
        app.get("/")(lambda: "accepted")
        AccessTokenGuard(app, issuer=ISSUER, audience=audience, keys=KEYRING)
        assert call(app, "GET", "/", token).status_code == status


def test_the_guard_in_another_app_never_imports_a_database() -> None:
    script = (
        "import sys; from flask import Flask; from authsvc.guard import AccessTokenGuard;"
        f"AccessTokenGuard(Flask('x'), issuer='x', jwks_url='{JWKS}');"
        "print([name for name in sys.modules if 'sqlalchemy' in name or 'alembic' in name])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(("nbf", "status"), [(EPOCH - 3600, 200), (EPOCH + 3600, 401), ("x", 401)])
def test_a_token_is_refused_before_its_nbf(app: Flask, nbf: object, status: int) -> None:
    """T6; issue 14, 17."""
    header = {"alg": "HS256", "kid": KEY.kid, "typ": "at+jwt"}
    token = by_hand(ACCESS_SECRET, header, payload(iss=ISSUER, aud=ISSUER, nbf=nbf))
    answer = app.test_client().get("/", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == status
