"""The protected-resources blueprint: the account of the access token's owner."""

from flask import Blueprint

from authsvc.resources import activity, me, password, sessions
from authsvc.web.json_body import refuse_long_body

resources = Blueprint("resources", __name__, url_prefix="/api")
resources.before_request(refuse_long_body)
resources.get("/me")(me.show)
resources.delete("/me")(me.delete)
resources.get("/me/activity")(activity.show_activity)
resources.put("/me/password")(password.change)
resources.get("/me/sessions")(sessions.show_all)
resources.delete("/me/sessions")(sessions.revoke_all)
resources.delete("/me/sessions/<uuid:sid>")(sessions.revoke_one)
