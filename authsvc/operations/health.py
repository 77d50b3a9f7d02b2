"""GET /healthz and /readyz: the process answers; the database can be written."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import delete, false

from authsvc.database import transaction
from authsvc.guard.access_token import public
from authsvc.problems import ServiceUnavailable
from authsvc.sessions.model import RefreshToken
from authsvc.web.outputs import answers


@dataclass(frozen=True)
class Health:
    """The service is healthy.

    Args:
        status: always the same; an unhealthy service answers with a problem.
    """

    status: Literal["ok"]


@public
@answers(200)
def healthz() -> Health:
    """Check that the process answers.

    The database is not queried: a service that waits for it need not be restarted.
    """
    return Health("ok")


@public
@answers(200, may=[ServiceUnavailable], operation_id="health_readyz")
def readyz() -> Health:
    """Check that the database can be written.

    If it cannot, a load balancer should send no requests here until it can again.
    """
    # A statement that writes no row: a standby and a read-only file refuse it all the same.
    transaction(lambda connection: connection.execute(delete(RefreshToken).where(false())))
    return Health("ok")
