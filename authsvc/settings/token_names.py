"""The settings that name the issuer, the audiences and the client of tokens."""

import json
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

from authsvc.origins import origin_of
from authsvc.settings.values import split

MAX_AUDIENCES = 256
"""Bytes of all audiences as JSON."""
MAX_CLIENT_ID = 64
"""Characters. With both, a token with the longest claims must stay below 4 KiB."""

_NOT_IN_URLS = frozenset(' <>"\\^`{|}')
"""Some characters that a URL never contains (RFC 3986 section 2)."""


def _issuer(issuer: str) -> str:
    fault = "must be an https:// URL without query or fragment (RFC 8414)"
    try:
        parts = urlsplit(issuer)
        known = parts.scheme in ("http", "https") and parts.hostname and origin_of(issuer)
    except ValueError:  # an invalid port or IPv6 address
        raise ValueError(fault) from None
    if not known or "?" in issuer or "#" in issuer or not _NOT_IN_URLS.isdisjoint(issuer):
        raise ValueError(fault)
    return issuer


def _audiences(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ValueError("names no audience: write one, or unset it")
    if not all(name.isprintable() for name in names):
        raise ValueError("has a character that cannot be printed: remove it")
    if len(set(names)) < len(names):
        raise ValueError("has the same audience twice: remove one")
    if len(json.dumps(names)) > MAX_AUDIENCES:
        raise ValueError(
            f"is longer than {MAX_AUDIENCES} bytes as JSON, but each access token must contain it: "
            "name fewer audiences, or shorter ones"
        )
    return names


def _client_id(text: str) -> str:
    if not (text.isascii() and text.isprintable() and 1 <= len(text) <= MAX_CLIENT_ID):
        raise ValueError(
            f"must be 1 to {MAX_CLIENT_ID} printable ASCII characters (RFC 6749 appendix A.1)"
        )
    return text


Audiences = Annotated[tuple[str, ...], BeforeValidator(split), AfterValidator(_audiences)]
ClientId = Annotated[str, AfterValidator(_client_id)]
Issuer = Annotated[str, AfterValidator(_issuer)]
