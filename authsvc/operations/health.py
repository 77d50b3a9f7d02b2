"""GET /healthz and /readyz: the process answers; the database answers too."""

from sqlalchemy import select

from authsvc.database import reading
from authsvc.guard.access_token import public


@public
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@public
def readyz() -> dict[str, str]:
    with reading() as connection:
        connection.execute(select(1))
    return {"status": "ok"}
