"""Mails are handed over by SMTP, and no server can hold the sender for long."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from email.message import EmailMessage
from email.policy import SMTPUTF8
from pathlib import Path
from threading import Thread

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from authsvc.mail.failures import Interrupted, MailNotSent, MailRefused, ServerAway
from authsvc.mail.leases import LEASE
from authsvc.mail.smtp import Limits, Security, Server, SmtpTransport
from authsvc.mail.transport_of_url import place_of, transport_of
from tests.doctor.certificate import write_certificate
from tests.support.mail_server import DRIP, DROP, HANG, STEPS, MailServer, mail_server
from tests.support.running_service import free_port

SHORT = Limits(connecting=2, step=0.2, quitting=0.2, all=5)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def of_server(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture(scope="module")
def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


def mail(to: str = "alice@example.com") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Example <no-reply@example.org>"
    message["To"] = to
    message["Message-ID"] = "<1@example.org>"
    message.set_content("Hello\n.\nThe line above is a dot.\n")
    return message


def send(
    server: MailServer,
    message: EmailMessage | None = None,
    *,
    limits: Limits = SHORT,
    security: Security = "none",
    login: tuple[str, str] | None = None,
    context: ssl.SSLContext | None = None,
) -> None:
    where = Server("localhost", server.port, security, login)
    SmtpTransport(where, limits, context).send(message or mail())


def test_a_mail_arrives_as_it_was_written(server: MailServer) -> None:
    send(server)
    (received,) = server.received
    assert received == mail().as_bytes().replace(b"\n", b"\r\n")
    assert server.commands[0] == "ehlo example.org"
    assert server.commands[1].lower().startswith("mail from:<no-reply@example.org>")
    assert server.commands[2] == "rcpt TO:<alice@example.com>"


@pytest.mark.parametrize("step", [step for step in STEPS if step != "QUIT"])
@pytest.mark.parametrize("fault", [HANG, DROP])
def test_a_server_that_is_silent_or_hangs_up_takes_no_mail(
    server: MailServer, step: str, fault: str
) -> None:
    server.replies[step] = fault
    begun = time.monotonic()
    with pytest.raises(ServerAway, match="the connection was lost"):
        send(server)
    assert time.monotonic() - begun < 1.5
    assert server.received == []


@pytest.mark.parametrize("fault", [HANG, DROP, "500 what?"])
def test_a_mail_that_was_taken_is_sent_however_the_conversation_ends(
    server: MailServer, fault: str
) -> None:
    server.replies["QUIT"] = fault
    begun = time.monotonic()
    send(server, limits=Limits(quitting=0.2))
    assert time.monotonic() - begun < 5
    assert len(server.received) == 1


@pytest.mark.parametrize("step", ["CONNECT", "EHLO", "."])
def test_a_server_that_sends_a_byte_now_and_then_is_left_after_a_time(
    server: MailServer, step: str
) -> None:
    server.replies[step] = DRIP
    begun = time.monotonic()
    with pytest.raises(ServerAway, match=r"the server took more than 0\.6 seconds"):
        send(server, limits=Limits(connecting=2, step=0.2, quitting=0.2, all=0.6))
    assert 0.5 < time.monotonic() - begun < 2


def test_another_thread_can_end_an_attempt(server: MailServer) -> None:
    server.replies["."] = HANG
    transport = SmtpTransport(Server("localhost", server.port, "none"))

    def abort() -> None:
        server.is_hanging.wait(10)
        transport.abort()

    aborting = Thread(target=abort)
    aborting.start()
    with pytest.raises(Interrupted):
        transport.send(mail())
    aborting.join()
    with pytest.raises(Interrupted):  # nor is another one begun
        transport.send(mail())
    assert server.commands.count("quit") == 0


def test_a_transport_that_does_nothing_can_be_aborted(server: MailServer) -> None:
    transport = SmtpTransport(Server("localhost", server.port, "none"))
    transport.abort()
    with pytest.raises(Interrupted):
        transport.send(mail())
    assert server.commands == []


def test_an_attempt_that_is_late_before_it_is_connected_sends_nothing(server: MailServer) -> None:
    with pytest.raises(ServerAway, match="took more than 0 seconds"):
        send(server, limits=Limits(all=0))
    assert server.received == []


def test_a_server_that_is_not_there_is_away() -> None:
    transport = transport_of(f"smtp://localhost:{free_port()}")
    with pytest.raises(ServerAway, match=r"cannot be reached \(Connection refused\)"):
        transport.send(mail())


def test_a_server_that_does_not_accept_the_connection_is_away() -> None:
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        stack.enter_context(socket.create_connection(full.getsockname()))
        where = Server("127.0.0.1", full.getsockname()[1], "none")
        with pytest.raises(ServerAway, match="the server does not answer"):
            SmtpTransport(where, Limits(connecting=0.2)).send(mail())


def test_a_host_without_an_address_is_away() -> None:
    with pytest.raises(ServerAway, match="the host of AUTHSVC_MAIL_URL was not found"):
        transport_of("smtps://mail.invalid").send(mail())


REFUSALS: dict[tuple[str, str], type[MailNotSent]] = {
    ("CONNECT", "554 go away"): ServerAway,
    ("CONNECT", "421 too busy"): ServerAway,
    ("CONNECT", "HTTP/1.1 400 Bad Request"): ServerAway,
    ("MAIL", "550 not from you"): ServerAway,
    ("MAIL", "451 later"): ServerAway,
    ("RCPT", "450 4.2.1 <alice@example.com> is busy"): MailNotSent,
    ("RCPT", "421 closing"): ServerAway,
    ("RCPT", "530 5.7.0 log in first"): ServerAway,
    ("RCPT", "550 5.1.1 <alice@example.com> is unknown"): MailRefused,
    ("DATA", "452 full"): MailNotSent,
    ("DATA", "554 no"): MailRefused,
    (".", "451 4.7.1 come back later"): MailNotSent,
    (".", "552 5.3.4 too large"): MailRefused,
    (".", "421 closing"): ServerAway,
}


@pytest.mark.parametrize(("step", "reply"), REFUSALS)
def test_a_refusal_concerns_the_mail_or_the_server(
    server: MailServer, step: str, reply: str
) -> None:
    server.replies[step] = reply
    with pytest.raises(MailNotSent) as refused:
        send(server)
    assert type(refused.value) is REFUSALS[step, reply]
    assert "alice" not in str(refused.value)
    assert server.received == []


def test_a_refusal_says_the_numbers_of_the_reply_and_keeps_its_text_apart(
    server: MailServer,
) -> None:
    server.replies["RCPT"] = "550 5.1.1 <alice@example.com>\x1b[1m is unknown"
    with pytest.raises(MailRefused) as refused:
        send(server)
    assert str(refused.value) == "the server refused the address (550 5.1.1)"
    assert refused.value.code == 550
    assert refused.value.reply == "5.1.1 <alice@example.com> [1m is unknown"


def test_tls_is_required_of_a_server_on_another_machine(server: MailServer) -> None:
    # 127.1 is loopback for the system, and the name of another machine for us.
    with pytest.raises(ServerAway, match="offers no STARTTLS") as refused:
        transport_of(f"smtp://alice:secret@127.1:{server.port}").send(mail())
    assert "secret" not in str(refused.value)
    assert server.commands == ["ehlo example.org"]


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_mail_and_password_go_over_tls_to_a_server_whose_certificate_is_valid(
    of_server: ssl.SSLContext, trusting: ssl.SSLContext, security: Security
) -> None:
    with mail_server(tls=of_server, implicit_tls=security == "tls") as server:
        server.features += ["STARTTLS", "AUTH PLAIN"]
        send(server, security=security, login=("user", "word"), context=trusting)
        assert len(server.received) == 1
        login = server.commands.index("AUTH PLAIN AHVzZXIAd29yZA==")
        assert security == "tls" or server.commands.index("STARTTLS") < login


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_an_encrypted_connection_is_cut_too(
    of_server: ssl.SSLContext, trusting: ssl.SSLContext, security: Security
) -> None:
    with mail_server(tls=of_server, implicit_tls=security == "tls") as server:
        server.features.append("STARTTLS")
        server.replies["."] = DRIP
        limits = Limits(all=0.6)
        with pytest.raises(ServerAway, match="took more than"):
            send(server, security=security, context=trusting, limits=limits)
        assert server.received == []


def test_a_mail_server_of_others_takes_mail_after_starttls_and_login(
    of_server: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """aiosmtpd requires both, and checks each command as RFC 5321 says."""
    logins: list[LoginPassword] = []
    mails: list[Envelope] = []

    def authenticate(*rest: object) -> AuthResult:
        logins.append(rest[-1])
        return AuthResult(success=True)

    class Keeping:
        async def handle_DATA(self, server: object, session: object, mail: Envelope) -> str:
            mails.append(mail)
            return "250 fine"

    theirs = Controller(
        Keeping(),
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=of_server,
        require_starttls=True,
        authenticator=authenticate,
        auth_required=True,
        enable_SMTPUTF8=True,
    )
    theirs.start()
    try:
        where = Server("localhost", theirs.port, "starttls", ("us:er", "wo rd"))
        SmtpTransport(where, context=trusting).send(mail("zoë@example.com"))
    finally:
        theirs.stop()
    assert logins == [LoginPassword(b"us:er", b"wo rd")]
    assert mails[0].rcpt_tos == ["zoë@example.com"]
    assert mails[0].original_content == mail("zoë@example.com").as_bytes(policy=SMTPUTF8)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_that_is_not_valid_ends_the_attempt(
    of_server: ssl.SSLContext, security: Security
) -> None:
    with mail_server(tls=of_server, implicit_tls=security == "tls") as server:
        server.features += ["STARTTLS", "AUTH PLAIN"]
        with pytest.raises(ServerAway, match="certificate is not valid"):
            send(server, security=security, login=("user", "word"))
        assert not any(command.startswith("AUTH") for command in server.commands)


def test_a_server_without_tls_on_its_port_for_tls_is_away(server: MailServer) -> None:
    with pytest.raises(ServerAway, match="TLS with the server failed"):
        send(server, security="tls")


LOGINS = {
    ("AUTH PLAIN", "535 5.7.8 no"): "refused the user name or password",
    ("AUTH CRAM-MD5", "334 a"): "the server's login cannot be used",
    ("SIZE 1000", ""): "offers no way to log in",
}


@pytest.mark.parametrize(("feature", "reply"), LOGINS)
def test_a_login_that_fails_is_not_the_mails_fault(
    server: MailServer, feature: str, reply: str
) -> None:
    server.features.append(feature)
    server.replies["AUTH"] = reply
    with pytest.raises(ServerAway, match=LOGINS[feature, reply]):
        send(server, login=("user", "word"))
    assert server.received == []


def test_a_password_beyond_ascii_is_named_and_not_shown(server: MailServer) -> None:
    with pytest.raises(ServerAway, match="must be in ASCII") as refused:
        send(server, login=("user", "käse"))
    assert "käse" not in str(refused.value)


def test_percent_signs_of_the_url_are_decoded(server: MailServer) -> None:
    server.features.append("AUTH PLAIN")
    transport_of(f"smtp://us%40er:w%2Ford%25@localhost:{server.port}").send(mail())
    assert "AUTH PLAIN AHVzQGVyAHcvb3JkJQ==" in server.commands


def test_an_address_beyond_ascii_needs_a_server_that_takes_it(server: MailServer) -> None:
    with pytest.raises(MailRefused, match="does not support SMTPUTF8"):
        send(server, mail("zoë@example.com"))
    server.features.append("SMTPUTF8")
    send(server, mail("zoë@example.com"))
    assert "To: zoë@example.com".encode() in server.received[0]
    assert server.commands[-3] == "rcpt TO:<zoë@example.com>"


def test_an_attempt_ends_before_another_sender_may_take_the_mail() -> None:
    assert Limits().all < LEASE.total_seconds()


@pytest.mark.once
def test_the_login_of_a_server_is_not_in_its_repr() -> None:
    place = repr(place_of("smtps://alice:canary@mail.example.com"))
    assert "mail.example.com" in place
    assert "canary" not in place
