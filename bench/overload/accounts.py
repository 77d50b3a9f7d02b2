"""The people whose requests are measured while others overload the service."""

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from uuid import uuid4

from sqlalchemy import NullPool, create_engine, insert

from authsvc.users.model import User
from bench.load.load_generator import LoadPlan
from bench.peers.definition import ALICE
from bench.peers.prepare import ARGON2ID
from bench.peers.server import Server

PEOPLE = 24
PASSWORD = ALICE["PASSWORD"]
TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Person:
    """One of them, who has an account and an address of the network.

    Args:
        number: from 1.
    """

    number: int

    @property
    def email(self) -> str:
        return f"person-{self.number}@example.com"

    def connected(self, server: Server) -> "closing[HTTPConnection]":
        """Return a connection from the person's own address."""
        address = (f"127.2.0.{self.number}", 0)
        return closing(
            HTTPConnection("127.0.0.1", server.port, TIMEOUT_SECONDS, source_address=address)
        )


EVERYONE = [Person(number) for number in range(1, PEOPLE + 1)]


def insert_people(database: Path) -> None:
    """Give everyone an account, in the database of SQLite."""
    values = {"password_hash": ARGON2ID, "created_at": datetime.now(UTC)}
    rows = [
        {"id": uuid4(), "email": one.email, "email_key": one.email, **values} for one in EVERYONE
    ]
    with create_engine(f"sqlite:///{database}", poolclass=NullPool).begin() as connection:
        connection.execute(insert(User), rows)


def flood(port: int, addresses: int, seconds: float) -> LoadPlan:
    """Return a flood of logins with the names of unknown accounts, from so many addresses.

    Each address sends its next login as soon as the last one was answered.
    """
    body = '{"email": "stranger-{number}@example.com", "password": "a guess among many"}'
    lines = [
        "POST /auth/login HTTP/1.1",
        "Host: localhost",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    request = "\r\n".join([*lines, "", body])
    return LoadPlan(port, request, seconds, clients=addresses, addresses=addresses)
