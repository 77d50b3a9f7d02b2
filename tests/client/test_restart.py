"""A page whose service is killed and restarted."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.running_service import new_database, serving

HERE = Path(__file__).parent
ALICE = "alice@example.com"


class Page:
    """A page in a Node process that runs commands (page.mjs)."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def run(self, command: str) -> Any:
        """Return a status, an error's code or name, or None. Alice stays logged in, and bound."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(command, file=self.process.stdin, flush=True)
        answer = json.loads(self.process.stdout.readline())
        assert (answer["user"], answer["bound"]) == (ALICE, True)
        return answer.get("result")


@contextmanager
def page_of(url: str) -> Iterator[Page]:
    with subprocess.Popen(
        ["node", str(HERE / "page.mjs")],
        env={"PATH": os.environ["PATH"], "AUTHSVC_URL": url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Page(process)


def test_a_restart_of_the_service_ends_no_session_and_no_binding(tmp_path: Path) -> None:
    database = new_database(tmp_path)
    with serving(database, tmp_path / "log", workers=1) as first, page_of(first.url) as page:
        assert page.run("log in") is None
        first.kill()
        assert page.run("ask") == "TypeError"  # fetch's own error for a network failure
        page.run("let the access token expire")
        assert page.run("ask") == "network_error"
        with serving(database, tmp_path / "log", workers=1, port=first.port):
            assert page.run("ask") == 200
            assert page.run("ask") == 200
