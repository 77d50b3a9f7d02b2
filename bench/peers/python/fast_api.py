"""FastAPI as in its tutorial (PyJWT, pwdlib, SQLModel), with a table of refresh tokens."""

import json
import os
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import uuid4

import jwt
from fastapi import Cookie, Depends, FastAPI, HTTPException, Response
from fastapi.security import OAuth2PasswordBearer
from pwdlib import PasswordHash
from pydantic import BaseModel
from sqlmodel import Field, Session, SQLModel, create_engine, select

ANSWER = json.loads(os.environ["ANSWER"])
ALGORITHM = "HS256"
SECRET = os.environ["SECRET"]

engine = create_engine(
    f"sqlite:///{os.environ['DATABASE']}", connect_args={"check_same_thread": False}
)
passwords = PasswordHash.recommended()
app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="login")


class User(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(index=True, unique=True)
    password_hash: str


class RefreshToken(SQLModel, table=True):
    jti: str = Field(primary_key=True)
    user_id: int
    revoked: bool = False


class Credentials(BaseModel):
    email: str
    password: str


def database():
    with Session(engine) as session:
        yield session


Database = Annotated[Session, Depends(database)]


def token(kind: str, user_id: int, life: timedelta, jti: str) -> str:
    claims = {"sub": str(user_id), "kind": kind, "jti": jti, "exp": datetime.now(UTC) + life}
    return jwt.encode(claims, SECRET, algorithm=ALGORITHM)


def verified(text: str, kind: str) -> dict:
    try:
        claims = jwt.decode(text, SECRET, algorithms=[ALGORITHM])
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None
    if claims["kind"] != kind:
        raise HTTPException(401)
    return claims


async def current_user(text: Annotated[str, Depends(bearer)]) -> str:
    return verified(text, "access")["sub"]


@app.get("/things")
async def things(user: Annotated[str, Depends(current_user)]):
    return ANSWER


@app.post("/refresh")
def refresh(session: Database, refresh_token: Annotated[str, Cookie()]):
    claims = verified(refresh_token, "refresh")
    row = session.get(RefreshToken, claims["jti"])
    if row is None or row.revoked:
        raise HTTPException(401)
    return {"access_token": token("access", row.user_id, timedelta(minutes=10), str(uuid4()))}


@app.post("/login")
def login(body: Credentials, session: Database, response: Response):
    user = session.exec(select(User).where(User.email == body.email)).one_or_none()
    if user is None or not passwords.verify(body.password, user.password_hash):
        raise HTTPException(401)
    user_id, jti = user.id, str(uuid4())
    session.add(RefreshToken(jti=jti, user_id=user_id))
    session.commit()
    refresh_token = token("refresh", user_id, timedelta(days=7), jti)
    response.set_cookie("refresh_token", refresh_token, httponly=True, samesite="strict")
    return {"access_token": token("access", user_id, timedelta(minutes=10), str(uuid4()))}


@app.post("/logout", status_code=204)
def logout(session: Database, refresh_token: Annotated[str, Cookie()], response: Response):
    row = session.get(RefreshToken, verified(refresh_token, "refresh")["jti"])
    if row is None or row.revoked:
        raise HTTPException(401)
    row.revoked = True
    session.add(row)
    session.commit()
    response.delete_cookie("refresh_token")


if __name__ == "__main__":
    SQLModel.metadata.create_all(engine)
    with Session(engine) as filling:
        filling.add(User(email=os.environ["EMAIL"], password_hash=os.environ["PASSWORD_HASH"]))
        for _ in range(int(os.environ["SESSIONS"])):
            jti = str(uuid4())
            filling.add(RefreshToken(jti=jti, user_id=1))
            print(f"refresh_token={token('refresh', 1, timedelta(days=7), jti)}")
        filling.commit()
