"""The service and its peers: how each is started, in the order of the tables."""

import subprocess
import sys

from bench import ROOT
from bench.peers.definition import WORKERS, Auth, Peer
from bench.peers.install import NODE, NODE_BINARY, PYTHON, VENV_PYTHON, install_node, install_python

LISTEN = "127.0.0.1:{port}"
ARGON2 = "argon2id"
SCRYPT = "scrypt"


def _gunicorn_settings(*names: str) -> dict[str, str]:
    """Return settings of authsvc/gunicorn.py. Another process imports it: it changes stderr."""
    script = f"import authsvc.gunicorn as it; print(*(getattr(it, name) for name in {names}))"
    command = [sys.executable, "-c", script]
    values = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return dict(zip(names, values.stdout.split(), strict=True))


# The service's own gunicorn settings, as options, for peers that cannot import its file.
SETTINGS = _gunicorn_settings("threads", "keepalive", "worker_class", "worker_tmp_dir")
GUNICORN = (
    "-m", "gunicorn", "--bind", LISTEN,
    "--workers", str(WORKERS),
    "--worker-class", "gthread",
    "--threads", SETTINGS["threads"],
    "--keep-alive", SETTINGS["keepalive"],
    "--worker-tmp-dir", SETTINGS["worker_tmp_dir"],
    "--preload", "--no-control-socket",
)  # fmt: skip
GTHREAD = f"gunicorn, gthread, {SETTINGS['threads']} threads"
CLUSTER = "node:cluster"

BARE = Peer(
    name="bare Flask: no auth at all",
    server=GTHREAD,
    command=(
        sys.executable, *GUNICORN,
        "--worker-class", SETTINGS["worker_class"],
        "bench.peers.bare:app",
    ),
    fill=(sys.executable, "-m", "bench.peers.bare"),
    modules=ROOT,
    protected="/api/things",
    logout="/api/end",
)  # fmt: skip

AUTHSVC = Peer(
    name="authsvc",
    server=GTHREAD,
    command=(
        sys.executable, "-m", "gunicorn", "--config", "python:authsvc.gunicorn",
        "--bind", LISTEN, "--workers", str(WORKERS), "bench.peers.guarded:guarded()",
    ),
    fill=(sys.executable, "-m", "bench.peers.guarded"),
    modules=ROOT,
    protected="/api/things",
    auth=Auth(ARGON2, login="/auth/login", refresh="/auth/refresh", binds=True),
    logout="/auth/logout",
)  # fmt: skip

JWT_EXTENDED = Peer(
    name="Flask-JWT-Extended, database blocklist on refresh",
    server=GTHREAD,
    command=(str(VENV_PYTHON), *GUNICORN, "jwt_extended:app"),
    fill=(str(VENV_PYTHON), str(PYTHON / "jwt_extended.py")),
    modules=PYTHON,
    auth=Auth(SCRYPT, refresh_in="bearer"),
    install=install_python,
)

SIMPLE_JWT = Peer(
    name="Django REST framework, Simple JWT, blacklist",
    server=GTHREAD,
    command=(str(VENV_PYTHON), *GUNICORN, "simplejwt:app"),
    fill=(str(VENV_PYTHON), str(PYTHON / "simplejwt.py")),
    modules=PYTHON,
    auth=Auth(ARGON2, name="username", refresh_in="body"),
    install=install_python,
)

FAST_API = Peer(
    name="FastAPI, PyJWT, SQLModel",
    server="uvicorn",
    command=(
        str(VENV_PYTHON), "-m", "uvicorn", "fast_api:app",
        "--host", "127.0.0.1", "--port", "{port}", "--workers", str(WORKERS),
    ),
    fill=(str(VENV_PYTHON), str(PYTHON / "fast_api.py")),
    modules=PYTHON,
    auth=Auth(ARGON2),
    install=install_python,
)  # fmt: skip


def _node(name: str, file: str, **settings: str) -> Peer:
    return Peer(
        name=name,
        server=CLUSTER,
        command=(str(NODE_BINARY), str(NODE / file)),
        fill=(str(NODE_BINARY), str(NODE / "store.mjs")),
        modules=NODE,
        auth=Auth(ARGON2),
        settings=settings,
        install=install_node,
    )


EXPRESS = _node("Express, jsonwebtoken, secret as text (as in tutorials)", "express.mjs")
EXPRESS_KEYS = _node("Express, jsonwebtoken, key objects", "express.mjs", KEY="object")
FASTIFY = _node("Fastify, fast-jwt with its cache", "fastify.mjs")

PEERS = (BARE, AUTHSVC, JWT_EXTENDED, SIMPLE_JWT, EXPRESS, EXPRESS_KEYS, FAST_API, FASTIFY)
