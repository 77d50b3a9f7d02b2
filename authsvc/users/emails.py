"""E-mail addresses: their syntax, and the one canonical form in which they are compared."""

import unicodedata
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import Field

from authsvc.problems import Fault, ValidationFailed
from authsvc.web.inputs import Text

ALICE = "alice@example.com"
"""The address in all examples."""

Email = Annotated[Text, Field(examples=[ALICE])]
"""An e-mail address as a person types it."""


def email_key(email: str) -> str:
    """Return the canonical form of an e-mail address, in which addresses are compared.

    Any text has one, since a client can send any text to the login. Postgres cannot store NUL.
    """
    folded = unicodedata.normalize("NFC", email).casefold().replace("\0", "\ufffd")
    return unicodedata.normalize("NFC", folded)


def checked_email(email: str) -> tuple[str, str]:
    """Return a new account's address as it is stored, and its canonical form.

    Raises:
        ValidationFailed: the text is not an e-mail address.
    """
    try:
        # `test_environment` accepts the reserved domain .test (RFC 2606): no mail is sent.
        valid = validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise ValidationFailed([Fault("/email", "This is not an e-mail address.")]) from None
    return valid.normalized, email_key(valid.normalized)
