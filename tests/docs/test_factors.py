"""docs/factors.md: its listings, run as a reader would run them."""

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
import time_machine
from flask import Flask

from authsvc import clock
from authsvc.testing import access_token
from tests.conftest import MakeApp
from tests.support.authenticator_app import log_in_with, set_up
from tests.support.local_server import local_server
from tests.support.passkeys import add_passkey, assertion, log_in_by_passkey
from tests.support.people import Person
from tests.support.programs import program
from tests.support.reauthentication import again
from tests.support.responses import assert_problem, claims
from tests.support.running_service import ROOT
from tests.support.second_factors import give_recovery_codes, give_totp
from tests.support.signing_secrets import ACCESS_SECRET

DOC = (ROOT / "docs" / "factors.md").read_text(encoding="utf-8")
ALICE = ("alice@example.com", "correct horse battery staple")
ISSUER = "https://auth.example.com"
MAX_LINES = 10

pytestmark = pytest.mark.once


def listing(kind: str, holding: str) -> str:
    """Return the only listing of that kind that contains that text."""
    found = re.findall(rf"^```{kind}\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)
    (text,) = (text for text in found if holding in text)
    return str(text)


def run_python(source: str) -> ModuleType:
    """Return a module with that source."""
    module = ModuleType("listed")
    exec(compile(source, "docs/factors.md", "exec"), vars(module))
    return module


@pytest.fixture
def member(app: Flask) -> Person:
    """Alice, with the password of the document."""
    return Person(app, *ALICE).register().logged_in()


def test_each_way_has_ten_lines_or_fewer() -> None:
    script = listing("html", "withFactors").split('<script type="module">\n')[1]
    ways = [
        listing("sh", "pyotp.TOTP"),
        script.split("</script>")[0].partition("factors.js")[2],
        listing("python", "Blueprint").partition("__name__)\n")[2],
        listing("python", "Flask(").partition("import AccessTokenGuard")[2].partition("\n")[2],
    ]
    for way in ways:
        assert len([line for line in way.splitlines() if line.strip()]) <= MAX_LINES


def test_curl_sets_up_an_authenticator_app_and_logs_in_with_it(
    make_app: MakeApp, member: Person, tmp_path: Path
) -> None:
    program("curl")
    soon = "import pyotp, sys, time; print(pyotp.TOTP(sys.argv[1]).at(time.time() + 30))"
    waiting = f"code() {{ python3 -c '{soon}' \"$SECRET\"; }}"
    with local_server(make_app()) as url:
        script = listing("sh", "pyotp.TOTP").replace("http://localhost:8000", url)
        script = re.sub(r"^sleep 30.*$", lambda _: waiting, script, flags=re.MULTILINE)
        script = re.sub(r"^curl ", r"curl -w '\\n' ", script, flags=re.MULTILINE)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        command = [program("bash"), "-eu", "-c", script]
        ran = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ran.returncode == 0, ran.stderr
    codes, refused, opened = map(json.loads, filter(None, ran.stdout.splitlines()))
    assert len(codes["recovery_codes"]) == 10
    assert refused["code"] == "second_factor_required"
    assert claims(opened["access_token"])["acr"] == "aal2"


def test_the_table_has_the_amr_and_acr_of_each_way(member: Person) -> None:
    [table] = re.findall(r"^\| a person gives .*?(?=\n\n)", DOC, re.MULTILINE | re.DOTALL)
    written = [line.strip("|").split("|")[2:] for line in table.splitlines()[2:]]
    key = add_passkey(member)
    phone, codes = give_totp(member), give_recovery_codes(member)
    answers = [
        log_in_with(member, code=phone.now()),
        log_in_with(member, recovery_code=codes[0]),
        log_in_with(member, passkey=assertion(member, key)),
        log_in_by_passkey(member, key),
    ]
    found = [claims(answer.json["access_token"]) for answer in answers]
    assert [found[0]["amr"], found[1]["amr"]] == [["pwd", "otp", "mfa"]] * 2
    assert [found[2]["amr"], found[3]["amr"]] == [["pwd", "hwk", "mfa"], ["hwk", "mfa"]]
    without = {"amr": ["pwd"], "acr": "aal1"}
    for (amr, acr), token in zip(written, [without, *found], strict=True):
        assert set(token["amr"]) <= set(re.findall(r"\w+", amr))
        assert acr.strip(" `") == token["acr"]


def test_the_views_require_a_recent_login_with_two_factors(
    make_app: MakeApp, member: Person
) -> None:
    member.app = app = make_app()
    app.register_blueprint(run_python(listing("python", "Blueprint")).payouts)
    assert_problem(member.call("POST", "/api/payouts", json={}), 401, "reauthentication_required")
    phone, _ = set_up(member)
    member.refresh()
    assert member.call("POST", "/api/payouts", json={}).json == {"paid": True}
    with time_machine.travel(clock.now() + timedelta(minutes=6), tick=False):
        refused = member.call("POST", "/api/payouts", json={})
        assert_problem(refused, 401, "reauthentication_required")
        assert 'max_age="300"' in refused.headers["WWW-Authenticate"]
        member.access_token = again(member, code=phone.code()).json["access_token"]
        assert member.call("POST", "/api/payouts", json={}).status_code == 200


def test_the_view_of_another_app_requires_two_factors() -> None:
    key = {"secret": ACCESS_SECRET.hex()}
    source = listing("python", "Flask(")
    url = 'jwks_url=f"{ISSUER}/.well-known/jwks.json"'
    assert url in source
    app: Flask = run_python(source.replace(url, f'secret="{key["secret"]}"')).app

    def pay(*amr: str) -> int:
        bearer = f"Bearer {access_token(issuer=ISSUER, amr=amr, **key)}"
        headers = {"Authorization": bearer}
        return app.test_client().post("/payouts", headers=headers).status_code

    assert (pay("pwd"), pay("pwd", "otp", "mfa"), pay("hwk", "mfa")) == (401, 200, 200)
