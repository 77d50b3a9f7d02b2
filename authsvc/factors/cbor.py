"""Check CBOR from a browser before a library decodes it.

The decoder of `webauthn` follows tags and shared references: 200 bytes of them become gigabytes.
Authenticators write none (CTAP 2.1, section 8), so such bytes are refused unread.
"""

from typing import NoReturn

MAX_DEPTH = 8
"""Levels of nesting. Authenticators write at most four (CTAP 2.1, section 8)."""

_HEADER = 37
"""Bytes of authenticator data before what is CBOR (WebAuthn level 3, section 6.1)."""
_AAGUID, _LENGTH = 16, 2
_AT, _ED = 0x40, 0x80
"""The flags for a new key, and for extensions."""
_ARGUMENT = {24: 1, 25: 2, 26: 4, 27: 8}
"""Bytes of the number after the first byte of an item (RFC 8949 section 3)."""


class CborRefused(ValueError):
    """The bytes are not CBOR as an authenticator writes it."""


def check_item(data: bytes) -> None:
    """Check that the bytes are one CBOR item, without tags and with definite lengths.

    Raises:
        CborRefused: they are not.
    """
    if _end_of_item(data, 0) != len(data):
        _refuse()


def check_authenticator_data(data: bytes) -> None:
    """Check the CBOR in authenticator data: a new key and extensions, if its flags say so.

    Raises:
        CborRefused: it is too short, is not such CBOR, or does not end there.
    """
    if len(data) < _HEADER:
        _refuse()
    flags, at = data[32], _HEADER
    if flags & _AT:
        at += _AAGUID
        at += _LENGTH + int.from_bytes(data[at : at + _LENGTH], "big")
        at = _end_of_item(data, at)
    if flags & _ED:
        at = _end_of_item(data, at)
    if at != len(data):
        _refuse()


def _end_of_item(data: bytes, start: int, depth: int = 0) -> int:
    """Return where the item that begins at `start` ends."""
    if depth > MAX_DEPTH or start >= len(data):
        _refuse()
    major, info = data[start] >> 5, data[start] & 0x1F
    at = start + 1 + _ARGUMENT.get(info, 0)
    if info > 27 or major == 6 or at > len(data):  # indefinite length or reserved; a tag; cut off
        _refuse()
    number = info if info < 24 else int.from_bytes(data[start + 1 : at], "big")
    if major in (2, 3):
        at += number
    items = {4: number, 5: 2 * number}.get(major, 0)
    for _ in range(items):  # each is at least one byte, so this ends with the data
        at = _end_of_item(data, at, depth + 1)
    return at


def _refuse() -> NoReturn:
    raise CborRefused
