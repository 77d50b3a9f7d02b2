"""authsvc.js against the running service: every state, every branch."""

import json
import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from authsvc.tokens.access import AccessTokens, access_keyring
from authsvc.tokens.keyring import hmac_key
from authsvc.tokens.refresh import RefreshTokens
from tests.client.examples import compile_examples
from tests.client.generated import MODULES
from tests.support.running_service import CHEAP_HASHES, ROOT, free_port, new_database, serving
from tests.support.signing_secrets import ACCESS_SECRET, FACTOR_SECRET, REFRESH_SECRET

HERE = Path(__file__).parent
Functions = list[dict[str, Any]]
"""What V8 counted in one script."""
FILES_AT_ONCE = 3  # they mostly wait for the service


def test_the_node_tests_pass_and_cover_everything(tmp_path: Path) -> None:
    copies = copies_of_modules(run_the_node_tests(tmp_path))
    assert {module.name: unrun(module, copies[module]) for module in MODULES} == {
        module.name: [] for module in MODULES
    }


def run_the_node_tests(folder: Path) -> Path:
    """Run `node --test` against a service, and return the folder of V8's coverage."""
    database = new_database(folder)
    (folder / "examples").mkdir()
    examples = compile_examples(folder / "examples")
    command = ["node", "--test", "--test-timeout=60000", f"--test-concurrency={FILES_AT_ONCE}"]
    command += [str(file) for file in sorted(HERE.glob("*.test.mjs"))]
    port = free_port()
    issuer = f"http://localhost:{port}"
    settings = {
        "issuer": issuer,
        "rate_limit_factor": "1000",
        "factor_secret": FACTOR_SECRET.hex(),
    }
    with serving(database, folder / "log", port=port, app=CHEAP_HASHES, **settings) as service:
        ran = subprocess.run(
            command,
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "AUTHSVC_URL": service.url,
                "AUTHSVC_EXAMPLES": str(examples),
                "NODE_V8_COVERAGE": str(folder / "coverage"),
                **expired_tokens(issuer),
            },
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder / "coverage"


def expired_tokens(issuer: str) -> dict[str, str]:
    """Return an expired token of each kind, signed by the service's keys."""
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    ids = {"sub": uuid4(), "sid": uuid4()}
    ends = long_ago + timedelta(days=7)
    access = AccessTokens(access_keyring(hmac_key(ACCESS_SECRET)), issuer, issuer, 600)
    refresh = RefreshTokens(hmac_key(REFRESH_SECRET), iss=issuer)
    issued = access.issue(**ids, auth_time=long_ago, session_ends=ends, now=long_ago)
    return {
        "AUTHSVC_EXPIRED_ACCESS_TOKEN": issued.access_token,
        "AUTHSVC_EXPIRED_REFRESH_TOKEN": refresh.issue(**ids, issued_at=long_ago, expires_at=ends),
    }


def copies_of_modules(coverage: Path) -> dict[Path, list[Functions]]:
    """Return the functions of each copy of a module: each tab of a test has its own, and V8 counts
    each copy.
    """
    copies: dict[Path, list[Functions]] = {module: [] for module in MODULES}
    for file in coverage.glob("*.json"):
        for script in json.loads(file.read_text())["result"]:
            module = Path(urlsplit(script["url"]).path)
            if module in copies:
                copies[module].append(script["functions"])
    return copies


def unrun(module: Path, copies: list[Functions]) -> list[str]:
    """Return the pieces of a module that no tab ran. A piece is a whole function or a branch."""
    text = module.read_text()
    ran = 0
    for functions in copies:
        ran |= int.from_bytes(what_ran(len(text), functions))  # a loop over the bytes is slow
    pieces = re.finditer(b"\0+", ran.to_bytes(len(text)))
    unrun = (text[piece.start() : piece.end()] for piece in pieces)
    return [piece for piece in unrun if re.search(r"\w", piece)]


def what_ran(length: int, functions: Functions) -> bytearray:
    """Return 1 for each character that one copy ran. An inner range follows the outer one, and
    counts for itself.
    """
    ran = bytearray(length)
    for function in functions:
        for span in function["ranges"]:
            start, end = span["startOffset"], min(span["endOffset"], length)
            ran[start:end] = bytes([span["count"] > 0]) * (end - start)
    return ran
