"""A request that puts a mail into the outbox wakes the sender, after its commit."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, func, select
from werkzeug.test import TestResponse

from authsvc.mail.model import WaitingMail
from authsvc.mail.outbox import Outbox
from authsvc.web import registry
from tests.conftest import MakeApp
from tests.support.mailbox import Mailbox
from tests.support.people import Person
from tests.test_budget import BUDGET, WITH_MAIL

ROUTES: dict[str, Callable[[Person], Callable[[Person], TestResponse]]] = {
    "PUT /api/me/password": lambda alice: BUDGET["PUT /api/me/password"][0],
    "POST /auth/register": lambda alice: BUDGET["POST /auth/register"][0],
    **{name: row[0] for name, row in WITH_MAIL.items() if name != "POST /auth/email/verify"},
}


@pytest.mark.once
@pytest.mark.parametrize("route", ROUTES)
def test_the_sender_is_woken_when_the_mail_is_committed(
    make_app: MakeApp,
    mail_settings: dict[str, str],
    mailbox: Mailbox,
    connection: Connection,
    route: str,
) -> None:
    app = make_app(**mail_settings)
    alice = Person(app, "alice@example.com", "a horse that is correct").register().logged_in()
    ask = ROUTES[route](alice)
    mailbox.deliver()
    seen: list[int] = []
    count = select(func.count()).select_from(WaitingMail)
    registry.of(app, Outbox).wake = lambda: seen.append(connection.execute(count).scalar_one())
    assert ask(alice).status_code < 300
    assert seen == [1]
