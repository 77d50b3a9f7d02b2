"""GET /healthz and /readyz: whether the process and the database work."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select

from authsvc.database import reading
from authsvc.guard.access_token import public
from authsvc.problems import ServiceUnavailable
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
    """Check that the process answers."""
    return Health("ok")


@public
@answers(200, may=[ServiceUnavailable], operation_id="health_readyz")
def readyz() -> Health:
    """Check that the database answers too."""
    with reading() as connection:
        connection.execute(select(1))
    return Health("ok")
