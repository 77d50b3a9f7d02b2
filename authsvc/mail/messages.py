"""Render a letter as a message in plain text and HTML."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime, parseaddr
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import idna

from authsvc.locales import is_right_to_left
from authsvc.mail.letter import Letter
from authsvc.mail.template_files import (
    BUILT_IN_LOCALE,
    LAYOUT,
    TemplateFaulty,
    TemplateFiles,
    render,
)
from authsvc.mail.written import Written, read

_LONGEST_LINE = 998  # RFC 5322 section 2.1.1


class Messages:
    """Renders letters.

    Args:
        sender: the From header, such as ``Example <no-reply@example.com>``.
        app_url: where links lead.
        templates: the operator's folder of templates; None if there is none.
        locale: the language of readers whose language is not known, or has no templates.
    """

    def __init__(self, sender: str, app_url: str, templates: Path | None, locale: str) -> None:
        name, address = parseaddr(sender)
        self._sender = _address(address, name)
        self._app_url = app_url
        self._app_name = name or urlsplit(app_url).hostname or ""
        self._locale = locale
        self._files = TemplateFiles(templates)
        self.languages = self._files.languages
        """The languages that there are templates for."""

    def render(self, letter: Letter, id: UUID, created_at: datetime) -> EmailMessage:
        """Return the message of a letter. A second attempt gives the same bytes.

        Args:
            letter: what it says.
            id: of the mail in the outbox.
            created_at: when it was put there.

        Raises:
            TemplateFaulty: the operator's template cannot be rendered.
            ValueError: the address cannot be written in a header.
        """
        locales = [letter.locale or self._locale, self._locale, BUILT_IN_LOCALE]
        values = self._values(letter, created_at)
        words = self._files.first(self._files.named(f"{letter.template}.txt", locales))
        language = str(words.name).partition("/")[0]
        try:
            written = read(render(words, values), values.get("link"))
        except ValueError as error:
            raise TemplateFaulty(f"{words.filename}: {error}") from error
        html = self._html(letter, language, written, values)

        to = _address(letter.to)
        # If only its domain was not ASCII, no server needs SMTPUTF8 for it.
        message = EmailMessage(policy=default.clone(utf8=not to.addr_spec.isascii()))
        message["Message-ID"] = f"<{id}@{self._sender.domain}>"
        message["Date"] = format_datetime(created_at)
        message["From"] = self._sender
        message["To"] = to
        message["Subject"] = written.subject
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834 section 5
        message.set_content(written.text, cte=_encoding(written.text))
        message.add_alternative(html, subtype="html", cte=_encoding(html))
        message.set_boundary(f"={id.hex}=")
        message["Content-Language"] = language  # set_content() would remove it
        return message

    def _values(self, letter: Letter, created_at: datetime) -> dict[str, Any]:
        """Return the variables of the letter's templates."""
        values: dict[str, Any] = {
            **letter.facts,
            "app_name": self._app_name,
            "app_url": self._app_url,
            "email": letter.to,
            "at": created_at.astimezone(UTC),
        }
        if letter.link is not None:
            seconds = int(letter.link.life.total_seconds())
            values["link"] = letter.link.url(self._app_url)
            values |= {"minutes": seconds // 60, "hours": seconds // 3600}
            values["days"] = seconds // 86_400
        return values

    def _html(
        self, letter: Letter, language: str, written: Written, values: Mapping[str, Any]
    ) -> str:
        own = self._files.named(f"{letter.template}.html", [language])
        layout = self._files.first([*own, LAYOUT])
        html = render(
            layout,
            {
                **values,
                "subject": written.subject,
                "paragraphs": written.paragraphs,
                "lang": language,
                "dir": "rtl" if is_right_to_left(language) else "ltr",
            },
        )
        if values.get("link", "") not in unescape(html):
            raise TemplateFaulty(f"{layout.filename}: it does not show the link")
        return html + "\n"


def _address(address: str, name: str = "") -> Address:
    """Return an address for a header, the domain in ASCII.

    Raises:
        ValueError: it, or the name, contains a line break.
    """
    local, _, domain = address.rpartition("@")
    if not domain.isascii():
        domain = idna.encode(domain, uts46=True).decode()
    return Address(name, local, domain)


def _encoding(text: str) -> str:
    """Return the encoding of a body that every mail server passes on (RFC 2045 section 6)."""
    short = all(len(line) <= _LONGEST_LINE for line in text.split("\n"))
    return "7bit" if text.isascii() and short else "quoted-printable"
