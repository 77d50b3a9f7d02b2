"""The auth blueprint: register, log in, refresh, log out, and check an access token."""

from flask import Blueprint, Response

from authsvc.auth import introspect, login, logout, refresh, register, verify
from authsvc.guard.refresh_cookie import RefreshCookie
from authsvc.problems import RefreshTokenRefused
from authsvc.web import registry
from authsvc.web.problem_json import render

auth = Blueprint("auth", __name__, url_prefix="/auth")
auth.post("/register")(register.register)
auth.post("/login")(login.login)
auth.post("/refresh")(refresh.refresh)
auth.post("/logout")(logout.logout)
auth.get("/verify")(verify.verify)
auth.post("/introspect")(introspect.introspect)


@auth.errorhandler(RefreshTokenRefused)
def refuse_refresh_token(problem: RefreshTokenRefused) -> Response:
    """Render the problem and clear the cookie, which is of no use any more."""
    return registry.get(RefreshCookie).clear(render(problem))
