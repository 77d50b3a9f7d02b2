"""Each row of the corpus is refused, and the original token still works after it."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import event, update
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from authsvc.database import our_engine, writing
from authsvc.sessions.model import RefreshToken
from tests.attacks.attack import Attack, Sent, Transport
from tests.attacks.groups import CORPUS, GROUPS
from tests.attacks.tokens import Good, hash_of
from tests.conftest import MakeApp, empty_tables
from tests.support.people import Person

ROWS = [
    pytest.param(attack, kind, id=f"{kind}, {group}: {attack.name}")
    for group, attacks in GROUPS.items()
    for attack in attacks
    for kind in attack.on
]


@pytest.fixture(scope="module")
def alice(make_app: MakeApp) -> Iterator[Person]:
    """Alice, logged in once for all rows, without a limit on her refreshes."""
    app = make_app(rate_limit_factor=1000)
    _do_not_wait_for_the_disk(app)
    yield Person(app, "alice@example.com", "a horse that is correct").register().logged_in()
    empty_tables(app)


def test_the_corpus_is_large_and_its_names_differ() -> None:
    assert len(CORPUS) >= 150
    rows = [row.id for row in ROWS]
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize(("attack", "kind"), ROWS)
def test_a_mutated_token_is_refused(alice: Person, attack: Attack | Transport, kind: str) -> None:
    good = good_token(alice, kind)
    if isinstance(attack, Attack) and attack.planted and kind == "refresh":
        plant(alice.app, attack.forge(good))
    for sent in attack.requests(good):
        answer = send(alice.app, sent)
        assert (answer.status_code, answer.json["code"]) == (attack.status, attack.code(kind))
        assert_documented_refusal(answer, kind)
    if kind == "refresh":
        plant(alice.app, good.text)
        assert alice.refresh().status_code == 200
    assert alice.call("GET", "/api/me").status_code == 200


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_no_refusal_reveals_which_check_failed(alice: Person, kind: str) -> None:
    good = good_token(alice, kind)
    visible = {
        visible_parts(send(alice.app, sent))
        for attack in CORPUS[::8]
        if kind in attack.on and attack.code(kind) == f"{kind}_token_invalid"
        for sent in attack.requests(good)
    }
    assert len(visible) == 1


def _do_not_wait_for_the_disk(app: Flask) -> None:
    """Empty the tables after nearly a thousand commits of this module."""
    with app.app_context():
        engine = our_engine()
    if engine.dialect.name == "sqlite":
        engine.dispose()
        event.listen(engine, "connect", lambda one, _: one.execute("PRAGMA synchronous = OFF"))


def good_token(person: Person, kind: str) -> Good:
    texts = person.access_token, person.refresh_token
    return Good(kind, *(texts if kind == "access" else reversed(texts)))


def send(app: Flask, sent: Sent) -> TestResponse:
    client = app.test_client(use_cookies=False)
    return client.open(
        sent.path, method=sent.method, headers=Headers(sent.headers), data=sent.body or None
    )


def plant(app: Flask, token: str) -> None:
    """Store the hash of this token in the session's row."""
    with app.app_context(), writing() as connection:
        connection.execute(update(RefreshToken).values(token_hash=hash_of(token)))


def assert_documented_refusal(answer: TestResponse, kind: str) -> None:
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    challenge = answer.headers.get("WWW-Authenticate", "")
    assert "Set-Cookie" not in answer.headers
    if kind == "refresh":
        assert not challenge
    else:
        assert challenge.startswith('Bearer realm="authsvc"') == (answer.status_code == 401)
        assert ("error=" in challenge) == (
            answer.status_code == 401 and answer.json["code"] != "access_token_missing"
        )


def visible_parts(answer: TestResponse) -> tuple[object, ...]:
    headers = {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}
    return answer.status_code, answer.data, *headers.items()
