"""POST /auth/register: a new account, and no tokens: the client logs in next."""

from typing import Any

from authsvc.components import component
from authsvc.guard.access_token import public
from authsvc.guard.throttle import Throttle
from authsvc.problems import RegistrationClosed
from authsvc.requests import Body, Text, remote_address, takes
from authsvc.settings import Settings
from authsvc.users import accounts
from authsvc.users.passwords import Passwords


class NewAccount(Body):
    email: Text
    password: Text


@public
@takes(NewAccount)
def register(body: NewAccount) -> tuple[dict[str, Any], int]:
    if component(Settings).registration == "closed":
        raise RegistrationClosed
    with component(Passwords).admitted(), component(Throttle).registration(remote_address()):
        account = accounts.register(body.email, body.password)
    return account.json(), 201
