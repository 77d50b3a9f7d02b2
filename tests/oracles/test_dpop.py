"""Clients that others wrote, with a service of four workers that was restarted in between."""

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.attacks.attack import JSON, Sent, refresh_with
from tests.attacks.test_servers import ALICE, exchange
from tests.support.dpop import Prover
from tests.support.programs import program
from tests.support.running_service import Service, new_database, serving
from tests.test_rotation import REFRESH_ROTATED

HERE = Path(__file__).parent
TIMES = 24
"""Connections, of which each of four workers takes some."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return new_database(tmp_path_factory.mktemp("service"))


@pytest.fixture(scope="module")
def old_nonce(url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A nonce of a service that has ended since."""
    output = tmp_path_factory.mktemp("before") / "output"
    with serving(url, output, workers=4) as service, service.connected() as connection:
        exchange(connection, Sent("POST", "/auth/register", (JSON,), ALICE))
        proof = Prover(f"http://127.0.0.1:{service.port}").proof("/auth/login", iat=0)
        connection.request("POST", "/auth/login", ALICE, dict([JSON, ("DPoP", proof)]))
        answer = connection.getresponse()
        assert answer.status == 401
        return answer.headers["DPoP-Nonce"]


@pytest.fixture(scope="module")
def service(
    url: str, old_nonce: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The service again, on another port and with a new refresh secret."""
    output = tmp_path_factory.mktemp("after") / "output"
    with serving(url, output, workers=4, **REFRESH_ROTATED) as service:
        yield service


def test_a_nonce_counts_on_each_worker_and_after_a_restart(
    service: Service, old_nonce: str
) -> None:
    prover = Prover(f"http://127.0.0.1:{service.port}")
    with service.connected() as connection:
        proof = ("DPoP", prover.proof("/auth/login", iat=0, nonce=old_nonce))
        login = Sent("POST", "/auth/login", (JSON, proof), ALICE)
        cookies = exchange(connection, login)[2]
    cookie = ("Cookie", cookies[0].partition(";")[0])
    statuses = []
    for _ in range(TIMES):
        proof = ("DPoP", prover.proof("/auth/refresh", iat=0, nonce=old_nonce))
        with service.connected() as connection:
            statuses.append(exchange(connection, refresh_with((cookie, proof)))[0])
    assert statuses == [200] * TIMES


def test_npm_dpop_logs_in_and_refreshes_also_when_its_clock_is_wrong(
    service: Service, url: str
) -> None:
    ran = subprocess.run(
        [program("node", "npm"), "dpop.mjs", service.url],
        cwd=HERE,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "ERR_MODULE_NOT_FOUND" in ran.stderr and os.environ.get("CI") != "true":
        pytest.skip("the npm packages are missing: make test installs them")
    assert ran.returncode == 0, ran.stderr
    answers = json.loads(ran.stdout)
    thumbprint = answers.pop("thumbprint")
    assert {name: (answer["status"], answer.get("code")) for name, answer in answers.items()} == {
        "registered": (201, None),
        "loggedIn": (200, None),
        "refreshed": (200, None),
        "byTheCookieAlone": (401, "dpop_proof_missing"),
        "stale": (401, "use_dpop_nonce"),
        "withNonce": (200, None),
        "staleLogin": (401, "use_dpop_nonce"),
        "loginWithNonce": (200, None),
    }
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        keys = connection.execute("SELECT key_thumbprint FROM refresh_tokens").fetchall()
    assert keys.count((thumbprint,)) == 2
