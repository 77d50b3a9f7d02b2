"""A mail that was accepted is sent once, also when the mail server or the service fails."""

import re
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, update

from authsvc import clock
from authsvc.database.unpooled import unpooled_engine
from authsvc.mail.model import WaitingMail
from tests.faults.conftest import Serve
from tests.faults.visitor import Visitor
from tests.support.database_proxy import wait_until
from tests.support.mail_server import HANG, MailServer, mail_server
from tests.support.mailbox import APP_URL
from tests.support.running_service import Service

WAKE_SECONDS, POLL_SECONDS = 2, 6
"""Within which time a request's mail is sent, and one that is found in the outbox."""


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def serve_mail(serve: Serve, server: MailServer) -> Serve:
    """Starts the service with that mail server."""
    return partial(
        serve,
        mail_url=f"smtp://localhost:{server.port}",
        mail_from="no-reply@example.com",
        app_url=APP_URL,
    )


def receivers(server: MailServer) -> list[str]:
    return [
        address.decode()
        for message in server.received
        for address in re.findall(rb"^To: (\S+)", message, re.MULTILINE)
    ]


def outbox(url: str) -> list[Any]:
    with closing(unpooled_engine(url).connect()) as connection:
        return list(connection.execute(select(WaitingMail.__table__)))


def make_due(url: str) -> None:
    """Let two minutes pass for the leases of senders that died."""
    with unpooled_engine(url).begin() as connection:
        connection.execute(update(WaitingMail).values(due_at=clock.now()))


def stop(service: Service) -> float:
    """End the service, and return the seconds that it took."""
    begun = time.monotonic()
    service.process.send_signal(signal.SIGTERM)
    service.process.wait(20)
    return time.monotonic() - begun


@pytest.mark.only("postgres")
def test_four_workers_send_each_mail_once_and_end_in_time_while_the_server_hangs(
    serve_mail: Serve, server: MailServer, url: str
) -> None:
    with serve_mail(workers=4) as service:
        people = [Visitor(service.port, f"{number}@example.com") for number in range(12)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(Visitor.registered, people))
        wait_until(lambda: len(server.received) >= len(people), WAKE_SECONDS)
        wait_until(lambda: outbox(url) == [], WAKE_SECONDS)
        assert sorted(receivers(server)) == sorted(person.email for person in people)
        server.replies["."] = HANG
        people[0].call("POST", "/auth/password/forgot", {"email": people[0].email})
        assert server.is_hanging.wait(WAKE_SECONDS)
        assert stop(service) < 5
        (mail,) = outbox(url)
        assert (mail.kind, mail.lease) == ("reset", None)  # put back, so that another may send it
        assert mail.due_at <= clock.now()
        assert "Traceback" not in service.output.read_text()


@pytest.mark.only("sqlite")
def test_mails_that_were_accepted_survive_the_death_of_the_service(
    serve_mail: Serve, server: MailServer, url: str
) -> None:
    server.replies["RCPT"] = HANG
    with serve_mail(workers=1) as service:
        alice = Visitor(service.port, "alice@example.com").registered()
        assert server.is_hanging.wait(WAKE_SECONDS)
        bob = Visitor(service.port, "bob@example.com").registered()
        service.kill()
    assert server.received == []
    server.replies.clear()
    with serve_mail(workers=1) as service:
        wait_until(lambda: receivers(server) == [bob.email], POLL_SECONDS)
        make_due(url)
        wait_until(lambda: receivers(server) == [bob.email, alice.email], POLL_SECONDS)
        wait_until(lambda: outbox(url) == [], WAKE_SECONDS)
        assert stop(service) < 5
        assert alice.email not in service.output.read_text()
