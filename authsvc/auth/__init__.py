"""The auth blueprint: register, log in, refresh, log out, recover, and check an access token."""

from flask import Blueprint
from flask.sansio.blueprints import BlueprintSetupState

from authsvc.auth import (
    device,
    email_change,
    email_resend,
    email_verify,
    introspect,
    login,
    logout,
    passkey,
    passkey_options,
    password_forgot,
    password_reset,
    reauthenticate,
    refresh,
    register,
    register_unverified,
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
        ("/email/verify", email_verify.email_verify),
        ("/email/change", email_change.email_change),
        ("/email/resend", email_resend.email_resend),
    ):
        state.add_url_rule(path, view.__name__, view, methods=["POST"])


def _add_routes_of_devices(state: BlueprintSetupState) -> None:
    if not registry.of(state.app, Settings).device_binding:
        return
    for path, view in (
        ("/device", device.register_device),
        ("/device/refresh", device.renew_device),
    ):
        state.add_url_rule(path, view.__name__, view, methods=["POST"])


def _add_register(state: BlueprintSetupState) -> None:
    must_be_verified = registry.of(state.app, Settings).verification == "required"
    view = register_unverified.register_unverified if must_be_verified else register.register
    state.add_url_rule("/register", "register", view, methods=["POST"])


auth = Blueprint("auth", __name__, url_prefix="/auth")
auth.record(_add_register)
auth.post("/login")(login.login)
auth.post("/passkey/options")(passkey_options.passkey_options)
auth.post("/passkey")(passkey.log_in)
auth.post("/reauthenticate")(reauthenticate.reauthenticate)
auth.post("/refresh")(refresh.refresh)
auth.post("/logout")(logout.logout)
auth.record(verify.add_verify)
auth.post("/introspect")(introspect.introspect)
auth.record(_add_routes_of_devices)
auth.record(_add_routes_that_need_mail)
