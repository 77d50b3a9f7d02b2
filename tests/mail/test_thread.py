"""A worker sends mail in a thread of its own, which never keeps it from ending."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from authsvc.database import reading
from authsvc.mail.model import WaitingMail
from authsvc.mail.outbox import Outbox
from authsvc.mail.sender import Sender
from authsvc.mail.smtp import Server, SmtpTransport
from authsvc.mail.thread import SenderThread
from authsvc.web import registry
from tests.mail.conftest import MakeSender, refusing
from tests.support.database_proxy import wait_until
from tests.support.mail_server import HANG, MailServer
from tests.support.people import Person

pytestmark = pytest.mark.once

ALICE = "alice@example.com"


@contextmanager
def running(app: Flask, sender: Sender, housekeeping: Callable[[], object]) -> Iterator[Any]:
    thread = SenderThread(sender, app.app_context, housekeeping, lambda: True)
    registry.of(app, Outbox).wake = thread.wake
    thread.start()
    try:
        yield thread
    finally:
        thread.stop()
        registry.of(app, Outbox).wake = lambda: None


def leases(app: Flask) -> list[object]:
    with app.app_context(), reading() as connection:
        return list(connection.execute(select(WaitingMail.lease)).scalars())


def test_a_request_wakes_the_thread(
    mail_app: Flask, server: MailServer, make_sender: MakeSender
) -> None:
    idle = Event()
    with running(mail_app, make_sender(), idle.set):
        assert idle.wait(5)
        Person(mail_app, ALICE, "a horse that is correct").register()
        wait_until(lambda: len(server.received) == 1, 2)
        wait_until(lambda: leases(mail_app) == [], 2)


def test_it_ends_while_the_server_hangs_and_puts_the_mail_back(
    mail_app: Flask, server: MailServer, make_sender: MakeSender
) -> None:
    server.replies["."] = HANG
    transport = SmtpTransport(Server("localhost", server.port, "none"))  # with ordinary limits
    Person(mail_app, ALICE, "a horse that is correct").register()
    with running(mail_app, make_sender(transport), lambda: None) as thread:
        assert server.is_hanging.wait(5)
        assert leases(mail_app) != [None]
        begun = time.monotonic()
        thread.stop()
        assert time.monotonic() - begun < 2
    assert leases(mail_app) == [None]


def test_it_outlives_a_database_that_is_away_and_says_so_once(
    mail_app: Flask, make_sender: MakeSender, caplog: pytest.LogCaptureFixture
) -> None:
    idle = Event()
    away = OperationalError("SELECT", {}, Exception("no route"))
    with mail_app.app_context(), running(mail_app, make_sender(), idle.set) as thread:
        assert idle.wait(5)
        idle.clear()
        with refusing("SELECT count", away) as refused:
            while len(refused) < 3:
                thread.wake()
                time.sleep(0.01)
        assert caplog.text.count("mail waits, since the database does not answer") == 1
        thread.wake()
        assert idle.wait(5)


def test_it_outlives_a_defect(
    mail_app: Flask, make_sender: MakeSender, caplog: pytest.LogCaptureFixture
) -> None:
    faults = [LookupError("a defect")]
    idle = Event()

    def housekeeping() -> None:
        if faults:
            raise faults.pop()
        idle.set()

    with running(mail_app, make_sender(), housekeeping) as thread:
        wait_until(lambda: "mail waits, because of a defect" in caplog.text, 5)
        thread.wake()
        assert idle.wait(5)
