"""Where a mail is handed over: a server, or a folder."""

from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

from authsvc.mail.failures import ServerAway


class Transport(Protocol):
    """Hands messages over, one at a time."""

    def send(self, message: EmailMessage) -> None:
        """Hand the message over.

        Raises:
            MailNotSent: it was not taken, or it is not known whether it was.
        """

    def abort(self) -> None:
        """End what `send` does in another thread, and take no message any more: this process ends.

        The other `send` raises Interrupted.
        """


class Folder:
    """Writes each mail as a file, for development. Only the user of the service can read it, since
    its link may open an account.

    Args:
        folder: is created if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: EmailMessage) -> None:
        name = message["Message-ID"].strip("<>").partition("@")[0]
        unfinished = self.folder / f".{name}"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished.touch(mode=0o600)
            unfinished.write_bytes(message.as_bytes())
            unfinished.replace(self.folder / f"{name}.eml")
        except OSError as error:
            raise ServerAway(
                f"the folder of AUTHSVC_MAIL_URL cannot be written: {error.strerror}"
            ) from None

    def abort(self) -> None:
        """Do nothing: a file is written in no time."""
