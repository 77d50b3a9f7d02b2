"""Each mail is sent once, tried again or given up, whatever happens to the others."""

import os
import re
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError

from authsvc import clock
from authsvc.audit.read import newest
from authsvc.database import reading, transaction
from authsvc.mail.failures import MailBroken, MailNotSent, MailRefused, ServerAway
from authsvc.mail.letter import Letter
from authsvc.mail.messages import Messages
from authsvc.mail.model import WaitingMail
from authsvc.mail.outbox import Mail, Outbox
from authsvc.mail.sender import Sender
from authsvc.mail.transports import Folder
from tests.mail.conftest import MakeSender, Tally, refusing
from tests.support.mail_server import DROP, MailServer
from tests.support.people import Person

ALICE, BOB = "alice@example.com", "bob@example.com"


@pytest.fixture
def app(mail_app: Flask) -> Iterator[Flask]:
    """The app with mail, in whose context the test runs."""
    with mail_app.app_context():
        yield mail_app


def register(app: Flask, email: str) -> Person:
    return Person(app, email, "a horse that is correct").register()


def put(*emails: str) -> None:
    """Put mails without an account into the outbox."""
    outbox = Outbox(is_on=True)
    mails = [Mail("reset", email, email) for email in emails]
    transaction(lambda connection: outbox.add(connection, *mails))


def waiting() -> list[datetime]:
    """Return when the mails of the outbox are due."""
    with reading() as connection:
        return list(connection.execute(select(WaitingMail.due_at)).scalars())


def failures() -> list[tuple[UUID | None, str | None]]:
    events = newest(100, kinds=["mail_failed"])
    return [(found.user_id, found.detail) for found in events]


def test_a_mail_that_was_refused_for_now_is_sent_later_as_it_was(
    app: Flask, server: MailServer, make_sender: MakeSender, caplog: pytest.LogCaptureFixture
) -> None:
    register(app, ALICE)
    server.replies["."] = [DROP, "451 4.7.1 come back later"]
    sender = make_sender()
    with time_machine.travel(clock.now(), tick=False) as now:
        assert sender.send_due() == 0
        (due_at,) = waiting()
        assert due_at == clock.now() + timedelta(seconds=10)
        assert f"(verification) was not sent, and is tried again at {clock.rfc3339(due_at)}" in (
            caplog.text
        )
        assert sender.send_due() == 0  # not before
        now.shift(11)
        assert sender.send_due() == 0
        now.shift(21)
        assert sender.send_due() == 1
    assert server.commands.count("data") == 3
    assert len(server.received) == 1
    assert "the server refused the message (451 4.7.1)" in caplog.text
    assert ALICE not in caplog.text
    assert waiting() == []


def test_a_mail_is_given_up_after_a_day_of_growing_delays(
    app: Flask, server: MailServer, make_sender: MakeSender, tally: Tally
) -> None:
    alice = register(app, ALICE).logged_in()
    server.replies["CONNECT"] = DROP
    sender = make_sender()
    delays = []
    with time_machine.travel(clock.now(), tick=False) as now:
        while sender.send_due() == 0 and (due := waiting()):
            delays.append((due[0] - clock.now()).total_seconds())
            now.move_to(due[0])
    assert delays[:10] == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600]
    assert set(delays[10:]) == {3600}
    assert 23 * 3600 < sum(delays) < 24 * 3600
    assert failures() == [(UUID(alice.call("GET", "/api/me").json["id"]), "verification")]
    assert tally.reports[-1] == ("failed", "verification")


