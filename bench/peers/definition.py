"""What is measured: the service or one of its peers, and how each is spoken to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

ALICE = {"EMAIL": "alice@example.com", "PASSWORD": "a horse that is correct"}
WORKERS = 2
SESSIONS = 1_000


def needs_nothing() -> None:
    """What the service itself needs is installed."""


@dataclass(frozen=True)
class Auth:
    """The routes that log in and refresh, and what they take.

    Args:
        login, refresh: paths.
        name: the member of the login's body that holds the e-mail address.
        refresh_in: where the refresh token is sent.
        password_hash: what the passwords are hashed with.
    """

    password_hash: str
    login: str = "/login"
    refresh: str = "/refresh"
    name: str = "email"
    refresh_in: Literal["cookie", "bearer", "body"] = "cookie"


@dataclass(frozen=True)
class Peer:
    """One row of the tables.

    Args:
        name: its name there.
        under: the server, in words.
        command: starts it; `{port}` stands for the port.
        fill: makes its database: tables, Alice, the stored sessions.
        modules: the folder that holds its code.
        protected: the path of its protected route.
        logout: the path that ends a session, where that is measured.
        auth: its other routes, where it has any.
        settings: added to its environment.
        install: installs what it needs.
    """

    name: str
    under: str
    command: tuple[str, ...]
    modules: Path
    protected: str = "/things"
    logout: str | None = None
    auth: Auth | None = None
    fill: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    install: Callable[[], None] = needs_nothing
