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
        login, refresh: paths.
        name: the member of the login's body that holds the e-mail address.
        access_in: where the client sends the access token, or what the peer has in its place.
        refresh_in: where the client sends the refresh token; a logout sends it there too.
        refresh_method: of the request that refreshes.
        rotates: whether a refresh token can be used once. Each refresh then uses another session.
        binds: whether a proof at login binds the session to a key (DPoP, RFC 9449).
        origin: whether the peer requires the header `Origin`.
        json: whether the peer requires a JSON body where it reads nothing of it.
        max_logouts: more than can be served in a second, so that enough sessions are stored.
    """

    login: str = "/login"
    refresh: str = "/refresh"
    name: str = "email"
    access_in: Literal["bearer", "cookie"] = "bearer"
    refresh_in: Literal["cookie", "bearer", "body"] = "cookie"
    refresh_method: str = "POST"
    rotates: bool = False
    binds: bool = False
    origin: bool = False
    json: bool = False
    max_logouts: int = 5_000


@dataclass(frozen=True)
class Peer:
    """One row of the tables.

    Args:
        name: the name in the tables.
        server: the kind of server, for the tables.
        language: of its code: Python peers are those to compare a Flask app with.
        command: the command that starts it; `{port}` stands for the port.
        modules: the folder that holds its code.
        protected: the path of its protected route.
        logout: the path that ends a session, if logout is measured.
        crowds: whether a burst and a flood of logins are measured.
        auth: its other routes, if it has any.
        fill: the command that makes its database: tables, Alice, the stored sessions. It prints
            what a client sends to refresh or end each session, one a line.
        database: which one it uses.
        files: text by name, written into its working directory.
        settings: added to its environment.
        install: installs its packages.
    """

    name: str
    server: str
    language: Literal["Python", "JavaScript"]
    command: tuple[str, ...]
    modules: Path
    protected: str = "/things"
    logout: str | None = None
    crowds: bool = False
    auth: Auth | None = None
    fill: tuple[str, ...] = ()
    database: Literal["sqlite", "postgres"] = "sqlite"
    files: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    install: Callable[[], None] = install_nothing