def test_a_mail_that_is_refused_for_good_is_given_up_and_hinders_no_other(
    app: Flask,
    server: MailServer,
    make_sender: MakeSender,
    tally: Tally,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for email in (ALICE, BOB):
        register(app, email)
    server.replies["RCPT"] = [f"550 5.1.1 <{ALICE}> is unknown"]
    assert make_sender().send_due() == 1
    assert b"To: bob@example.com" in server.received[0]
    ((_, detail),) = failures()
    assert detail == "verification 550"
    assert tally.reports[1:] == [("failed", "verification"), ("sent", "verification")]
    assert "(verification) was given up: the server refused the address (550 5.1.1)" in caplog.text
    assert ALICE not in caplog.text
    assert waiting() == []


def test_while_the_server_is_away_it_is_tried_in_growing_pauses_for_all_mails(
    app: Flask,
) -> None:
    put(*(f"{number}@example.com" for number in range(20)))
    tray = Tray(*[ServerAway("it is away")] * 10)
    sender = writing(Letter("test", ALICE), tray)
    seconds = []
    with time_machine.travel(clock.now(), tick=False) as now:
        for second in range(320):
            attempts = len(tray.faults)
            if sender.send_due() or len(tray.faults) < attempts:
                seconds.append(second)
            now.shift(1)
    assert seconds == [0, 5, 15, 35, 75, 115, 155, 195, 235, 275, 315]
    assert waiting() == []


def test_a_template_that_is_broken_keeps_its_mails_waiting_and_no_others(
    app: Flask,
    server: MailServer,
    make_sender: MakeSender,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    alice = register(app, ALICE)
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "verification.txt").write_text("Subject: x\n\n{{ link.nothing }}")
    alice.call("POST", "/auth/password/forgot", json={"email": ALICE})
    assert make_sender(templates=tmp_path).send_due() == 1
    assert b"/reset-password#token=" in server.received[0].replace(b"=\r\n", b"").replace(
        b"=3D", b"="
    )
    (record,) = [record for record in caplog.records if record.name.startswith("authsvc.mail")]
    assert record.levelname == "ERROR"
    assert "it cannot be rendered: TemplateFaulty" in caplog.text
    assert "nothing" in caplog.text
    assert "#token=" not in caplog.text
    assert len(waiting()) == 1


class Tray:
    """A transport that keeps messages, or raises."""

    def __init__(self, *faults: BaseException | None) -> None:
        self.faults = list(faults)
        self.messages: list[EmailMessage] = []

    def send(self, message: EmailMessage) -> None:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        self.messages.append(message)

    def abort(self) -> None: ...


def writing(letter: Letter | Exception, transport: Tray) -> Sender:
    """Return a sender whose letters are all the same, or which writes a row and fails."""

    def write(connection: Connection, mail: Mail) -> Letter:
        if isinstance(letter, Exception):
            Outbox(is_on=True).add(connection, Mail("reset", BOB, BOB))
            raise letter
        return letter

    return Sender(
        write, Messages("no-reply@example.com", "https://a.example", None, "en"), transport
    )


def test_a_mail_that_cannot_be_written_is_put_back_and_what_was_written_is_undone(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    put(ALICE)
    assert writing(LookupError("a defect"), Tray()).send_due() == 0
    assert re.search(r"it cannot be rendered: LookupError at .*\.py:\d+: a defect", caplog.text)
    assert len(waiting()) == 1


def test_while_the_database_does_not_answer_no_attempt_is_lost(app: Flask) -> None:
    put(ALICE)
    silent = OperationalError("SELECT", {}, Exception())
    with pytest.raises(OperationalError):
        writing(silent, Tray()).send_due()
    tray = Tray()
    assert writing(Letter("test", ALICE), tray).send_due() == 1


def test_a_mail_about_no_account_is_given_up_without_an_event(app: Flask) -> None:
    put(ALICE)
    assert writing(Letter("test", ALICE), Tray(MailRefused("no", 550))).send_due() == 0
    assert (waiting(), failures()) == ([], [])


def test_a_mail_about_an_account_that_was_deleted_is_given_up_without_an_event(app: Flask) -> None:
    put(ALICE)
    letter = Letter("test", ALICE, user_id=uuid4())
    assert writing(letter, Tray(MailRefused("no", 550))).send_due() == 0
    assert (waiting(), failures()) == ([], [])


def test_a_reset_that_is_given_up_is_an_event_of_the_account(
    app: Flask, make_sender: MakeSender, server: MailServer
) -> None:
    alice = register(app, ALICE)
    make_sender().send_due()
    alice.call("POST", "/auth/password/forgot", json={"email": ALICE})
    server.replies["."] = "554 5.7.1 this is spam"
    make_sender().send_due()
    ((user_id, detail),) = failures()
    assert detail == "reset 554"
    assert user_id is not None


def test_a_request_for_an_unknown_address_sends_nothing(
    app: Flask, make_sender: MakeSender
) -> None:
    put("unknown@example.com")
    assert make_sender().send_due() == 0
    assert waiting() == []


def test_the_mail_of_a_sender_that_died_is_sent_by_another_with_the_same_bytes(
    app: Flask, make_sender: MakeSender
) -> None:
    register(app, ALICE)
    dying, heir = Tray(), Tray()
    with time_machine.travel(clock.now(), tick=False) as now:
        with (
            pytest.raises(KeyboardInterrupt),
            refusing("DELETE FROM outbox", KeyboardInterrupt()),
        ):
            make_sender(dying).send_due()
        assert make_sender(heir).send_due() == 0  # it is leased
        now.shift(121)
        assert make_sender(heir).send_due() == 1
    assert dying.messages[0].as_bytes() == heir.messages[0].as_bytes()


def test_a_sender_that_is_slower_than_its_lease_gives_up_nothing_that_another_has_sent(
    app: Flask, make_sender: MakeSender
) -> None:
    register(app, ALICE)
    heir = Tray()

    class Overtaken(Tray):
        def send(self, message: EmailMessage) -> None:
            now.shift(121)
            assert make_sender(heir).send_due() == 1
            raise MailRefused("no", 550)

    with time_machine.travel(clock.now(), tick=False) as now:
        assert make_sender(Overtaken()).send_due() == 0
    assert len(heir.messages) == 1
    assert (waiting(), failures()) == ([], [])


def test_a_mail_whose_removal_fails_is_not_sent_again(app: Flask, make_sender: MakeSender) -> None:
    register(app, ALICE)
    tray = Tray()
    sender = make_sender(tray)
    silent = OperationalError("DELETE", {}, Exception())
    with refusing("DELETE FROM outbox", silent):
        for _ in range(2):
            with pytest.raises(OperationalError):
                sender.send_due()
    assert len(waiting()) == 1
    with time_machine.travel(clock.now() + timedelta(minutes=3)):
        assert sender.send_due() == 0
    assert len(tray.messages) == 1
    assert waiting() == []


def test_the_number_that_waits_and_the_age_of_the_oldest_are_reported(
    app: Flask, make_sender: MakeSender, tally: Tally
) -> None:
    with time_machine.travel(clock.now(), tick=False) as now:
        register(app, ALICE)
        now.shift(60)
        register(app, BOB)
        make_sender(Tray(MailNotSent("busy"))).send_due()
        assert tally.reports[0] == (2, 60)
        now.shift(5)
        make_sender().send_due()
        assert tally.reports[-1] == (1, 65)


def test_a_letter_can_be_sent_past_the_outbox(app: Flask, make_sender: MakeSender) -> None:
    tray = Tray(None, MailNotSent("busy"), ValueError(f"{ALICE} is not a number"))
    sender = make_sender(tray)
    sender.send_now(Letter("test", ALICE))
    assert tray.messages[0]["To"] == ALICE
    with pytest.raises(MailNotSent, match="busy"):
        sender.send_now(Letter("test", ALICE))
    with pytest.raises(MailBroken, match=r"ValueError at .*: \[\.\.\.\] is not a number"):
        sender.send_now(Letter("test", ALICE))


@pytest.mark.once
def test_a_folder_of_mails_can_be_read_by_its_user_only(
    app: Flask, make_sender: MakeSender, tmp_path: Path
) -> None:
    register(app, ALICE)
    folder = tmp_path / "mail"
    before = os.umask(0o022)
    try:
        assert make_sender(Folder(folder)).send_due() == 1
    finally:
        os.umask(before)
    (file,) = folder.iterdir()
    assert (stat.filemode(folder.stat().st_mode), stat.filemode(file.stat().st_mode)) == (
        "drwx------",
        "-rw-------",
    )


def test_a_folder_that_cannot_be_written_keeps_mails_waiting(
    app: Flask, make_sender: MakeSender, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    register(app, ALICE)
    file = tmp_path / "file"
    file.touch()
    assert make_sender(Folder(file)).send_due() == 0
    assert "the folder of AUTHSVC_MAIL_URL cannot be written: File exists" in caplog.text
    assert len(waiting()) == 1
