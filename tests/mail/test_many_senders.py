"""Several senders share one outbox: no mail is lost, and only a crash can duplicate one."""

import os
import signal
from collections import Counter
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from uuid import UUID

import pytest
import time_machine
from flask import Flask

from authsvc import clock
from authsvc.database import transaction
from authsvc.mail.outbox import Mail, Outbox
from authsvc.web import registry
from tests.mail.conftest import MakeSender
from tests.support.database_proxy import wait_until
from tests.support.mail_server import MailServer
from tests.support.people import Person
from tests.support.running_service import ROOT
from tests.support.warm_starts import start_module

MAILS = 300


@pytest.mark.only("sqlite", "postgres")
def test_no_mail_is_lost_when_one_of_three_senders_is_killed(
    mail_app: Flask,
    database_url: str,
    server: MailServer,
    make_sender: MakeSender,
    tmp_path: Path,
) -> None:
    alice = Person(mail_app, "alice@example.com", "a horse that is correct").register().logged_in()
    id = UUID(alice.call("GET", "/api/me").json["id"])
    mails = [Mail("password_changed", alice.email, alice.email, id) for _ in range(MAILS)]
    with mail_app.app_context():
        make_sender().send_due()
        server.received.clear()
        transaction(lambda connection: registry.get(Outbox).add(connection, *mails))
        kill_one_of_three_senders(database_url, server, tmp_path / "output")
        with time_machine.travel(clock.now() + timedelta(minutes=3)):
            make_sender().send_due()  # what the dead one had leased
    copies = Counter(server.received)
    ids = [message_from_bytes(message)["Message-ID"] for message in copies]
    assert sorted(ids) == sorted(f"<{mail.id}@example.com>" for mail in mails)
    assert copies.total() - MAILS <= 1


def kill_one_of_three_senders(database_url: str, server: MailServer, output: Path) -> None:
    words = ["tests.support.sender_processes", database_url, str(server.port)]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    senders = start_module(words, ROOT, env, output)
    try:
        wait_until(lambda: len(server.received) > MAILS / 3 and output.read_text(), 60)
        os.kill(int(output.read_text().split()[0]), signal.SIGKILL)
        assert senders.wait(60) == 0
    finally:
        if senders.poll() is None:
            os.killpg(senders.pid, signal.SIGKILL)
    assert MAILS - 1 <= len(server.received) <= MAILS
