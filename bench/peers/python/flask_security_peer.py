"""Flask-Security as in its quick start with Flask-SQLAlchemy, called with JSON by a page.

A login keeps the session in a signed cookie, and each protected request reads the user's row. Its
refresh tokens rotate, so each refresh is that of another session. Its logout deletes cookies and
ends nothing in the database.
"""

import json
import os
from datetime import timedelta

from argon2 import extract_parameters
from flask import Flask, jsonify
from flask_security import Security, SQLAlchemyUserDatastore, auth_required, hash_password, tokens
from flask_security.models import fsqla_v4 as fsqla
from flask_sqlalchemy import SQLAlchemy

ANSWER = json.loads(os.environ["ANSWER"])
COST = extract_parameters(os.environ["PASSWORD_HASH"])

app = Flask(__name__)
app.config.update(
    SECRET_KEY=os.environ["SECRET"],
    SECURITY_PASSWORD_SALT=os.environ["SECRET"],
    SECURITY_PASSWORD_HASH="argon2",
    SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS={
        "argon2__time_cost": COST.time_cost,
        "argon2__memory_cost": COST.memory_cost,
        "argon2__parallelism": COST.parallelism,
    },
    SECURITY_REFRESH_TOKEN=True,
    SECURITY_REFRESH_TOKEN_MAX_AGE=timedelta(days=7),
    SESSION_COOKIE_SAMESITE="Strict",
    SQLALCHEMY_DATABASE_URI=f"sqlite:///{os.environ['DATABASE']}",
    WTF_CSRF_ENABLED=False,  # SameSite=Strict keeps other sites out
)
db = SQLAlchemy(app)
fsqla.FsModels.set_db_info(db)


class Role(db.Model, fsqla.FsRoleMixin):
    pass


class User(db.Model, fsqla.FsUserMixin):
    pass


class FsRefreshTracker(db.Model, fsqla.FsRefreshTrackerMixin):
    pass


datastore = SQLAlchemyUserDatastore(db, User, Role, refresh_tracker_model=FsRefreshTracker)
Security(app, datastore)


@app.get("/things")
@auth_required("session")
def things():
    return jsonify(ANSWER)


def fill(sessions: int) -> None:
    """Make Alice, and sessions of which she has few: a login reads all that its user has."""
    db.create_all()
    hashed = hash_password(os.environ["PASSWORD"])
    datastore.create_user(email=os.environ["EMAIL"], password=hashed)
    cookie = app.config["SECURITY_REFRESH_TOKEN_COOKIE_NAME"]
    for number in range(sessions):
        if number % 10 == 0:
            user = datastore.create_user(email=f"{number}@example.com", password=hashed)
        _, token = tokens.new_refresh_tracker(user, name="default")
        print(f"{cookie}={token}")
    db.session.commit()


if __name__ == "__main__":
    with app.test_request_context():
        fill(int(os.environ["SESSIONS"]))
