"""What the checks share: the HTTP client, the page's origin, and the sessions that they opened."""

import re
from dataclasses import dataclass, field

from authsvc.doctor.cookies import SetCookie, refresh_cookies
from authsvc.doctor.http_client import HttpClient, NoResponse
from authsvc.doctor.response import Response

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
    """A session that the doctor opened.

    Args:
        response: the login's response.
        cookie: the refresh cookie.
        access_token: the access token; empty if it is not a JWT.
    """

    response: Response = field(repr=False)
    cookie: SetCookie = field(repr=False)
    access_token: str = field(repr=False)

    @property
    def cookies(self) -> dict[str, str]:
        """The request headers that send the refresh cookie."""
        return self.cookie.request_header()

    @property
    def bearer(self) -> dict[str, str]:
        """The request headers that send the access token."""
        return {"Authorization": f"Bearer {self.access_token}"}


class Deployment:
    """The deployment under examination.

    Args:
        client: sends requests to the service.
        origin: the page's origin, if one was given.
    """

    def __init__(self, client: HttpClient, origin: str | None) -> None:
        self.client = client
        self.origin = origin
        self._sessions: list[Session] = []

    def log_in(self, account: Account, headers: dict[str, str]) -> tuple[Response, Session | None]:
        """Log in, and keep the session so that `end_sessions` can log it out.

        Returns:
            The response, and the session, or None if the response has no usable tokens.

        Raises:
            NoResponse: the service did not answer.
        """
        credentials = {"email": account.email, "password": account.password}
        response = self.client.request("POST", "/auth/login", headers, json_body=credentials)
        access_token = str(response.json.get("access_token", ""))
        compact = access_token if _COMPACT.fullmatch(access_token) else ""
        sessions = [
            Session(response, cookie, compact)
            for cookie in refresh_cookies(response)
            if _COMPACT.fullmatch(cookie.value)
        ]
        self._sessions += sessions
        return response, sessions[0] if len(sessions) == 1 and compact else None

    def end_sessions(self) -> tuple[int, list[str]]:
        """Log out of every session that was opened.

        Returns:
            The number of sessions, and a fault for each that may still be open.
        """
        faults = []
        for session in self._sessions:
            try:
                responses = [
                    self.client.request("POST", path, session.cookies)
                    for path in ("/auth/logout", "/auth/refresh")
                ]
            except NoResponse as error:
                faults.append(str(error))
            else:
                if [response.status for response in responses] != [204, 401]:
                    faults.append(", ".join(f"{one.request_line}: {one}" for one in responses))
        return len(self._sessions), faults
