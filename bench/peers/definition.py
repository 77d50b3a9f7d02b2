"""What is measured: the service or one of its peers, and the requests that each accepts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

ALICE = {"EMAIL": "alice@example.com", "PASSWORD": "a horse that is correct"}
WORKERS = 2
SESSIONS = 1_000


def install_nothing() -> None:
    """Do nothing: the packages of the service itself are installed."""


@dataclass(frozen=True)
class Auth:
    """The routes that log in and refresh, and what they take.

    Args:
        password_hash: the kind of hash that the peer verifies passwords against.
        login, refresh: paths.
        name: the member of the login's body that holds the e-mail address.
        refresh_in: where the client sends the refresh token.
        binds: whether a proof at login binds the session to a key (DPoP, RFC 9449).
    """

    password_hash: str
    login: str = "/login"
    refresh: str = "/refresh"
    name: str = "email"
    refresh_in: Literal["cookie", "bearer", "body"] = "cookie"
    binds: bool = False


@dataclass(frozen=True)
class Peer:
    """One row of the tables.

    Args:
        name: the name in the tables.
        server: the kind of server, for the tables.
        command: the command that starts it; `{port}` stands for the port.
        modules: the folder that holds its code.
        protected: the path of its protected route.
        logout: the path that ends a session, if logout is measured.
        auth: its other routes, if it has any.
        fill: the command that makes its database: tables, Alice, the stored sessions.
        settings: added to its environment.
        install: installs its packages.
    """

    name: str
    server: str
    command: tuple[str, ...]
    modules: Path
    protected: str = "/things"
    logout: str | None = None
    auth: Auth | None = None
    fill: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    install: Callable[[], None] = install_nothing
