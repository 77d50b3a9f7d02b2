"""The auth blueprint: register, log in, refresh, log out, recover, and check an access token."""

from flask import Blueprint
from flask.sansio.blueprints import BlueprintSetupState

from authsvc.auth import (
    email_resend,
    introspect,
    login,
    logout,
    password_forgot,
    password_reset,
    refresh,
    register,
    verify,
)
from authsvc.settings import Settings
from authsvc.web import registry


def _add_routes_that_need_mail(state: BlueprintSetupState) -> None:
    if not registry.of(state.app, Settings).sends_mail:
        return
    for path, view in (
        ("/password/forgot", password_forgot.password_forgot),
        ("/password/reset", password_reset.password_reset),
        ("/email/resend", email_resend.email_resend),
    ):
        state.add_url_rule(path, view.__name__, view, methods=["POST"])


auth = Blueprint("auth", __name__, url_prefix="/auth")
auth.post("/register")(register.register)
auth.post("/login")(login.login)
auth.post("/refresh")(refresh.refresh)
auth.post("/logout")(logout.logout)
auth.record(verify.add_verify)
auth.post("/introspect")(introspect.introspect)
auth.record(_add_routes_that_need_mail)
