"""The wheel: what it holds, and that it runs where there is no checkout."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.gunicorn_server import ROOT


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(cwd), **variables}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that nothing is left in the checkout."""
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


def test_the_wheel_holds_what_the_code_reads(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "authsvc/py.typed",
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


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
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
