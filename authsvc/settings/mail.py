"""The settings of mail: where it is handed over, who sends it, and where its links lead."""

from email.utils import parseaddr
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

from authsvc.locales import is_locale
from authsvc.origins import origin_of

_MAIL_URL = (
    "must be smtp://user:password@host:587, smtps://user:password@host:465, or file:///folder for "
    "development: in the user's name and password, write special characters as %40"
)


def _mail_url(url: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(url.get_secret_value())
        known = (
            parts.port != 0
            and parts.hostname
            and parts.path in ("", "/")
            and (parts.username is None) == (parts.password is None)
            if parts.scheme in ("smtp", "smtps")
            else parts.scheme == "file" and not parts.netloc and len(parts.path) > 1
        )
    except ValueError:  # an invalid port or IPv6 address
        raise ValueError(_MAIL_URL) from None
    if not known or parts.query or parts.fragment:
        raise ValueError(_MAIL_URL)
    return url


def _mail_from(text: str) -> str:
    # Imported here: a service without mail needs neither.
    from email.headerregistry import Address

    from email_validator import EmailNotValidError, validate_email

    name, address = parseaddr(text)
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
        Address(name, addr_spec=address)
    except (EmailNotValidError, ValueError):
        raise ValueError(
            "must be an address, such as no-reply@example.com or Example <no-reply@example.com>"
        ) from None
    return text


def _app_url(url: str) -> str:
    fault = "must be the http:// or https:// URL of your app, without query or fragment"
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and origin_of(url)
    except ValueError:  # an invalid port or IPv6 address
        raise ValueError(fault) from None
    if not known or not url.isprintable() or not {"?", "#", " ", "@"}.isdisjoint(url):
        raise ValueError(fault)
    return url.rstrip("/")


def _templates(folder: Path) -> Path:
    if not folder.is_dir():
        raise ValueError("is not a folder: correct the path, or unset it")
    return folder


def _locale(text: str) -> str:
    if not is_locale(text):
        raise ValueError("must be a language tag such as en or pt-BR (BCP 47)")
    return text


MailUrl = Annotated[SecretStr, AfterValidator(_mail_url)]
MailFrom = Annotated[str, AfterValidator(_mail_from)]
AppUrl = Annotated[str, AfterValidator(_app_url)]
TemplateFolder = Annotated[Path, AfterValidator(_templates)]
Locale = Annotated[str, AfterValidator(_locale)]
