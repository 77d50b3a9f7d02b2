"""POST /api/me/recovery-codes: replace the recovery codes of the account."""

from dataclasses import dataclass, field

from authsvc.factors.lookup import second_factors
from authsvc.factors.recovery_codes import replace_codes
from authsvc.guard.access_token import current_access_token
from authsvc.problems import NotFound, RateLimited, ReauthenticationRequired
from authsvc.ratelimit.throttle import Throttle
from authsvc.resources.factor_change import Change, change_factors
from authsvc.web import registry
from authsvc.web.inputs import Body, takes
from authsvc.web.outputs import answers


class Nothing(Body):
    """An empty object."""


@dataclass(frozen=True)
class NewRecoveryCodes:
    """The new recovery codes of the account. Older ones do not work any more.

    Args:
        recovery_codes: each lets its owner log in once; no other response has them.
    """

    recovery_codes: list[str] = field(
        repr=False, metadata={"examples": [["ABCDE-FGHIJ-KLMNO-PQRST-UVWXY"]]}
    )


@takes(Nothing)
@answers(
    200,
    may=[ReauthenticationRequired, NotFound, RateLimited],
    operation_id="recovery_codes_replace",
)
def replace(body: Nothing) -> NewRecoveryCodes:
    """Get ten new recovery codes in place of all older ones.

    They stand in for a second factor that is lost, so an account without one has none. The owner
    gets a mail about it.
    """
    with registry.get(Throttle).factor_change(current_access_token().sub):
        return NewRecoveryCodes(change_factors(_replace))


def _replace(change: Change) -> list[str]:
    if not second_factors(change.connection, change.user_id).exist:
        raise NotFound("The account has no second factor that recovery codes could stand in for.")
    codes = replace_codes(change.connection, change.user_id)
    change.happened("recovery_codes_replaced")
    return codes
