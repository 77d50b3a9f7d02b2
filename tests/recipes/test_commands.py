"""The commands of docs/other-services.md, run as a reader would run them."""

import json
import os
import subprocess
import sys
from typing import Any

from tests.recipes.listings import ISSUER, listing
from tests.recipes.service import log_in, log_out
from tests.support.programs import program
from tests.support.running_service import ROOT, Service


def test_introspection_by_curl(service: Service) -> None:
    alice = log_in(service)
    here = {ISSUER: service.url, "curl": "curl -sS --fail"}
    script = listing("Anything else asks the service", "sh", here)

    def introspected() -> Any:
        ran = subprocess.run(
            [program("bash"), "-eu", "-c", script],
            env={"PATH": os.environ["PATH"], "TOKEN": alice.access},
            capture_output=True,
            check=True,
        )
        return json.loads(ran.stdout)

    assert introspected() == {"active": True, "token_type": "Bearer", **alice.claims}
    log_out(service, alice)
    assert introspected() == {"active": False}


def test_the_command_for_a_key_pair_works() -> None:
    script = listing("Set up the service", "sh", {"python ": f"{sys.executable} "})
    ran = subprocess.run(["sh", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("AUTHSVC_ACCESS_TOKEN_ALGORITHM=ES256\n")
