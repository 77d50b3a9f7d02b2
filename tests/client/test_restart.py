"""A page whose service is killed and started again under it."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.gunicorn_server import new_database, serving

HERE = Path(__file__).parent
ALICE = "alice@example.com"


class Page:
    """A page in a Node process that follows orders (page.mjs)."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def told(self, order: str) -> Any:
        """What came of it: a status, an error's code or name, or None. Alice stays logged in."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(order, file=self.process.stdin, flush=True)
        answer = json.loads(self.process.stdout.readline())
        assert answer["user"] == ALICE
        return answer.get("found")


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


def test_a_restart_of_the_service_ends_no_session(tmp_path: Path) -> None:
    database = new_database(tmp_path)
    with serving(database, tmp_path / "log", workers=1) as first, page_of(first.url) as page:
        assert page.told("log in") is None
        first.kill()
        assert page.told("ask") == "TypeError"  # what fetch itself says of a network failure
        page.told("let the access token expire")
        assert page.told("ask") == "network_error"
        with serving(database, tmp_path / "log", workers=1, port=first.port):
            assert page.told("ask") == 200
            assert page.told("ask") == 200
