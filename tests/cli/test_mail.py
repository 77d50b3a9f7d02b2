"""`mail send` and `mail test`, to a mail server on this machine."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import Connection, text

from tests.support.mail_server import DROP, MailServer, mail_server
from tests.support.mailbox import Mailbox
from tests.support.operator_commands import Operator
from tests.support.people import Person
from tests.support.recovery import forgot
from tests.support.running_service import ROOT


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def postmaster(
    server: MailServer, database_url: str, mail_settings: dict[str, str], mail_app: Flask
) -> Operator:
    """An operator whose service sends mail to that server."""
    url = f"smtp://127.0.0.1:{server.port}"
    return Operator(database_url, **{**mail_settings, "mail_url": url})


@pytest.fixture
def alices_link(mail_app: Flask, mailbox: Mailbox) -> None:
    """A mail with a link for Alice, which waits."""
    alice = Person(mail_app, "alice@example.com", "a horse that is correct").register()
    mailbox.deliver()
    forgot(alice)


@pytest.mark.usefixtures("alices_link")
def test_send_once_sends_what_is_due_and_ends(postmaster: Operator, server: MailServer) -> None:
    done = postmaster.run("mail", "send", "--once")
    assert (done.exit_code, done.stdout) == (0, "1 sent, 0 put back, 0 given up.\n")
    (message,) = server.received
    assert b"\r\nTo: alice@example.com\r\n" in message
    assert postmaster.run("mail", "send", "--once").stdout == "0 sent, 0 put back, 0 given up.\n"


@pytest.mark.usefixtures("alices_link")
@pytest.mark.parametrize(
    ("reply", "printed", "left"),
    [
        ("450 later", "0 sent, 1 put back, 0 given up.\n", 1),
        ("550 unknown", "0 sent, 0 put back, 1 given up.\n", 0),
    ],
)
def test_send_once_says_how_many_were_not_sent_and_ends_with_1(
    postmaster: Operator,
    server: MailServer,
    connection: Connection,
    reply: str,
    printed: str,
    left: int,
) -> None:
    server.replies["RCPT"] = reply
    done = postmaster.run("mail", "send", "--once")
    assert (done.exit_code, done.stdout) == (1, printed)
    assert connection.scalar(text("SELECT count(*) FROM outbox")) == left


@pytest.mark.once
@pytest.mark.usefixtures("alices_link")
def test_send_goes_on_until_it_is_stopped_and_prints_a_line_for_each_mail(
    postmaster: Operator, server: MailServer
) -> None:
    sender = subprocess.Popen(
        [sys.executable, "-m", "authsvc", "mail", "send"],
        env={**postmaster.environment, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert sender.stdout is not None
        assert sender.stdout.readline().endswith("Z sent: reset\n")
        sender.send_signal(signal.SIGTERM)
        rest, _ = sender.communicate(timeout=20)
    finally:
        sender.kill()
    assert (sender.returncode, rest) == (0, "1 sent, 0 put back, 0 given up.\n")
    assert len(server.received) == 1


def test_test_says_which_server_took_the_mail(postmaster: Operator, server: MailServer) -> None:
    done = postmaster.run("mail", "test", " Bob@example.net")
    assert (done.exit_code, done.stdout) == (
        0,
        f"The mail server 127.0.0.1:{server.port} (no TLS, since it is this machine) took the mail "
        "from Example <no-reply@example.com> to Bob@example.net.\n",
    )
    (message,) = server.received
    assert b"This is a test" in message


@pytest.mark.once
@pytest.mark.parametrize(
    ("step", "reply", "said"),
    [
        (
            "RCPT",
            "550 5.1.1 no such user",
            'the server refused the address (550 5.1.1). It said "5.1.1 no such user". Try another '
            "address.",
        ),
        ("RCPT", "450 busy\x1b[2J", 'said "busy [2J". Try again in some minutes.'),
        ("CONNECT", "554 go away", "the server refused the connection (554)."),
        ("EHLO", DROP, "the connection was lost"),
    ],
)
def test_test_says_why_the_mail_was_not_sent_and_what_to_do(
    postmaster: Operator, server: MailServer, step: str, reply: str, said: str
) -> None:
    server.replies[step] = reply
    done = postmaster.run("mail", "test", "bob@example.net")
    assert (done.exit_code, done.stdout, server.received) == (1, "", [])
    where = f"Error: The mail server 127.0.0.1:{server.port} (no TLS, since it is this machine) "
    assert done.stderr.startswith(f"{where}did not take the mail: ")
    assert said in done.stderr


@pytest.mark.once
def test_test_never_shows_the_password(postmaster: Operator, server: MailServer) -> None:
    server.features.append("AUTH PLAIN")
    server.replies["AUTH"] = "535 5.7.8 wrong"
    url = f"smtp://alice:c%61nary-1@127.0.0.1:{server.port}"
    postmaster.environment["AUTHSVC_MAIL_URL"] = url
    done = postmaster.run("mail", "test", "bob@example.net")
    assert "the server refused the user name or password of AUTHSVC_MAIL_URL" in done.stderr
    assert "Correct AUTHSVC_MAIL_URL" in done.stderr
    assert "anary-1" not in done.output


@pytest.mark.once
def test_test_names_the_folder_of_a_development_service(
    mail_operator: Operator, mailbox: Mailbox
) -> None:
    done = mail_operator.run("mail", "test", "bob@example.net")
    assert done.stdout.startswith(f"The folder {mailbox.folder} took the mail from ")
    assert len(list(mailbox.folder.glob("*.eml"))) == 1


@pytest.mark.once
def test_test_of_a_text_that_is_not_an_address_is_refused(
    postmaster: Operator, server: MailServer
) -> None:
    done = postmaster.run("mail", "test", "bob")
    assert (done.exit_code, done.stderr) == (1, "Error: This is not an e-mail address.\n")
    assert server.commands == []


@pytest.mark.once
@pytest.mark.parametrize("words", [("send", "--once"), ("send",), ("test", "bob@example.net")])
def test_without_mail_the_commands_say_what_to_set(operator: Operator, words: list[str]) -> None:
    done = operator.run("mail", *words)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "AUTHSVC_MAIL_URL, AUTHSVC_MAIL_FROM and AUTHSVC_APP_URL" in done.stderr
