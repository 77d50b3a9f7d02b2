"""The protected-resources blueprint: the account of the access token's owner."""

from flask import Blueprint
from flask.sansio.blueprints import BlueprintSetupState

from authsvc.resources import (
    activity,
    email,
    factors,
    me,
    passkeys,
    password,
    recovery_codes,
    sessions,
    totp,
)
from authsvc.settings import Settings
from authsvc.web import registry
from authsvc.web.json_body import refuse_long_body


def _add_routes_that_need_mail(state: BlueprintSetupState) -> None:
    if registry.of(state.app, Settings).sends_mail:
        state.add_url_rule("/me/email", "request_change", email.request_change, methods=["POST"])


def _add_routes_that_need_a_factor_secret(state: BlueprintSetupState) -> None:
    if registry.of(state.app, Settings).factor_secret is None:
        return
    for method, name, view in (
        ("POST", "totp_begin", totp.begin),
        ("PUT", "totp_confirm", totp.confirm),
        ("DELETE", "totp_remove", totp.remove),
    ):
        state.add_url_rule("/me/totp", name, view, methods=[method])


resources = Blueprint("resources", __name__, url_prefix="/api")
resources.before_request(refuse_long_body)
resources.get("/me")(me.show)
resources.delete("/me")(me.delete)
resources.get("/me/activity")(activity.show_activity)
resources.record(_add_routes_that_need_mail)
resources.get("/me/factors", endpoint="show_factors")(factors.show_all)
resources.record(_add_routes_that_need_a_factor_secret)
resources.post("/me/recovery-codes", endpoint="replace_recovery_codes")(recovery_codes.replace)
resources.post("/me/passkeys/options")(passkeys.show_options)
resources.post("/me/passkeys")(passkeys.add)
resources.delete("/me/passkeys/<uuid:passkey_id>")(passkeys.remove)
resources.put("/me/password")(password.change)
resources.get("/me/sessions")(sessions.show_all)
resources.delete("/me/sessions")(sessions.revoke_all)
resources.delete("/me/sessions/<uuid:sid>")(sessions.revoke_one)
