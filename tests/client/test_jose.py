"""Access tokens in Node: jose fetches the public keys and verifies them."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from authsvc.database import schema
from authsvc.tokens.key_pairs import generate_pem
from tests.docs.test_other_services import ISSUER, Visitor, logged_in
from tests.support.gunicorn_server import ROOT, free_port, serving
from tests.support.key_pair_settings import signed_by
from tests.support.responses import claims

PAGE = ROOT / "docs" / "other-services.md"
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

    def __init__(self, folder: Path, issuer: str, algorithm: str) -> None:
        (example,) = re.findall(r"^```js\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
        example = example.replace(ISSUER, issuer).replace('"EdDSA"', f'"{algorithm}"')
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


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256"])
def test_jose_verifies_the_tokens_before_and_after_a_new_key(
    tmp_path: Path, algorithm: str
) -> None:
    url, port = f"sqlite:///{tmp_path / 'authsvc.db'}", free_port()
    schema.upgrade(url)
    issuer = f"http://localhost:{port}"
    old = signed_by(algorithm)
    new = {
        **signed_by(algorithm, generate_pem(algorithm)),
        "access_token_private_key_previous": old["access_token_private_key"],
    }
    with Consumer(tmp_path, issuer, algorithm) as consumer:
        with serving(url, tmp_path / "log", port=port, issuer=issuer, **old) as service:
            first: Visitor = logged_in(service, "alice@example.com")
            assert consumer.read(first.access_token) == claims(first.access_token)
            changed = f"{first.access_token[:-4]}AAAA"
            assert consumer.read(changed) == {"refused": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"}
        assert consumer.read(first.access_token) == claims(first.access_token)
    with (
        Consumer(make(tmp_path / "second"), issuer, algorithm) as consumer,
        serving(url, tmp_path / "log", port=port, issuer=issuer, **new) as service,
    ):
        second = logged_in(service, "alice@example.com")
        for visitor in (first, second):
            assert consumer.read(visitor.access_token) == claims(visitor.access_token)


def make(folder: Path) -> Path:
    folder.mkdir()
    return folder
