"""What the checks share: the HTTP client, the page's origin, and the sessions that they opened."""

import re
from dataclasses import dataclass, field

from authsvc.doctor.cookies import SetCookie, refresh_cookies
from authsvc.doctor.http_client import HttpClient, NoResponse
from authsvc.doctor.proofs import Key
from authsvc.doctor.response import Response

STRANGER = "stranger.example"
"""A host that no deployment trusts (RFC 2606 section 3)."""

LOGIN, REFRESH = "/auth/login", "/auth/refresh"

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
        key: the key of the proof in the login; None if it had none.
    """

    response: Response = field(repr=False)
    cookie: SetCookie = field(repr=False)
    access_token: str = field(repr=False)
    key: Key | None = field(repr=False)

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

    def log_in(
        self, account: Account, headers: dict[str, str], key: Key | None = None
    ) -> tuple[Response, Session | None]:
        """Log in, and keep the session so that `end_sessions` can log it out.

        Args:
            account: the test account.
            headers: more request headers.
            key: signs a proof, which binds the session to it; by default there is a proof only
                where the service requires one.

        Returns:
            The response, and the session, or None if the response has no usable tokens.

        Raises:
            NoResponse: the service did not answer.
        """
        credentials = {"email": account.email, "password": account.password}
        response, key = self.send_credentials(credentials, headers, key)
        access_token = str(response.json.get("access_token", ""))
        compact = access_token if _COMPACT.fullmatch(access_token) else ""
        sessions = [
            Session(response, cookie, compact, key)
            for cookie in refresh_cookies(response)
            if _COMPACT.fullmatch(cookie.value)
        ]
        self._sessions += sessions
        return response, sessions[0] if len(sessions) == 1 and compact else None

    def send_credentials(
        self,
        credentials: dict[str, str],
        headers: dict[str, str] | None = None,
        key: Key | None = None,
    ) -> tuple[Response, Key | None]:
        """Send a login, and return its response and the key of its proof, if it had one."""
        if key is None:
            response = self.client.request("POST", LOGIN, headers, json_body=credentials)
            if (response.status, response.code) != (400, "invalid_request"):
                return response, None
            key = Key()  # AUTHSVC_REQUIRE_BOUND_SESSIONS
        return self._prove(LOGIN, headers or {}, key, credentials), key

    def refresh(self, session: Session, headers: dict[str, str] | None = None) -> Response:
        """Refresh a session, with a proof if it is bound.

        Args:
            session: the session.
            headers: the request headers instead of its cookie.
        """
        sent = session.cookies if headers is None else headers
        if session.key is None:
            return self.client.request("POST", REFRESH, sent)
        return self._prove(REFRESH, sent, session.key)

    def _prove(
        self, path: str, headers: dict[str, str], key: Key, body: dict[str, str] | None = None
    ) -> Response:
        """Send a request with a proof; if this machine's clock is wrong, again with a nonce."""

        def send(nonce: str | None = None) -> Response:
            proof = {"DPoP": key.proof("POST", self.uri(path), nonce=nonce)}
            return self.client.request("POST", path, {**headers, **proof}, json_body=body)

        response = send()
        nonce = response.header("DPoP-Nonce")
        return send(nonce) if nonce and response.code == "use_dpop_nonce" else response

    def uri(self, path: str) -> str:
        """Return the URI of a route, as clients write it."""
        return f"{self.client.target.origin}{self.client.target.prefix}{path}"

    def end_sessions(self) -> tuple[int, list[str]]:
        """Log out of every session that was opened.

        Returns:
            The number of sessions, and a fault for each that may still be open.
        """
        faults = []
        for session in self._sessions:
            try:
                responses = [
                    self.client.request("POST", "/auth/logout", session.cookies),
                    self.refresh(session),
                ]
            except NoResponse as error:
                faults.append(str(error))
            else:
                if [response.status for response in responses] != [204, 401]:
                    faults.append(", ".join(f"{one.request_line}: {one}" for one in responses))
        return len(self._sessions), faults
