"""Read the mails that the service has written into a folder. They may hold any text."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import TypeVar

MAX_MAILS = 50
MAX_BYTES = 1024 * 1024
"""Of a file; the rest of it is not read."""

T = TypeVar("T")


@dataclass(frozen=True)
class Mail:
    """A mail as its reader sees it. What cannot be parsed is empty.

    Args:
        id: the name of its file, without the suffix.
        at: when it was written.
        sender: the From header.
        recipient: the To header.
        subject: the Subject header.
        text: the plain text.
        html: the HTML; None if it has none.
    """

    id: str
    at: datetime
    sender: str
    recipient: str
    subject: str
    text: str
    html: str | None


def newest_files(folder: Path) -> dict[str, float]:
    """Return the ids of the newest mails, newest first, each with the time of its file.

    It has at most `MAX_MAILS`, and none if the folder does not exist.
    """
    found = []
    for path in folder.glob("*.eml"):
        try:
            found.append((path.stat().st_mtime, path.stem))
        except OSError:  # the file was deleted a moment ago
            continue
    return {id: at for at, id in sorted(found, reverse=True)[:MAX_MAILS]}


def read_mail(folder: Path, id: str, at: float) -> Mail | None:
    """Return one mail; None if its file cannot be read.

    Args:
        folder: where it is.
        id: of `newest_files`, never of a request.
        at: when the file was written.
    """
    try:
        with (folder / f"{id}.eml").open("rb") as file:
            content = file.read(MAX_BYTES)
    except OSError:
        return None
    message = BytesParser(policy=policy.default).parsebytes(content)
    return Mail(
        id,
        datetime.fromtimestamp(at, UTC),
        _header(message, "From"),
        _header(message, "To"),
        _header(message, "Subject"),
        _body(message, "plain") or "",
        _body(message, "html"),
    )


def _header(message: EmailMessage, name: str) -> str:
    return _parsed(lambda: _as_text(message.get(name, ""))) or ""


def _body(message: EmailMessage, kind: str) -> str | None:
    part = _parsed(lambda: message.get_body((kind,)))
    return None if part is None else _parsed(lambda: _as_text(part.get_content()))


def _parsed(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except Exception:  # the parser raises errors of many types for malformed mails
        return None


def _as_text(value: object) -> str:
    """Return the text, with `?` for each byte that is not text."""
    return str(value).encode("utf-8", "replace").decode()
