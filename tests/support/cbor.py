"""A small CBOR encoder (RFC 8949), independent of the library that the service decodes with."""

from typing import Any


def cbor(value: Any) -> bytes:
    """Return the canonical CBOR of a value, as an authenticator writes it (CTAP 2.1, section 8).

    Args:
        value: of integers, bytes, text, lists, mappings, True, False and None.
    """
    if value is None or isinstance(value, bool):
        return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[value]
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        text = value.encode()
        return _head(3, len(text)) + text
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(cbor(item) for item in value)
    members = sorted(((cbor(key), cbor(item)) for key, item in value.items()), key=_shorter_first)
    return _head(5, len(members)) + b"".join(key + item for key, item in members)


def _shorter_first(member: tuple[bytes, bytes]) -> tuple[int, bytes]:
    return len(member[0]), member[0]


def _head(major: int, number: int) -> bytes:
    """Return the first bytes of an item: its major type, and a number or a length."""
    if number < 24:
        return bytes([major << 5 | number])
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << 8 * size:
            return bytes([major << 5 | info]) + number.to_bytes(size, "big")
    raise ValueError(f"{number} does not fit into eight bytes")
