"""E-mail addresses: their syntax, and the one canonical form in which they are compared."""

import re
import unicodedata
from typing import Annotated

import idna
from pydantic import Field

from authsvc.problems import Fault, FaultCode, ValidationFailed
from authsvc.web.inputs import Text

ALICE = "alice@example.com"
"""The address in all examples."""

Email = Annotated[Text, Field(examples=[ALICE])]
"""An e-mail address as a person types it. Any text, as at a login."""

EmailAddress = Annotated[Email, Field(json_schema_extra={"format": "email"})]
"""An e-mail address that `checked_email` checks: the API's document names its format."""


def email_key(email: str) -> str:
    """Return the canonical form of an e-mail address, in which addresses are compared.

    Surrounding ASCII white space is removed. The local part is lower-cased and not folded, so
    that `straße` is not `strasse`; the domain is its ASCII form (UTS 46, non-transitional).

    Any text has such a form, since a client can send any text to the login. Postgres cannot
    store NUL, and neither database a lone surrogate.
    """
    text = _UNSTORABLE.sub("\ufffd", _stripped(email))
    local, at, domain = unicodedata.normalize("NFC", text).rpartition("@")
    return unicodedata.normalize("NFC", local.lower()) + at + _ascii_domain(domain)


def checked_email(email: str) -> tuple[str, str]:
    """Return a new account's address as it is stored, and its canonical form.

    Raises:
        ValidationFailed: the text is not an e-mail address.
    """
    # Imported here: its regular expressions take longer to compile than the rest of a login.
    from email_validator import EmailNotValidError, validate_email

    try:
        # `test_environment` accepts the reserved domain .test (RFC 2606), for services under test.
        valid = validate_email(_stripped(email), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        fault = Fault("/email", "This is not an e-mail address.", FaultCode.INVALID_EMAIL)
        raise ValidationFailed([fault]) from None
    return valid.normalized, email_key(email)


_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def _stripped(email: str) -> str:
    return email.strip(" \t\n\r\f\v")


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain.lower()
    try:
        return idna.encode(domain, uts46=True).decode()
    except UnicodeError:  # of which IDNAError is one: the text is not a domain
        return domain.lower()
