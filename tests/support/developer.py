"""A developer's folder: code that changes while the service runs from it."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.support.database_proxy import wait_until
from tests.support.running_service import (
    ROOT,
    Service,
    environment,
    free_port,
    new_database,
    wait_until_it_answers,
)

SECONDS = 40
AGAIN = 4
"""Seconds until a file is changed again: a change is not seen while the code is being imported."""


class Developer:
    """Changes files of a running service.

    Args:
        folder: where the service runs.
        service: the running service.
    """

    def __init__(self, folder: Path, service: Service) -> None:
        self.folder = folder
        self.service = service

    def change(self, name: str, text: str, path: str, expected: str) -> None:
        """Change a file, and wait until the response to that path has the expected text."""
        file = self.folder / name
        file.write_text(text)
        give_up, again = time.monotonic() + SECONDS, time.monotonic() + AGAIN
        while expected not in (body := self.body(path)):
            assert time.monotonic() < give_up, (body, self.log())
            if time.monotonic() > again:
                os.utime(file)
                again = time.monotonic() + AGAIN
            time.sleep(0.1)

    def body(self, path: str) -> str:
        """Return the body of a response; empty while the service starts again."""
        try:
            return self.call("GET", path)[1]
        except OSError:
            return ""

    def call(self, method: str, path: str, body: str | None = None) -> tuple[Any, str]:
        """Return the headers and the body of the response."""
        headers = {} if body is None else {"Content-Type": "application/json"}
        connection = HTTPConnection("127.0.0.1", self.service.port, timeout=15)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.headers, response.read().decode()
        finally:
            connection.close()

    def assert_that_registering_sends_a_mail(self) -> None:
        """Register an account, and wait until its mail is in the folder of mails."""
        account = {"email": "bob@example.com", "password": "a staple for a battery"}
        self.call("POST", "/auth/register", json.dumps(account))
        mails = self.folder / "mail"
        wait_until(lambda: any("To: bob@" in mail.read_text() for mail in mails.glob("*.eml")), 3)

    def log(self) -> str:
        return self.service.output.read_text()


def documented(command: str) -> str:
    """Return the command, which must be a line of docs/developing.md."""
    document = (ROOT / "docs" / "developing.md").read_text(encoding="utf-8")
    assert f"\n{command}\n" in document
    return command


@contextmanager
def developing(
    folder: Path, command: list[str], python_path: Path, **settings: str
) -> Iterator[Developer]:
    """Run a command in the folder until the end of the block; `{port}` in it is a free port.

    Mails are written into its folder `mail`.
    """
    port, log = free_port(), folder / "log"
    variables = environment(
        new_database(folder),
        mail_url=f"file://{folder / 'mail'}",
        mail_from="no-reply@example.com",
        app_url="http://localhost:5000",
        **settings,
    )
    with log.open("wb") as output:
        process = subprocess.Popen(
            [word.replace("{port}", str(port)) for word in command],
            cwd=folder,
            env={**variables, "PORT": str(port), "PYTHONPATH": str(python_path)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    service = Service(process, port, log)
    try:
        wait_until_it_answers(service)
        yield Developer(folder, service)
    finally:
        if process.poll() is None:
            service.kill()
