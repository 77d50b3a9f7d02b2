"""A letter: its template, its recipient, its language and its link."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal
from uuid import UUID

from authsvc.tokens.one_time import Purpose

Template = Literal[
    "reset",
    "invitation",
    "verification",
    "change",
    "already_registered",
    "password_changed",
    "password_reset",
    "email_changed",
    "factor_added",
    "factor_removed",
    "recovery_codes_replaced",
    "recovery_code_used",
    "new_login",
    "suspicious_use",
    "test",
]

PAGES: Mapping[Purpose, str] = {
    "reset": "reset-password",
    "verification": "verify-email",
    "change": "change-email",
}
"""The pages of the operator's app that links lead to."""


@dataclass(frozen=True)
class Link:
    """A link of a letter.

    Args:
        purpose: what its token is for, and so to which page it leads.
        token: the one-time token.
        life: how long it works, counted from now.
    """

    purpose: Purpose
    token: str = field(repr=False)
    life: timedelta

    def url(self, app_url: str) -> str:
        """Return the URL below the operator's app. The token is in the fragment, which browsers
        send to no server and in no Referer.
        """
        return f"{app_url}/{PAGES[self.purpose]}#token={self.token}"


@dataclass(frozen=True)
class Letter:
    """What one mail says.

    Args:
        template: the words.
        to: the address that it goes to.
        locale: the language of its reader (BCP 47); None for that of the settings.
        link: the link that it carries.
        facts: further words that the template uses.
        user_id: the account that it is about, if there is one.
    """

    template: Template
    to: str
    locale: str | None = None
    link: Link | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    user_id: UUID | None = None
