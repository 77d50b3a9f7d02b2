"""GET /healthz and /readyz: the process answers; the database answers too."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select

from authsvc.database import reading
from authsvc.guard.access_token import public
from authsvc.problems import ServiceUnavailable
from authsvc.web.outputs import answers


@dataclass(frozen=True)
class Health:
    """That all is well.

    Args:
        status: always the same; when all is not well, the answer is a problem.
    """

    status: Literal["ok"]


@public
@answers(200)
def healthz() -> Health:
    """Tell whether the process answers."""
    return Health("ok")


@public
@answers(200, may=[ServiceUnavailable], operation_id="health_readyz")
def readyz() -> Health:
    """Tell whether the database answers too."""
    with reading() as connection:
        connection.execute(select(1))
    return Health("ok")
