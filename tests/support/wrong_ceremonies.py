"""What can be wrong in both ceremonies of passkeys: with the client data, the domain, the flags."""

import json
from collections.abc import Callable
from typing import Any

from tests.support.cbor import cbor
from tests.support.dpop import b64
from tests.support.software_authenticator import BE, BS, ED, UP, UV

Faults = dict[str, Any]
"""Keywords of `SoftwareAuthenticator.create` and `.get`."""
FromChallenge = Callable[[str, str], Faults]
"""Returns faults for a challenge and the type of the ceremony."""
Edit = Callable[[dict[str, Any]], None]
"""Changes a credential in place."""

NO_UP, NO_UV = UV, UP
AT = 0x40


def shared_references(levels: int) -> bytes:
    """Return CBOR of a few bytes for each level, which a decoder doubles at each."""
    if levels == 0:
        return b"\xd8\x1c\x81\x01"
    return b"\xd8\x1c\x82" + _doubled(levels, 1)


def _doubled(levels: int, index: int) -> bytes:
    reference = b"\xd8\x1d" + cbor(index)
    if index == levels:
        return b"\xd8\x1c\x81\x01" + reference
    return b"\xd8\x1c\x82" + _doubled(levels, index + 1) + reference


ORIGINS = {
    "the origin of another site": "https://evil.example",
    "https for http": "https://localhost",
    "another port": "http://localhost:5001",
    "our host as the prefix of another": "http://localhost.evil.example",
    "our host as the suffix of another": "http://evillocalhost",
    "a subdomain of ours": "http://login.localhost",
    "our host before an @": "http://localhost@evil.example",
    "our host in capitals": "http://LOCALHOST",
    "our host with a letter that looks alike": "http://l\u043ecalhost",
    "our host with a dot at its end": "http://localhost.",
    "our origin with a path": "http://localhost/",
    "our origin after a space": " http://localhost",
    "our origin before a NUL": "http://localhost\0",
    "our host without a scheme": "localhost",
    "an opaque origin": "null",
    "an empty origin": "",
    "half a character as the origin": "\ud800",
    "a number as the origin": 7,
    "a list with our origin": ["http://localhost"],
    "no origin": ...,
}
MEMBERS: dict[str, Faults] = {
    **{name: {"origin": origin} for name, origin in ORIGINS.items()},
    "no type": {"type": ...},
    "a type of payments": {"type": "payment.get"},
    "a number as the type": {"type": 1},
    "a frame in a page of another origin": {"crossOrigin": True},
    "crossOrigin as text": {"crossOrigin": "false"},
    "crossOrigin as null": {"crossOrigin": None},
    "crossOrigin as a number": {"crossOrigin": 0},
    "a top origin": {"topOrigin": "https://evil.example"},
    "no challenge": {"challenge": ...},
    "a number as the challenge": {"challenge": 12},
    "null as the challenge": {"challenge": None},
    "an empty challenge": {"challenge": ""},
    "a challenge of the page's own": {"challenge": b64(b"c" * 40)},
    "a short challenge": {"challenge": b64(b"c")},
    "a long challenge": {"challenge": b64(b"c" * 5000)},
    "a challenge that is not ASCII": {"challenge": "é" * 54},
    "half a character as the challenge": {"challenge": "\ud800" * 54},
    "a token binding of an unknown kind": {"tokenBinding": {"id": "x"}},
}
DATA: dict[str, Faults] = {
    "another domain": {"rp_id": "evil.example"},
    "a subdomain as the domain": {"rp_id": "login.localhost"},
    "our domain in capitals": {"rp_id": "LOCALHOST"},
    "our origin as the domain": {"rp_id": "http://localhost"},
    "36 bytes of authenticator data": {"authenticator_data": bytes(36)},
    "zeros as authenticator data": {"authenticator_data": bytes(37)},
    "no extensions though there should be": {"flags": UP | UV | ED | AT},
    "extensions that are cut off": {"extensions": b"\xa1\x61"},
    "extensions of shared references": {"extensions": shared_references(40)},
    "extensions with a tag": {"extensions": b"\xa1\x61a" + b"\xc1\x01"},
    "extensions without an end": {"extensions": b"\xbf"},
    "extensions that are deep": {"extensions": b"\x81" * 4000 + b"\x01"},
    "bytes after the extensions": {"extensions": cbor({"a": 1}) + b"\0"},
    "a string longer than the data": {"extensions": b"\x5b" + b"\xff" * 8},
    "a list longer than the data": {"extensions": b"\x9b" + b"\xff" * 8},
}
FLAGS = {
    "no person present": NO_UP,
    "no person verified": NO_UV,
    "no flags": 0,
    "a backup of a key that cannot have one": UP | UV | BS,
    "backups, but no person verified": UP | BE | BS,
}
"""Flags besides AT, which a registration has."""


