"""Why a mail was not sent.

MailNotSent         concerns this mail: it is tried again
├── MailBroken      concerns this mail, and is not the server's fault: it is tried again
├── MailRefused     concerns this mail, for good: it is given up
├── ServerAway      concerns every mail: it is tried again, and the others wait too
└── Interrupted     this process ends: another one sends it
"""

import traceback
from collections.abc import Collection


class MailNotSent(Exception):
    """A mail was not sent.

    Args:
        reason: says why, without an address, a token or a password.
        code: of the server's reply, such as 550 (RFC 5321 section 4.2.3); None without a reply.
        reply: what the server said. It may contain the address, so it must not be logged.
    """

    def __init__(self, reason: str, code: int | None = None, reply: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reply = reply


class MailBroken(MailNotSent):
    """The mail could not be written or rendered: an operator's template is wrong, or our code.

    Args:
        error: what was raised.
        secrets: what must not be in the log.
    """

    def __init__(self, error: Exception, secrets: Collection[str] = ()) -> None:
        text = " ".join(str(error).split())
        for secret in secrets:
            text = text.replace(secret, "[...]")
        place = traceback.extract_tb(error.__traceback__)[-1]
        super().__init__(
            f"it cannot be rendered: {type(error).__name__} at {place.filename}:{place.lineno}: "
            f"{text}"
        )


class MailRefused(MailNotSent):
    """The server will never take this mail, or not for this address."""


class ServerAway(MailNotSent):
    """The server takes no mail at all: it does not answer, or it is not the one in the settings."""


class Interrupted(MailNotSent):
    """The transport was aborted."""
