"""Read the lines of an import, one account each: JSON objects or CSV, and maybe hostile."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import IO, Any

from authsvc import clock, roles, strict_json
from authsvc.problems import ValidationFailed
from authsvc.roles import Roles
from authsvc.users import hash_cost
from authsvc.users.emails import checked_email
from authsvc.users.imported_hashes import is_known

MAX_LINE = 16 * 1024
"""Bytes. A longer line is refused without being kept in memory."""

FIELDS = ("email", "hash", "created_at", "roles", "verified")
BOM = b"\xef\xbb\xbf"
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class NewAccount:
    """An account to import, from one line."""

    line: int
    email: str
    email_key: str
    password_hash: str
    created_at: datetime
    roles: Roles
    verified: bool


@dataclass(frozen=True)
class Refused:
    """A line that is not imported, and why. The reason holds nothing of the line."""

    line: int
    why: str


class NotAnImport(Exception):
    """The file as a whole cannot be imported; the message says why."""


def read(file: IO[bytes]) -> Iterator[NewAccount | Refused]:
    """Yield an account or a refusal for each line that is not blank.

    The file is JSON lines if its first character is `{`, and otherwise CSV with a header.

    Raises:
        NotAnImport: the first line is neither an object nor a header.
    """
    lines = _lines(file)
    number, first = next(lines, (1, b""))
    first = (first or b"").removeprefix(BOM)
    if first.lstrip().startswith(b"{"):
        parse = _from_json
        yield _account(number, first, parse)
    else:
        parse = partial(_from_csv, _header(first))
    for number, line in lines:
        if line is None:
            yield Refused(number, f"the line has more than {MAX_LINE} bytes")
        elif line.strip():
            yield _account(number, line, parse)


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Yield the number and the bytes of each line; None for a line that is too long."""
    for number in count(1):
        line = part = file.readline(MAX_LINE + 1)
        if not line:
            return
        while len(line) > MAX_LINE and part and not part.endswith(b"\n"):
            part = file.readline(_CHUNK)
        yield number, line if len(line) <= MAX_LINE else None


def _header(line: bytes) -> list[str]:
    try:
        [header] = csv.reader([line.decode().strip()], strict=True)
    except (ValueError, csv.Error):
        header = []
    if not {"email", "hash"} <= set(header) <= set(FIELDS) or len(set(header)) < len(header):
        raise NotAnImport(
            "The first line is neither a JSON object nor a CSV header. A header names `email`, "
            f"`hash` and perhaps others of {', '.join(FIELDS)}; the file must be UTF-8."
        )
    return header


def _account(
    number: int, line: bytes, parse: Callable[[bytes], dict[str, Any]]
) -> NewAccount | Refused:
    try:
        return _checked(number, parse(line))
    except _LineRefused as error:
        return Refused(number, str(error))


class _LineRefused(Exception):
    """Why a line is refused, without anything that the line holds."""


def _from_json(line: bytes) -> dict[str, Any]:
    try:
        value = strict_json.loads(line)
    except strict_json.NotStrictJson:
        raise _LineRefused("the line is not JSON in UTF-8, or names a member twice") from None
    if not isinstance(value, dict):
        raise _LineRefused("the line is not a JSON object")
    if not set(value) <= set(FIELDS):
        raise _LineRefused(f"the object has a member other than {', '.join(FIELDS)}")
    return value


def _from_csv(header: list[str], line: bytes) -> dict[str, Any]:
    try:
        [values] = csv.reader([line.decode().rstrip("\r\n")], strict=True)
    except (ValueError, csv.Error):
        raise _LineRefused("the line is not CSV in UTF-8") from None
    if len(values) != len(header):
        raise _LineRefused("the line does not have as many fields as the header")
    fields: dict[str, Any] = {
        name: value or None for name, value in zip(header, values, strict=True)
    }
    if fields.get("verified") is not None:
        fields["verified"] = _VERIFIED.get(fields["verified"].lower(), fields["verified"])
    return fields


_VERIFIED = {"true": True, "false": False}


def _checked(number: int, fields: dict[str, Any]) -> NewAccount:
    email, key = _email(fields.get("email"))
    verified = fields.get("verified") or False
    if not isinstance(verified, bool):
        raise _LineRefused("`verified` is not true or false")
    return NewAccount(
        number,
        email,
        key,
        _hash(fields.get("hash")),
        _created_at(fields.get("created_at")),
        _roles(fields.get("roles")),
        verified,
    )


def _email(value: Any) -> tuple[str, str]:
    try:
        return checked_email(value)
    except (ValidationFailed, TypeError, AttributeError):
        raise _LineRefused("`email` is not an e-mail address") from None


def _hash(value: Any) -> str:
    if not isinstance(value, str) or not (value.isascii() and value.isprintable()):
        raise _LineRefused("`hash` is not a text of ASCII characters")
    if not is_known(value):
        raise _LineRefused("`hash` is not in a known format; plain passwords are not imported")
    excess = hash_cost.excess(value)
    if excess is not None:
        raise _LineRefused(f"`hash` takes too long to verify: {excess}")
    return value


def _created_at(value: Any) -> datetime:
    now = clock.now()
    if value is None:
        return now
    try:
        instant = datetime.fromisoformat(value)
        instant = (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise _LineRefused("`created_at` is not a time such as 2026-11-24T10:57:00Z") from None
    if instant > now:
        raise _LineRefused("`created_at` is in the future")
    return instant


def _roles(value: Any) -> Roles:
    names = value.split() if isinstance(value, str) else value or []
    if not isinstance(names, list) or not all(
        isinstance(name, str) and roles.is_role(name) for name in names
    ):
        raise _LineRefused(f"`roles` has a name that does not match {roles.PATTERN}")
    if len(set(names)) > roles.MAX_ROLES:
        raise _LineRefused(f"`roles` has more than {roles.MAX_ROLES} names")
    return tuple(dict.fromkeys(names))
