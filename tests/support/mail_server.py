"""A mail server on this machine that answers as a test says, to each command by its name."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread

HANG, DROP, DRIP = "hang", "drop", "drip"
"""Answer nothing; close the connection; send a byte now and then, without an end."""

STEPS = ("CONNECT", "EHLO", "MAIL", "RCPT", "DATA", ".", "QUIT")
"""The steps of a conversation without TLS and login; the dot is the end of the message."""


@dataclass
class MailServer:
    """A running server.

    Args:
        port: where it listens, on 127.0.0.1.
        replies: what it answers to a step, instead of consent: a reply, HANG, DROP or DRIP. In a
            list, one for each connection, and consent after the last.
        features: what it offers in its answer to EHLO.
        received: the messages that it took.
        commands: every line that clients sent, except messages.
    """

    port: int
    replies: dict[str, str | list[str]] = field(default_factory=dict)
    features: list[str] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    ended: Event = field(default_factory=Event)
    is_hanging: Event = field(default_factory=Event)
    tls: ssl.SSLContext | None = None
    implicit_tls: bool = False

    def converse(self, connection: socket.socket) -> None:
        connection.settimeout(20)
        if self.implicit_tls:
            assert self.tls is not None
            connection = self.tls.wrap_socket(connection, server_side=True)
        step, message = "CONNECT", b""
        with connection, connection.makefile("rb") as lines:
            while self._answer(connection, step, message):
                if step == "STARTTLS" and "STARTTLS" not in self.replies:
                    assert self.tls is not None
                    self.converse_encrypted(connection)
                    return
                if step == "DATA" and "DATA" not in self.replies:
                    step, message = ".", _message(lines)
                    if not message:
                        return
                    continue
                line = lines.readline()
                if not line:
                    return
                self.commands.append(line.decode("utf-8", "replace").strip())
                step, message = self.commands[-1].partition(" ")[0].upper(), b""

    def converse_encrypted(self, connection: socket.socket) -> None:
        assert self.tls is not None
        with self.tls.wrap_socket(connection, server_side=True) as encrypted:
            inner = MailServer(self.port, {**self.replies, "CONNECT": ""})
            inner.received, inner.commands, inner.ended = self.received, self.commands, self.ended
            inner.features = [name for name in self.features if name != "STARTTLS"]
            inner.converse(encrypted)

    def _answer(self, connection: socket.socket, step: str, message: bytes) -> bool:
        """Answer a step, and return whether the conversation goes on."""
        reply = self.replies.get(step)
        if isinstance(reply, list):
            reply = reply.pop(0) if reply else None
        if reply == DROP:
            return False
        if reply in (HANG, DRIP):
            self.is_hanging.set()
            while not self.ended.wait(0.05):
                if reply == DRIP:
                    connection.sendall(b"2")
            return False
        if step == "." and (reply is None or reply.startswith("2")):
            self.received.append(message)
        text = self._consent(step) if reply is None else reply
        if text:
            connection.sendall(text.encode() + b"\r\n")
        return step != "QUIT" and not text.startswith("421")

    def _consent(self, step: str) -> str:
        if step == "EHLO":
            offers = ["localhost", *self.features]
            return "\r\n".join([*(f"250-{name}" for name in offers[:-1]), f"250 {offers[-1]}"])
        return _CONSENT.get(step, "250 fine")


_CONSENT = {
    "CONNECT": "220 ready",
    "STARTTLS": "220 go on",
    "AUTH": "235 welcome",
    "DATA": "354 go on",
    "QUIT": "221 bye",
}


def _message(lines: Iterator[bytes]) -> bytes:
    """Return the message, or nothing if the connection ends before it does."""
    taken: list[bytes] = []
    for line in lines:
        if line == b".\r\n":
            return b"".join(taken)
        taken.append(line.removeprefix(b".") if line.startswith(b"..") else line)
    return b""


@contextmanager
def mail_server(
    port: int = 0, tls: ssl.SSLContext | None = None, *, implicit_tls: bool = False
) -> Iterator[MailServer]:
    """Run a mail server until the end of the block."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        server = MailServer(listener.getsockname()[1], tls=tls, implicit_tls=implicit_tls)
        accepting = Thread(target=_accept, args=(listener, server), daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            server.ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()


def _accept(listener: socket.socket, server: MailServer) -> None:
    threads: list[Thread] = []
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threads.append(Thread(target=_converse, args=(server, connection), daemon=True))
            threads[-1].start()
    deadline = time.monotonic() + 5
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))


def _converse(server: MailServer, connection: socket.socket) -> None:
    with suppress(OSError), connection:
        server.converse(connection)
