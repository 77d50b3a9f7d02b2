"""The service and its peers: how each is started, in the order of the tables."""

import sys
from dataclasses import replace

from authsvc.server import process, worker_choice
from bench import ROOT
from bench.peers.definition import WORKERS, Auth, Peer
from bench.peers.install import NODE, NODE_BINARY, PYTHON, VENV_PYTHON, install_node, install_python

LISTEN = "127.0.0.1:{port}"
PEER_THREADS = 4
"""Of each worker: gunicorn recommends two to four. The service has more: logins wait in some."""
NODE_MAX_LOGOUTS = 20_000


# The service's own gunicorn settings, as options, for servers that cannot import its file.
SETTINGS = {
    "threads": str(process.THREADS),
    "keepalive": str(process.KEEP_ALIVE_SECONDS),
    "worker_class": worker_choice.worker_class(),
    "worker_tmp_dir": str(process.shared_memory()),
}
GUNICORN = (
    "-m", "gunicorn", "--bind", LISTEN,
    "--workers", str(WORKERS),
    "--worker-class", "gthread",
    "--threads", str(PEER_THREADS),
    "--keep-alive", SETTINGS["keepalive"],
    "--worker-tmp-dir", SETTINGS["worker_tmp_dir"],
    "--preload", "--no-control-socket",
)  # fmt: skip
GTHREAD = "gunicorn, gthread, {} threads"
CLUSTER = "node:cluster"

BARE = Peer(
    name="bare Flask: no auth at all",
    server=GTHREAD.format(SETTINGS["threads"]),
    language="Python",
    command=(
        sys.executable, *GUNICORN,
        "--worker-class", SETTINGS["worker_class"], "--threads", SETTINGS["threads"],
        "bench.peers.bare:app",
    ),
    fill=(sys.executable, "-m", "bench.peers.bare"),
    modules=ROOT,
    protected="/api/things",
    logout="/api/end",
)  # fmt: skip

AUTHSVC = Peer(
    name="authsvc, gunicorn",
    server=GTHREAD.format(SETTINGS["threads"]),
    language="Python",
    command=(
        sys.executable, "-m", "gunicorn", "--config", "python:authsvc.gunicorn",
        "--bind", LISTEN, "--workers", str(WORKERS), "bench.peers.guarded:guarded()",
    ),
    fill=(sys.executable, "-m", "bench.peers.guarded"),
    modules=ROOT,
    protected="/api/things",
    auth=Auth(login="/auth/login", refresh="/auth/refresh", binds=True, max_logouts=6_000),
    logout="/auth/logout",
    crowds=True,
)  # fmt: skip

GRANIAN = replace(
    AUTHSVC,
    name="authsvc, granian",
    server=f"granian, ASGI, {SETTINGS['threads']} threads",
    command=(
        sys.executable, "-m", "authsvc", "serve", "--server", "granian",
        "--bind", LISTEN, "--workers", str(WORKERS),
    ),
    files={"wsgi.py": "from bench.peers.guarded import guarded\n\napp = guarded()\n"},
)  # fmt: skip

ON_POSTGRES = replace(
    AUTHSVC, name="authsvc, gunicorn, on Postgres", database="postgres", crowds=False
)

JWT_EXTENDED = Peer(
    name="Flask-JWT-Extended",
    server=GTHREAD.format(PEER_THREADS),
    language="Python",
    command=(str(VENV_PYTHON), *GUNICORN, "jwt_extended:app"),
    fill=(str(VENV_PYTHON), str(PYTHON / "jwt_extended.py")),
    modules=PYTHON,
    auth=Auth(refresh_in="bearer"),
    logout="/logout",
    install=install_python,
)

FLASK_SECURITY = Peer(
    name="Flask-Security",
    server=GTHREAD.format(PEER_THREADS),
    language="Python",
    command=(str(VENV_PYTHON), *GUNICORN, "flask_security_peer:app"),
    fill=(str(VENV_PYTHON), str(PYTHON / "flask_security_peer.py")),
    modules=PYTHON,
    auth=Auth(refresh="/refresh-token", access_in="cookie", rotates=True, json=True),
    install=install_python,
)

SIMPLE_JWT = Peer(
    name="Django REST framework, Simple JWT",
    server=GTHREAD.format(PEER_THREADS),
    language="Python",
    command=(str(VENV_PYTHON), *GUNICORN, "simplejwt:app"),
    fill=(str(VENV_PYTHON), str(PYTHON / "simplejwt.py")),
    modules=PYTHON,
    auth=Auth(name="username", refresh_in="body"),
    logout="/logout",
    install=install_python,
)

FAST_API = Peer(
    name="FastAPI, PyJWT, SQLModel",
    server="uvicorn",
    language="Python",
    command=(
        str(VENV_PYTHON), "-m", "uvicorn", "fast_api:app",
        "--host", "127.0.0.1", "--port", "{port}", "--workers", str(WORKERS),
    ),
    fill=(str(VENV_PYTHON), str(PYTHON / "fast_api.py")),
    modules=PYTHON,
    auth=Auth(),
    logout="/logout",
    install=install_python,
)  # fmt: skip


def _node(name: str, file: str, **settings: str) -> Peer:
    return Peer(
        name=name,
        server=CLUSTER,
        language="JavaScript",
        command=(str(NODE_BINARY), str(NODE / file)),
        fill=(str(NODE_BINARY), str(NODE / "store.mjs")),
        modules=NODE,
        auth=Auth(max_logouts=NODE_MAX_LOGOUTS),
        logout="/logout",
        settings=settings,
        install=install_node,
    )


EXPRESS = _node("Express, jsonwebtoken, as in tutorials", "express.mjs")
EXPRESS_KEYS = _node("Express, jsonwebtoken, key objects", "express.mjs", KEY="object")
FASTIFY = _node("Fastify, fast-jwt with its cache", "fastify.mjs")
BETTER_AUTH = replace(
    _node("better-auth", "better_auth.mjs"),
    fill=(str(NODE_BINARY), str(NODE / "better_auth.mjs"), "fill"),
    auth=Auth(
        login="/api/auth/sign-in/email",
        refresh="/api/auth/get-session",
        refresh_method="GET",
        access_in="cookie",
        origin=True,
    ),
    logout="/api/auth/sign-out",
)

OURS = (AUTHSVC, GRANIAN, ON_POSTGRES)
"""The service, in each way that is measured."""
OTHERS = (
    JWT_EXTENDED, FLASK_SECURITY, SIMPLE_JWT, FAST_API, EXPRESS, EXPRESS_KEYS, FASTIFY, BETTER_AUTH,
)  # fmt: skip
"""What people use in its place."""
PEERS = (*OURS, BARE, *OTHERS)
