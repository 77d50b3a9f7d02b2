"""The session that `login` tries: each request and its response are shown."""

import sys

import click

from authsvc.cli.shell import printable
from authsvc.doctor.cookies import refresh_cookies
from authsvc.doctor.forgery import claims_of
from authsvc.doctor.http_client import HttpClient
from authsvc.doctor.proofs import Key
from authsvc.doctor.response import Response

SHOWN = 8
"""Characters of a token that are shown."""
MAX_DETAIL = 300
"""Characters of a problem's sentence that are shown."""

Headers = dict[str, str]
Body = dict[str, str]


class Trial:
    """One session, from its login to its logout.

    Args:
        client: sends the requests.
        key: what the session is bound to; None for a session that is not bound.
    """

    def __init__(self, client: HttpClient, key: Key | None) -> None:
        self._client = client
        self._key = key
        self._base = f"{client.target.origin}{client.target.prefix}"

    def run(self, credentials: Body, factor: Body) -> None:
        """Log in, refresh and log out.

        Args:
            credentials: the e-mail address and the password.
            factor: the second factor; without one, it is asked for if the account has one.

        Raises:
            ClickException: a response is not the expected one.
            NoResponse: the service did not answer.
        """
        response = self._log_in(credentials, factor)
        if response.code == "second_factor_required" and not factor:
            response = self._log_in(credentials, _second_factor(response))
        _expect(response, 200)
        cookies = refresh_cookies(response)
        if not cookies:
            raise click.ClickException("The response sets no refresh cookie.")
        cookie = cookies[0].request_header()
        click.echo(f"  a refresh token in the cookie {cookies[0].name}")
        try:
            self._refresh(cookie)
        finally:
            _expect(self._send("/auth/logout", "the cookie", cookie), 204)

    def _log_in(self, credentials: Body, factor: Body) -> Response:
        given = "".join(f" and a {name.replace('_', ' ')}" for name in factor)
        what = f"the password of {credentials['email']}{given}"
        return self._prove("/auth/login", what, {}, credentials | factor)

    def _refresh(self, cookie: Headers) -> None:
        _expect(self._prove("/auth/refresh", "the cookie", cookie), 200)
        if self._key is None:
            click.echo("  The cookie was enough: the session is not bound to a key.")
            return
        refused = self._send("/auth/refresh", "the cookie alone", cookie)
        _expect(refused, 401, "dpop_proof_missing")
        click.echo("  The cookie is not enough: the session is bound to the key.")

    def _prove(self, path: str, what: str, headers: Headers, body: Body | None = None) -> Response:
        """Send a request, with a proof if there is a key; once more if a nonce is demanded."""
        if self._key is None:
            return self._send(path, what, headers, body)
        uri = f"{self._base}{path}"
        proof = {"DPoP": self._key.proof("POST", uri)}
        response = self._send(path, f"{what} and a proof for {uri}", headers | proof, body)
        nonce = response.header("DPoP-Nonce")
        if nonce is None or response.code != "use_dpop_nonce":
            return response
        click.echo("  The clocks of this machine and of the service differ.")
        proof = {"DPoP": self._key.proof("POST", uri, nonce=nonce)}
        return self._send(path, f"{what} and a proof with that nonce", headers | proof, body)

    def _send(self, path: str, what: str, headers: Headers, body: Body | None = None) -> Response:
        click.echo(f"POST {path} with {printable(what)}")
        sent = {"User-Agent": "authsvc-login", **headers}
        response = self._client.request("POST", path, sent, json_body=body)
        click.echo(f"  {printable(str(response))}")
        token = response.json.get("access_token")
        if isinstance(token, str):
            seconds = printable(str(response.json.get("expires_in")))
            click.echo(f"  an access token for {seconds} s: {printable(token[:SHOWN])}…")
            click.echo(f"  {_authentication(token)}")
        elif response.code is not None:
            click.echo(f"  {printable(str(response.json.get('detail'))[:MAX_DETAIL])}")
        return response


def _second_factor(response: Response) -> Body:
    """Return what the person types: six digits are a code, and the rest is a recovery code.

    Raises:
        ClickException: the account has no factor that can be typed.
    """
    methods = response.json.get("methods")
    if not isinstance(methods, list) or not {"totp", "recovery_code"} & set(map(str, methods)):
        raise click.ClickException(
            "The account has a second factor that cannot be typed: log in with a browser."
        )
    if sys.stdin.isatty():
        question = "Code of the authenticator app, or a recovery code"
        typed = str(click.prompt(question, hide_input=True))
    else:
        typed = sys.stdin.readline()
    plain = "".join(typed.split())
    return {"code" if plain.isdecimal() else "recovery_code": plain}


def _authentication(token: str) -> str:
    """Return how the person authenticated, as the access token says."""
    claims = claims_of(token) if "." in token else {}
    amr, acr = claims.get("amr"), claims.get("acr")
    if not isinstance(amr, list):
        return "It does not say how the person authenticated."
    return printable(f"authenticated by {' '.join(map(str, amr))}: {acr}"[:MAX_DETAIL])


def _expect(response: Response, status: int, code: str | None = None) -> None:
    if (response.status, response.code) != (status, code):
        wanted = f"{status} {code or ''}".strip()
        raise click.ClickException(f"{response.request_line}: {response}, not {wanted}.")
