"""The settings of factors: the domain of passkeys, and the roles that need two factors."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from authsvc.roles import PATTERN, is_role
from authsvc.settings.values import split

MAX_DOMAIN = 253
"""Characters (RFC 1035 section 2.3.4)."""
_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}", re.ASCII)
_OF_ADDRESSES = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.ASCII)
"""Browsers take a host whose last label is a number for an IPv4 address (URL standard, 3.5)."""


def _domain(text: str) -> str:
    is_domain = _DOMAIN.fullmatch(text) and not _OF_ADDRESSES.fullmatch(text)
    if not is_domain or len(text) > MAX_DOMAIN:
        raise ValueError(
            "must be a domain such as example.com, in lower case and ASCII (xn--...), without "
            "scheme, port, path and a dot at its end. Passkeys cannot belong to a network address"
        )
    return text


def _role(text: str) -> str:
    if not is_role(text):
        raise ValueError(f"has {text!r}, which is not the name of a role: it must match {PATTERN}")
    return text


Domain = Annotated[str, AfterValidator(_domain)]
RoleNames = Annotated[tuple[Annotated[str, AfterValidator(_role)], ...], BeforeValidator(split)]