def _client_data(text: str) -> FromChallenge:
    """Return a function of raw client data, in which %c is the challenge and %t the type."""

    def made(challenge: str, kind: str) -> Faults:
        return {"client_data_json": text.replace("%c", challenge).replace("%t", kind).encode()}

    return made


def _encoded(encoding: str) -> FromChallenge:
    def made(challenge: str, kind: str) -> Faults:
        members = {"type": kind, "challenge": challenge, "origin": "http://localhost"}
        return {"client_data_json": json.dumps(members).encode(encoding)}

    return made


_HONEST = '"type":"%t","challenge":"%c","origin":"http://localhost"'
RAW: dict[str, FromChallenge] = {
    "client data that is not JSON": _client_data("challenge=%c"),
    "client data that is cut off": _client_data("{" + _HONEST),
    "client data with text after it": _client_data("{" + _HONEST + "}}"),
    "client data in a list": _client_data("[{" + _HONEST + "}]"),
    "a number as client data": _client_data("7"),
    "client data with the origin twice": _client_data(
        '{"origin":"https://evil.example",' + _HONEST + "}"
    ),
    "client data with the challenge twice": _client_data('{"challenge":"%c",' + _HONEST + "}"),
    "client data with a member twice, once escaped": _client_data(
        '{"or\\u0069gin":"https://evil.example",' + _HONEST + "}"
    ),
    "client data with NaN": _client_data("{" + _HONEST + ',"a":NaN}'),
    "client data that is deep": _client_data("{" + _HONEST + ',"a":' + "[" * 2000 + "}"),
    "client data after a byte order mark": _encoded("utf-8-sig"),
    "client data in UTF-16": _encoded("utf-16"),
    "client data with NUL": _client_data("{" + _HONEST + "\0}"),
    "client data that is not UTF-8": lambda challenge, kind: {
        "client_data_json": _client_data("{" + _HONEST)(challenge, kind)["client_data_json"]
        + b',"a":"\xff"}'
    },
    "a challenge with padding": lambda challenge, kind: {"challenge": challenge + "=="},
    "a challenge with a line end": lambda challenge, kind: {"challenge": challenge + "\n"},
    "a challenge that is cut off": lambda challenge, kind: {"challenge": challenge[:-4]},
    "a challenge with more after it": lambda challenge, kind: {"challenge": challenge + "AAAA"},
    "a challenge with another character": lambda challenge, kind: {
        "challenge": ("B" if challenge[0] == "A" else "A") + challenge[1:]
    },
}


def edits(*members: str) -> dict[str, Edit]:
    """Return edits of the base64url of these members, each of which makes it another text."""
    return {
        f"{name}, {what}": _edit(name, change)
        for name in members
        for what, change in _OTHER_TEXTS.items()
    }


_OTHER_TEXTS: dict[str, Callable[[str], str]] = {
    "with padding": lambda text: text + "=" * (-len(text) % 4 or 4),
    "with a line end": lambda text: text + "\n",
    "with a space within": lambda text: text[:4] + " " + text[4:],
    "with a character outside the alphabet": lambda text: text[:4] + "!" + text[4:],
    "with a NUL": lambda text: text + "\0",
    "with half a character": lambda text: text[:-1] + "\u0100",
    "cut off": lambda text: text[:-5],
    "empty": lambda text: "",
}


def members_of(credential: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the object within a credential that has a member of this name."""
    return credential if name in credential else credential["response"]


def _edit(name: str, change: Callable[[str], str]) -> Edit:
    def edit(credential: dict[str, Any]) -> None:
        members = members_of(credential, name)
        members[name] = change(members[name])

    return edit


WRONG_TYPES = {
    "a number": 7,
    "null": None,
    "a list": [],
    "an object": {},
    "false": False,
}


def misshapen(*members: str) -> dict[str, Edit]:
    """Return edits that leave a member out, or give it another type or half a character."""
    made: dict[str, Edit] = {}
    for name in members:
        made[f"no {name}"] = lambda credential, name=name: members_of(credential, name).pop(name)
        for what, value in WRONG_TYPES.items():
            made[f"{what} as {name}"] = _edit(name, lambda _, value=value: value)
        made[f"half a character in {name}"] = _edit(name, lambda _: "\ud800")
    return made
