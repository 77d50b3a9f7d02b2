"""What one request made is gone after it: no token, and no object that could hold one."""

import gc
import hashlib
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, Request, Response

from authsvc.sessions.open import Opened
from tests.support.mailbox import Mailbox
from tests.support.people import Person
from tests.support.recovery import mailed_token, reset

LOGINS = 500
"""With --soak; an ordinary run has a fifth of them, since what one request leaves is found too."""
NAMES = ("carol", "dave", "erin")
HELD: list[object] = []
CONTAINERS = (dict, list, tuple, set, frozenset)


def digest(text: str | bytes) -> bytes:
    return hashlib.sha256(
        text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    ).digest()


def everything_reachable() -> Iterator[Any]:
    """Yield every reachable object. The collector does not list strings: their containers do."""
    gc.collect()
    queue: list[Any] = gc.get_objects()
    seen = {id(found) for found in queue}
    while queue:
        found = queue.pop()
        yield found
        for inside in gc.get_referents(found):
            if id(inside) not in seen and isinstance(inside, (str, bytes, *CONTAINERS)):
                seen.add(id(inside))
                queue.append(inside)


def surviving_tokens(digests: set[bytes]) -> int:
    return sum(
        type(found) in (str, bytes) and len(found) > 40 and digest(found) in digests
        for found in everything_reachable()
    )


def number_of(kinds: Iterable[type]) -> dict[str, int]:
    gc.collect()
    objects = gc.get_objects()
    return {kind.__name__: sum(isinstance(one, kind) for one in objects) for kind in kinds}


def a_session_from_login_to_logout(app: Flask, email: str, password: str) -> set[bytes]:
    person = Person(app, email, password).logged_in()
    tokens = {digest(person.access_token), digest(person.refresh_token)}
    assert person.refresh().status_code == 200
    assert person.call("GET", "/api/me").status_code == 200
    tokens.add(digest(person.access_token))
    assert person.log_out().status_code == 204
    return tokens


def a_password_that_is_reset(mailbox: Mailbox, email: str) -> bytes:
    person = Person(mailbox.app, email, "a horse that is correct").register()
    mailbox.deliver()
    token = mailed_token(person, mailbox)
    assert reset(person, token).status_code == 204
    mailbox.deliver()
    return digest(token)


@pytest.mark.only("sqlite")
def test_no_token_and_nothing_of_a_request_is_reachable_after_it(
    mailbox: Mailbox, pytestconfig: pytest.Config
) -> None:
    app = mailbox.app
    alice = Person(app, "alice@example.com", "a horse that is correct").register()
    logins = LOGINS if pytestconfig.getoption("--soak") else LOGINS // 5
    kinds = (Opened, Request, Response)
    a_session_from_login_to_logout(app, alice.email, alice.password)
    a_password_that_is_reset(mailbox, "bob@example.com")
    before = number_of(kinds)
    digests: set[bytes] = set()
    for _ in range(logins):
        digests |= a_session_from_login_to_logout(app, alice.email, alice.password)
    digests |= {a_password_that_is_reset(mailbox, f"{name}@example.com") for name in NAMES}
    assert len(digests) == 3 * logins + len(NAMES)
    assert number_of(kinds) == before
    assert surviving_tokens(digests) == 0


def test_a_surviving_token_would_be_found() -> None:
    tokens = [f"{letter} token " * 20 for letter in "abc"]
    a, b, c = tokens
    HELD.extend((SimpleNamespace(held={"by": (a,)}), {"by name": {b: 1}}, [[c]]))
    assert surviving_tokens({digest(token) for token in tokens}) == 3
    HELD.clear()
