"""A service in Node that uses jose accepts the tokens of the old and of the new key."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.recipes.listings import ISSUER, listing
from tests.recipes.service import log_in, register
from tests.support.key_pair_settings import signed_by
from tests.support.running_service import free_port, new_database, serving

MODULES = Path(__file__).parent / "node_modules"

# Print, for each line of input, the claims or the error.
CONSUMER = """
import { createInterface } from "node:readline";
import { claimsOf } from "./example.mjs";
for await (const token of createInterface({ input: process.stdin })) {
  const answer = await claimsOf(token).catch((error) => ({ refused: error.code }));
  console.log(JSON.stringify(answer));
}
"""


class Consumer:
    """A Node service with the document's code, which runs on while the issuer restarts."""

    def __init__(self, folder: Path, issuer: str) -> None:
        here = {ISSUER: issuer, '"ES256"': '"ES256", "EdDSA"'}
        example = listing("Node", "js", here)
        (folder / "example.mjs").write_text(example)
        (folder / "consumer.mjs").write_text(CONSUMER)
        (folder / "node_modules").symlink_to(MODULES)
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            ["node", "consumer.mjs"],
            cwd=folder,
            env={"PATH": os.environ["PATH"]},
            stdin=pipe,
            stdout=pipe,
            text=True,
        )

    def __enter__(self) -> "Consumer":
        return self

    def __exit__(self, *about: object) -> None:
        self.process.communicate(timeout=30)

    def read(self, token: str) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{token}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def test_jose_verifies_the_tokens_before_and_after_a_new_key(tmp_path: Path) -> None:
    url, port = new_database(tmp_path), free_port()
    issuer = f"http://localhost:{port}"
    old = signed_by("EdDSA")
    new = {
        **signed_by("ES256"),
        "access_token_private_key_previous": old["access_token_private_key"],
    }
    where = {"port": port, "issuer": issuer, "workers": 1}
    with Consumer(tmp_path, issuer) as consumer:
        with serving(url, tmp_path / "log", **where, **old) as service:
            register(service)
            first = log_in(service)
            assert consumer.read(first.access) == first.claims
            changed = f"{first.access[:-4]}AAAA"
            assert consumer.read(changed) == {"refused": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"}
        assert consumer.read(first.access) == first.claims
    with (
        Consumer(make(tmp_path / "second"), issuer) as consumer,
        serving(url, tmp_path / "log", **where, **new) as service,
    ):
        for alice in (first, log_in(service)):
            assert consumer.read(alice.access) == alice.claims


def make(folder: Path) -> Path:
    folder.mkdir()
    return folder
