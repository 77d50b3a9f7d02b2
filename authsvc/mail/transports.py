"""Where a mail is handed over: a server, or a folder."""

from email.message import EmailMessage
from pathlib import Path
from typing import Protocol


class Transport(Protocol):
    """Hands a message over."""

    def send(self, message: EmailMessage) -> None:
        """Hand the message over."""


class Folder:
    """Writes each mail as a file, for development.

    Args:
        folder: is created if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: EmailMessage) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        name = message["Message-ID"].strip("<>").partition("@")[0]
        unfinished = self.folder / f".{name}"
        unfinished.write_bytes(message.as_bytes())
        unfinished.replace(self.folder / f"{name}.eml")
