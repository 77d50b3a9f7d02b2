"""Flask-JWT-Extended as in its documentation: a refresh route, and a blocklist in a database.

Only refreshes query the blocklist. The protected route does not, which favours this peer. It has no
hash of passwords of its own.
"""

import json
import os
from datetime import UTC, datetime
from uuid import uuid4

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from flask import Flask, jsonify, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    get_jwt,
    get_jwt_identity,
    jwt_required,
)
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import Mapped, mapped_column

ANSWER = json.loads(os.environ["ANSWER"])

app = Flask(__name__)
app.config["JWT_SECRET_KEY"] = os.environ["SECRET"]
app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{os.environ['DATABASE']}"
jwt = JWTManager(app)
db = SQLAlchemy(app)
passwords = PasswordHasher()


class User(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]


class TokenBlocklist(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    jti: Mapped[str] = mapped_column(index=True)
    created_at: Mapped[datetime]


@jwt.token_in_blocklist_loader
def is_revoked(header: dict, payload: dict) -> bool:
    found = db.session.query(TokenBlocklist.id).filter_by(jti=payload["jti"]).scalar()
    return found is not None


@app.get("/things")
@jwt_required(skip_revocation_check=True)
def things():
    return jsonify(ANSWER)


@app.post("/refresh")
@jwt_required(refresh=True)
def refresh():
    return jsonify(access_token=create_access_token(identity=get_jwt_identity()))


@app.post("/login")
def login():
    user = User.query.filter_by(email=request.json["email"]).one_or_none()
    try:
        passwords.verify(user.password_hash if user else "", request.json["password"])
    except (VerifyMismatchError, InvalidHashError):
        return jsonify("Wrong username or password"), 401
    identity = str(user.id)
    return jsonify(
        access_token=create_access_token(identity=identity),
        refresh_token=create_refresh_token(identity=identity),
    )


@app.post("/logout")
@jwt_required(refresh=True)
def logout():
    db.session.add(TokenBlocklist(jti=get_jwt()["jti"], created_at=datetime.now(UTC)))
    db.session.commit()
    return jsonify(msg="JWT revoked")


if __name__ == "__main__":
    with app.app_context():
        db.create_all()
        user = User(email=os.environ["EMAIL"], password_hash=os.environ["PASSWORD_HASH"])
        db.session.add(user)
        now = datetime.now(UTC)
        for _ in range(1000):  # that have logged out before
            db.session.add(TokenBlocklist(jti=str(uuid4()), created_at=now))
        db.session.commit()
        for _ in range(int(os.environ["SESSIONS"])):
            print(f"Bearer {create_refresh_token(identity=str(user.id))}")
