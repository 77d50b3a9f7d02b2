"""The wheel: what it contains, what each extra brings, and that it runs without a checkout."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from datetime import timedelta
from email import message_from_bytes
from importlib.metadata import distributions, version
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from authsvc import clock
from authsvc.tokens.access import AccessTokens, access_keyring
from authsvc.tokens.keyring import hmac_key
from tests.support.running_service import ROOT, environment
from tests.support.signing_secrets import ACCESS_SECRET

MOST_MEGABYTES = 30
"""Size of what an app installs for the guard only; 26 when this was written."""

ISSUER = "https://auth.example.com"
NOTES = f"""
from flask import Flask
from authsvc.guard import AccessTokenGuard, current_access_token, public, requires_role

app = Flask(__name__)
AccessTokenGuard(app, issuer="{ISSUER}", secret="{ACCESS_SECRET.hex()}")


@app.get("/notes")
def notes():
    return {{"of": str(current_access_token().sub)}}


@app.get("/open")
@public
def open_to_all():
    return {{}}


@app.get("/admin")
@requires_role("admin")
def admin():
    return {{}}
"""


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(cwd), **variables}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that the checkout stays clean."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(
        ROOT / "authsvc", source / "authsvc", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("pyproject.toml", "setup.cfg", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-cache-dir"]
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    run(*pip, "wheel", *offline, "--wheel-dir", folder, source, cwd=folder)
    [built] = folder.glob("authsvc-*.whl")
    return built


@pytest.fixture
def installed(wheel: Path, tmp_path: Path) -> Path:
    """A folder in which the wheel is installed, as in site-packages."""
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run(*pip, "install", "--no-deps", "--no-index", "--target", site, wheel, cwd=tmp_path)
    return site


def test_the_wheel_contains_what_the_code_reads(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "authsvc/py.typed",
        "authsvc/mail/templates/layout.html",
        "authsvc/mail/templates/en/reset.txt",
        "authsvc/migrations/env.py",
        "authsvc/migrations/script.py.mako",
        "authsvc/migrations/versions/0001_accounts_and_sessions.py",
        "authsvc/gunicorn.py",
        "authsvc/templates/demo.html",
        "authsvc/templates/docs.html",
        "authsvc/static/docs/docs.css",
        "authsvc/static/demo/demo.js",
    } <= names
    every = {str(path.relative_to(ROOT)) for path in (ROOT / "authsvc").rglob("*.py")}
    assert every <= names


def test_the_wheel_contains_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"authsvc"}
    assert not [name for name in names if name.endswith((".env", ".db", ".pyc"))]


def test_an_installed_copy_keeps_its_instance_in_the_working_directory(
    installed: Path, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    before = {path for path in installed.rglob("*") if path.suffix != ".pyc"}
    path = {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    script = [sys.executable, installed / "bin" / "authsvc"]
    assert f"Wrote {work}/instance/authsvc.env" in run(*script, "init", cwd=work, **path)
    assert "up to date" in run(*script, "db", "upgrade", cwd=work, **path)
    found = run(sys.executable, "-c", "import authsvc; print(authsvc.__file__)", cwd=work, **path)
    assert found.strip() == str(installed / "authsvc" / "__init__.py")
    names = {path.name for path in (work / "instance").iterdir()}
    assert {"authsvc.env", "authsvc.db"} <= names
    assert {path for path in installed.rglob("*") if path.suffix != ".pyc"} == before


@pytest.fixture(scope="module")
def guarded(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel, no extras, and the versions tested here."""
    folder = tmp_path_factory.mktemp("guarded")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    versions = {found.metadata["Name"]: found.version for found in distributions()}
    versions.pop("authsvc", None)
    (folder / "versions").write_text("".join(f"{n}=={v}\n" for n, v in versions.items()))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    install = ["--python", folder / "venv", "install", "--constraint", folder / "versions", wheel]
    run(*pip, *install, cwd=folder, **os.environ)
    return folder / "venv" / "bin"


def test_without_extras_the_guard_protects_a_flask_app(guarded: Path, tmp_path: Path) -> None:
    user = uuid4()
    (tmp_path / "notes.py").write_text(NOTES)
    script = f"""
from notes import app
ask = app.test_client().get
alice = {{"Authorization": "Bearer {access_token_of(user)}"}}
assert ask("/notes").json["code"] == "access_token_missing"
assert ask("/notes", headers=alice).json == {{"of": "{user}"}}
assert ask("/admin", headers=alice).json["code"] == "forbidden"
assert ask("/open").status_code == 200
"""
    run(guarded / "python", "-c", script, cwd=tmp_path)


def access_token_of(user: UUID) -> str:
    """Return an access token as the service at ISSUER issues it."""
    tokens = AccessTokens(access_keyring(hmac_key(ACCESS_SECRET)), ISSUER, ISSUER, ttl=600)
    now = clock.now()
    ends = now + timedelta(days=7)
    issued = tokens.issue(sub=user, sid=uuid4(), auth_time=now, session_ends=ends, now=now)
    return issued.access_token


def test_without_extras_at_most_30_mb_are_installed(guarded: Path) -> None:
    found = guarded.parent.rglob("*")
    files = [file for file in found if file.is_file() and not file.is_symlink()]
    assert sum(file.stat().st_blocks * 512 for file in files) < MOST_MEGABYTES * 1_000_000


@pytest.mark.parametrize("command", ["authsvc serve", "python -m authsvc serve"])
def test_without_the_server_extra_a_command_says_so(
    guarded: Path, tmp_path: Path, command: str
) -> None:
    name, *words = command.split()
    done = subprocess.run([guarded / name, *words], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("authsvc serve needs the [server] extra (")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("module", "name"),
    [("authsvc", "create_app"), ("authsvc", "db"), ("authsvc.openapi", "answers")],
)
def test_without_the_server_extra_an_import_says_so(
    guarded: Path, tmp_path: Path, module: str, name: str
) -> None:
    words = [guarded / "python", "-c", f"from {module} import {name}"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    last_line = done.stderr.splitlines()[-1]
    assert re.match(rf"ImportError: [\w.]*{name} needs the \[server\] extra \(", last_line)


def run_without(missing: tuple[str, ...], script: str, database: str, cwd: Path) -> str:
    """Run Python that finds none of these packages; return what it prints."""
    hide = f"import sys; sys.modules.update(dict.fromkeys({missing}))\n"
    variables = environment(database) | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", hide + script],
        cwd=cwd,
        env=variables,
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


def test_without_the_other_extras_the_service_runs_on_sqlite(tmp_path: Path) -> None:
    script = """
from authsvc import create_app
from authsvc.cli import main
main(["db", "upgrade"], standalone_mode=False)
print(create_app().test_client().get("/readyz").json)
"""
    missing = ("limits", "redis", "psycopg")
    shown = run_without(missing, script, f"sqlite:///{tmp_path / 'authsvc.db'}", tmp_path)
    assert "{'status': 'ok'}" in shown


def test_without_the_postgres_extra_the_database_url_is_refused(tmp_path: Path) -> None:
    script = "from authsvc.cli import main; main(['db', 'upgrade'])"
    url = "postgresql://authsvc@db.example.com/authsvc"
    shown = run_without(("psycopg",), script, url, tmp_path)
    assert "AUTHSVC_DATABASE_URL needs the [postgres] extra" in shown
    assert "Traceback" not in shown


def test_gunicorn_is_limited_to_the_tested_line(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        needs = message_from_bytes(archive.read(name)).get_all("Requires-Dist", [])
    assert 'gunicorn<27.1,>=27.0; extra == "server"' in needs
    assert version("gunicorn").startswith("27.0.")
