"""GET /api/me/factors: list the second factors and passkeys of the account."""

from dataclasses import dataclass
from uuid import UUID

from authsvc.database import reading
from authsvc.factors.passkey_list import RegisteredPasskey, list_passkeys
from authsvc.factors.recovery_codes import codes_left
from authsvc.factors.totp import totp_since
from authsvc.resources.account import current_account
from authsvc.web.outputs import Instant, answers


@dataclass(frozen=True)
class TotpState:
    """Whether the account has an authenticator app.

    Args:
        enabled: whether it has one that was confirmed.
        since: when it was confirmed; null without one.
    """

    enabled: bool
    since: Instant | None


@dataclass(frozen=True)
class RecoveryCodesState:
    """The recovery codes of the account.

    Args:
        left: how many were not used.
    """

    left: int


@dataclass(frozen=True)
class AccountFactors:
    """The second factors and passkeys of the account.

    Args:
        totp: the authenticator app.
        recovery_codes: what stands in for a lost factor.
        passkeys: the passkeys, oldest first.
    """

    totp: TotpState
    recovery_codes: RecoveryCodesState
    passkeys: list[RegisteredPasskey]


@answers(200, operation_id="factors_show_all")
def show_all() -> AccountFactors:
    """List the account's second factors and passkeys.

    With an authenticator app or a passkey, the password alone is not enough to log in.
    """
    return _factors_of(current_account().id)


def _factors_of(user_id: UUID) -> AccountFactors:
    with reading() as connection:
        since = totp_since(connection, user_id)
        return AccountFactors(
            TotpState(since is not None, since),
            RecoveryCodesState(codes_left(connection, user_id)),
            list_passkeys(connection, user_id),
        )
