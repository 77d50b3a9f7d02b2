"""A program's calls, by the functions that openapi-python-client generates."""

import sys
from http import HTTPStatus

from authsvc_client import AuthenticatedClient, Client
from authsvc_client.api.auth import (
    login,
    logout,
    passkey_options,
    reauthenticate,
    refresh,
    register,
)
from authsvc_client.api.operations import metrics
from authsvc_client.api.resources import me_show, password_change
from authsvc_client.models import (
    AccessToken,
    AccessTokenMissingProblem,
    Account,
    Credentials,
    FaultCode,
    InvalidCredentialsProblem,
    NewAccount,
    NewPassword,
    NoChoice,
    Reauthentication,
    RefreshTokenMissingProblem,
    Registered,
    RequestOptions,
    ValidationFailedProblem,
    WrongPasswordProblem,
)

EMAIL, PASSWORD = "python@example.com", "a horse that is correct"


def main(url: str) -> None:
    client = Client(url, raise_on_unexpected_status=True)
    weak = register.sync(client=client, body=NewAccount(EMAIL, "short"))
    assert isinstance(weak, ValidationFailedProblem)
    assert weak.errors[0].code is FaultCode.TOO_SHORT
    assert isinstance(register.sync(client=client, body=NewAccount(EMAIL, PASSWORD)), Registered)

    wrong = login.sync_detailed(client=client, body=Credentials(EMAIL, "wrong"))
    assert wrong.status_code is HTTPStatus.UNAUTHORIZED
    assert isinstance(wrong.parsed, InvalidCredentialsProblem)
    stranger = AuthenticatedClient(url, token="", prefix="")
    assert isinstance(me_show.sync(client=stranger), AccessTokenMissingProblem)
    assert isinstance(refresh.sync(client=stranger), RefreshTokenMissingProblem)

    again = reauthenticate.sync(client=stranger, body=Reauthentication(code="000000"))
    assert isinstance(again, RefreshTokenMissingProblem)
    options = passkey_options.sync(client=client, body=NoChoice())
    assert isinstance(options, RequestOptions)
    assert options.user_verification == "required"

    opened = login.sync_detailed(client=client, body=Credentials(EMAIL, PASSWORD))
    assert isinstance(opened.parsed, AccessToken)
    name, value = opened.headers["Set-Cookie"].partition(";")[0].split("=")
    person = AuthenticatedClient(url, token=opened.parsed.access_token, cookies={name: value})
    me = me_show.sync(client=person)
    assert isinstance(me, Account)
    assert me.email == EMAIL
    assert isinstance(refresh.sync(client=person), AccessToken)
    refused = password_change.sync(client=person, body=NewPassword("wrong", "a lamp that is lit"))
    assert isinstance(refused, WrongPasswordProblem)
    text = metrics.sync(client=client)
    assert isinstance(text, str)
    assert "authsvc_" in text
    assert logout.sync_detailed(client=person).status_code is HTTPStatus.NO_CONTENT


if __name__ == "__main__":
    main(sys.argv[1])
