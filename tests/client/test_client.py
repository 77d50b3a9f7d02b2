"""authsvc.js against the running service: every state, every branch."""

import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from authsvc.tokens.access import AccessTokens, access_keyring
from authsvc.tokens.keyring import hmac_key
from authsvc.tokens.refresh import RefreshTokens
from tests.client.examples import compile_examples
from tests.support.gunicorn_server import ROOT, new_database, serving
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET

HERE = Path(__file__).parent
FILES_AT_ONCE = 3  # they mostly wait for the service
MODULE = "authsvc/static/authsvc.js"
ISSUER = "http://localhost:8000"


@pytest.mark.parametrize("counted", ["lines", "branches", "functions"])
def test_the_node_tests_pass_and_cover_everything(
    coverage: dict[str, set[str]], counted: str
) -> None:
    assert coverage[counted] == set()


@pytest.fixture(scope="module")
def coverage(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Run `node --test` against a service, and return what it left unrun in the module."""
    folder = tmp_path_factory.mktemp("client")
    database = new_database(folder)
    report = folder / "lcov.info"
    (folder / "examples").mkdir()
    examples = compile_examples(folder / "examples")
    command = ["node", "--test", "--test-timeout=60000", "--experimental-test-coverage"]
    command += [f"--test-concurrency={FILES_AT_ONCE}"]
    command += ["--test-reporter=spec"]
    command += ["--test-reporter-destination=stdout", "--test-reporter=lcov"]
    command += [f"--test-reporter-destination={report}"]
    command += [str(file) for file in sorted(HERE.glob("*.test.mjs"))]
    with serving(database, folder / "log", issuer=ISSUER, rate_limit_factor="1000") as service:
        ran = subprocess.run(
            command,
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "AUTHSVC_URL": service.url,
                "AUTHSVC_EXAMPLES": str(examples),
                **expired_tokens(),
            },
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert ran.returncode == 0, ran.stdout + ran.stderr

    return unrun(report.read_text())


def expired_tokens() -> dict[str, str]:
    """Return an expired token of each kind, signed by the service's keys."""
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    ids = {"sub": uuid4(), "sid": uuid4()}
    ends = long_ago + timedelta(days=7)
    access = AccessTokens(access_keyring(hmac_key(ACCESS_SECRET)), ISSUER, ISSUER, 600)
    refresh = RefreshTokens(hmac_key(REFRESH_SECRET), iss=ISSUER)
    issued = access.issue(**ids, auth_time=long_ago, session_ends=ends, now=long_ago)
    return {
        "AUTHSVC_EXPIRED_ACCESS_TOKEN": issued.access_token,
        "AUTHSVC_EXPIRED_REFRESH_TOKEN": refresh.issue(**ids, issued_at=long_ago, expires_at=ends),
    }


def unrun(report: str) -> dict[str, set[str]]:
    """The lines, branches and functions of the module that an lcov report counts as unrun."""
    ours = next(part for part in report.split("end_of_record") if f"{MODULE}\n" in part)
    assert re.search(r"^BRDA:", ours, re.M), "no branch was counted"
    return {
        "lines": set(re.findall(r"^DA:(\d+),0$", ours, re.M)),
        "branches": set(re.findall(r"^BRDA:(\d+),\d+,\d+,0$", ours, re.M)),
        "functions": set(re.findall(r"^FNDA:0,(.+)$", ours, re.M)),
    }
