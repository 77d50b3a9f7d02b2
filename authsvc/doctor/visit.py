"""What the checks share: whom they ask, for which page, and the session that they opened."""

import re
from dataclasses import dataclass, field

from authsvc.doctor.cookies import SetCookie, refresh_cookies
from authsvc.doctor.wire import Answer, NoAnswer, Wire

STRANGER = "stranger.example"
"""A host that no deployment trusts (RFC 2606 section 3)."""

_COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)


@dataclass(frozen=True)
class Account:
    """The test account's credentials."""

    email: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Session:
    """What a login gave.

    Args:
        answer: the answer itself.
        cookie: the refresh cookie.
        access_token: the access token; empty where there was none that is a JWT.
    """

    answer: Answer = field(repr=False)
    cookie: SetCookie = field(repr=False)
    access_token: str = field(repr=False)

    @property
    def cookies(self) -> dict[str, str]:
        """The headers that send the refresh cookie back."""
        return self.cookie.sent_back()

    @property
    def bearer(self) -> dict[str, str]:
        """The headers that send the access token."""
        return {"Authorization": f"Bearer {self.access_token}"}


class Visit:
    """One examination.

    Args:
        wire: leads to the service.
        origin: the page's origin, if it was named.
    """

    def __init__(self, wire: Wire, origin: str | None) -> None:
        self.wire = wire
        self.origin = origin
        self._opened: list[Session] = []

    def log_in(self, account: Account, headers: dict[str, str]) -> tuple[Answer, Session | None]:
        """Log in, and remember to log out; no session where no usable tokens came back.

        Raises:
            NoAnswer: none came.
        """
        credentials = {"email": account.email, "password": account.password}
        answer = self.wire.ask("POST", "/auth/login", headers, json_body=credentials)
        access_token = str(answer.json.get("access_token", ""))
        compact = access_token if _COMPACT.fullmatch(access_token) else ""
        sessions = [
            Session(answer, cookie, compact)
            for cookie in refresh_cookies(answer)
            if _COMPACT.fullmatch(cookie.value)
        ]
        self._opened += sessions
        return answer, sessions[0] if len(sessions) == 1 and compact else None

    def end_sessions(self) -> tuple[int, list[str]]:
        """Log out of whatever was opened: how many there were, and which may still be open."""
        faults = []
        for session in self._opened:
            try:
                answers = [
                    self.wire.ask("POST", path, session.cookies)
                    for path in ("/auth/logout", "/auth/refresh")
                ]
            except NoAnswer as error:
                faults.append(str(error))
            else:
                if [answer.status for answer in answers] != [204, 401]:
                    faults.append(", ".join(f"{answer.asked}: {answer}" for answer in answers))
        return len(self._opened), faults
