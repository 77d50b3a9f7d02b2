"""THE auth blueprint: the routes that take no access token."""

from flask import Blueprint, Response

from authsvc.auth import login, logout, refresh, register
from authsvc.guard.refresh_cookie import clear_refresh_cookie
from authsvc.problem_json import render
from authsvc.problems import RefreshTokenRefused

auth = Blueprint("auth", __name__, url_prefix="/auth")
auth.post("/register")(register.register)
auth.post("/login")(login.login)
auth.post("/refresh")(refresh.refresh)
auth.post("/logout")(logout.logout)


@auth.errorhandler(RefreshTokenRefused)
def refuse_refresh_token(problem: RefreshTokenRefused) -> Response:
    """A refused refresh token is of no use to anybody: the browser is told to drop it."""
    return clear_refresh_cookie(render(problem))
