"""Find the account that an operator names."""

from uuid import UUID

from authsvc.problems import NotFound
from authsvc.users import accounts
from authsvc.users.accounts import Account


def account_of(email_or_id: str) -> Account:
    """Return the account with this e-mail address or id.

    An id also finds an account whose address logs in to another one: see migration 0003.

    Raises:
        NotFound: there is no such account.
    """
    try:
        account = accounts.find(UUID(email_or_id))
    except ValueError:
        account = accounts.find_by_email(email_or_id)
    if account is None:
        raise NotFound(
            "There is no account with this e-mail address. `authsvc users list` shows all accounts."
        )
    return account
