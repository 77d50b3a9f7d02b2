"""Flask-Security as in its quick start with Flask-SQLAlchemy, called with JSON by a page.

It keeps the session in a signed cookie, and reads the user's row at each protected request. Its
defaults double-hash passwords and keep no table of sessions, so it has nothing like a refresh, and
its logout only deletes the cookie.
"""

import json
import os

from argon2 import extract_parameters
from flask import Flask, jsonify
from flask_security import Security, SQLAlchemyUserDatastore, auth_required, hash_password
from flask_security.models import fsqla_v3
from flask_sqlalchemy import SQLAlchemy

ANSWER = json.loads(os.environ["ANSWER"])
COST = extract_parameters(os.environ["PASSWORD_HASH"])

app = Flask(__name__)
app.config.update(
    SECRET_KEY=os.environ["SECRET"],
    SECURITY_PASSWORD_SALT=os.environ["SECRET"],
    SECURITY_PASSWORD_HASH="argon2",
    SECURITY_PASSLIB_OPTIONS={
        "argon2__type": "ID",
        "argon2__time_cost": COST.time_cost,
        "argon2__memory_cost": COST.memory_cost,
        "argon2__parallelism": COST.parallelism,
    },
    SESSION_COOKIE_SAMESITE="strict",
    SQLALCHEMY_DATABASE_URI=f"sqlite:///{os.environ['DATABASE']}",
    WTF_CSRF_ENABLED=False,  # SameSite=Strict keeps other sites out
)
db = SQLAlchemy(app)
fsqla_v3.FsModels.set_db_info(db)


class Role(db.Model, fsqla_v3.FsRoleMixin):
    pass


class User(db.Model, fsqla_v3.FsUserMixin):
    pass


datastore = SQLAlchemyUserDatastore(db, User, Role)
Security(app, datastore)


@app.get("/things")
@auth_required("session")
def things():
    return jsonify(ANSWER)


if __name__ == "__main__":
    with app.app_context():
        db.create_all()
        hashed = hash_password(os.environ["PASSWORD"])
        datastore.create_user(email=os.environ["EMAIL"], password=hashed)
        db.session.commit()
