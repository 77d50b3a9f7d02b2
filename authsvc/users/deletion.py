"""Delete an account in one transaction, which rows of an operator's own tables may refuse."""

import logging
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from authsvc.database import reading, transaction
from authsvc.database.refused_deletes import is_refused, refused_by
from authsvc.problems import AccountInUse

T = TypeVar("T")

_log = logging.getLogger(__name__)


def delete_account(user_id: UUID, work: Callable[[Connection], T]) -> T:
    """Run `work`, which deletes the account, in a transaction, and return what it returns.

    If a constraint of another table refuses the deletion, nothing is changed, and the log names
    the constraint.

    Raises:
        AccountInUse: a constraint or a trigger refused the deletion.
    """
    try:
        return transaction(work)
    except DBAPIError as error:
        if not is_refused(error):
            raise
        with reading() as connection:
            what = refused_by(error, connection, user_id)
        _log.warning(
            "An account was not deleted: %s refuses it. Give a foreign key ON DELETE CASCADE or "
            "SET NULL, or delete those rows first.",
            what,
        )
        raise AccountInUse from None
