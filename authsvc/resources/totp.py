"""/api/me/totp: set up an authenticator app, confirm it by its first code, and remove it."""

from typing import Annotated

from pydantic import Field

from authsvc.factors import totp
from authsvc.factors.lookup import second_factors
from authsvc.factors.recovery_codes import remove_codes, replace_codes
from authsvc.factors.relying_party import RelyingParty
from authsvc.factors.second_factor import Factors
from authsvc.factors.totp_setup import TotpSetup, setup_of
from authsvc.guard.access_token import current_access_token
from authsvc.problems import (
    EmailUnverified,
    FactorExists,
    NotFound,
    RateLimited,
    ReauthenticationRequired,
    WrongCode,
)
from authsvc.ratelimit.throttle import Throttle
from authsvc.resources.account import current_account
from authsvc.resources.factor_change import Change, change_factors
from authsvc.resources.recovery_codes import NewRecoveryCodes, Nothing
from authsvc.tokens.amr import ONE_TIME_CODE
from authsvc.web import registry
from authsvc.web.inputs import Body, Text, takes
from authsvc.web.outputs import answers


class FirstCode(Body):
    """The first code of an authenticator app.

    Args:
        code: the six digits that the app shows now.
    """

    code: Annotated[Text, Field(examples=["123456"])]


@takes(Nothing)
@answers(
    200, may=[ReauthenticationRequired, EmailUnverified, FactorExists], operation_id="totp_begin"
)
def begin(body: Nothing) -> TotpSetup:
    """Get a new secret for an authenticator app.

    It is not in force before `PUT /api/me/totp` confirms it by a code. Asking again replaces a
    secret that was not confirmed.
    """
    email, box = current_account().email, registry.get(Factors).box

    def store(change: Change) -> str:
        secret = totp.begin(change.connection, box, change.user_id, change.now)
        if secret is None:
            raise FactorExists
        return secret

    secret = change_factors(store, adds=True)
    return setup_of(secret, registry.get(RelyingParty).of_request().domain, email)


@takes(FirstCode)
@answers(
    200,
    may=[
        ReauthenticationRequired,
        EmailUnverified,
        WrongCode,
        NotFound,
        FactorExists,
        RateLimited,
    ],
    operation_id="totp_confirm",
)
def confirm(body: FirstCode) -> NewRecoveryCodes:
    """Confirm the new secret by a code of it: from now on, a login needs a second factor.

    The response has ten recovery codes, which no other response shows; older ones are void. The
    session of the request counts as authenticated with two factors, and so do the access tokens
    that it gets from now on. The owner gets a mail about it.
    """
    box = registry.get(Factors).box

    def put_into_force(change: Change) -> list[str]:
        if not totp.confirm(change.connection, box, change.user_id, body.code, change.now):
            raise _why_not(change)
        change.factor_added("totp", ONE_TIME_CODE)
        return replace_codes(change.connection, change.user_id)

    throttle, user_id = registry.get(Throttle), current_access_token().sub
    with throttle.factor_change(user_id), throttle.confirmation(user_id, forgets=False):
        return NewRecoveryCodes(change_factors(put_into_force, adds=True))


def _why_not(change: Change) -> FactorExists | WrongCode | NotFound:
    """Return why no secret was confirmed."""
    if totp.has_totp(change.connection, change.user_id):
        return FactorExists()
    if totp.waits(change.connection, change.user_id):
        return WrongCode()
    return NotFound("There is no new secret to confirm: ask for one by POST /api/me/totp.")


@answers(204, may=[ReauthenticationRequired, NotFound, RateLimited], operation_id="totp_remove")
def remove() -> None:
    """Remove the authenticator app from the account.

    The recovery codes go with it, unless a passkey is left that they stand in for. The owner gets
    a mail about it. A secret that was not confirmed is removed without one.
    """
    with registry.get(Throttle).factor_change(current_access_token().sub):
        change_factors(_remove)


def _remove(change: Change) -> None:
    was_in_force = totp.has_totp(change.connection, change.user_id)
    if not totp.remove_totp(change.connection, change.user_id):
        raise NotFound("The account has no authenticator app.")
    if not was_in_force:
        return
    if not second_factors(change.connection, change.user_id).exist:
        remove_codes(change.connection, change.user_id)
    change.happened("factor_removed", "totp")
