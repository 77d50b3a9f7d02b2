"""The account of the request's access token."""

from authsvc.guard.access_token import current_access_token
from authsvc.problems import AccessTokenRevoked
from authsvc.users import accounts


def current_account() -> accounts.Account:
    """Return the account of the access token.

    Raises:
        AccessTokenRevoked: the account was deleted, perhaps by SQL, after the token was issued.
    """
    account = accounts.find(current_access_token().sub)
    if account is None:
        raise AccessTokenRevoked
    return account
