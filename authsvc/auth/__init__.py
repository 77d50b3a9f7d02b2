"""The auth blueprint: register, log in, refresh, log out, and check an access token."""

from flask import Blueprint

from authsvc.auth import introspect, login, logout, refresh, register, verify

auth = Blueprint("auth", __name__, url_prefix="/auth")
auth.post("/register")(register.register)
auth.post("/login")(login.login)
auth.post("/refresh")(refresh.refresh)
auth.post("/logout")(logout.logout)
auth.record(verify.add_verify)
auth.post("/introspect")(introspect.introspect)
