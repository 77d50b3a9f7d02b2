"""/openapi.json as other programs read it: three generators of clients, and a linter."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.support.local_server import local_server
from tests.support.programs import program
from tests.support.running_service import ROOT

HERE = Path(__file__).parent
BIN = HERE / "node_modules" / ".bin"
TSC = ROOT / "tests" / "client" / "node_modules" / ".bin" / "tsc"
"""A sixth of the work of TypeScript 5, which the generators need."""
STRICT = {
    "strict": True,
    "noUncheckedIndexedAccess": True,
    "skipLibCheck": True,
    "module": "nodenext",
    "target": "es2022",
    "types": ["node"],
}

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("app")]  # `app` empties the database


@pytest.fixture(scope="module")
def service(make_app: MakeApp, mail_settings: dict[str, str]) -> Flask:
    """The service with mail, so that the document has all routes."""
    return make_app(rate_limit_factor=1000, **mail_settings)


@pytest.fixture(scope="module")
def url(service: Flask) -> Iterator[str]:
    """The URL of the service, in this process."""
    with local_server(service) as url:
        yield url


@pytest.fixture(scope="module")
def document(service: Flask, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file with the service's description."""
    file = tmp_path_factory.mktemp("document") / "openapi.json"
    file.write_bytes(service.test_client().get("/openapi.json").data)
    return file


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder for a TypeScript program, with the packages of this one."""
    program("npm")
    (tmp_path / "node_modules").symlink_to(HERE / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": STRICT}))
    return tmp_path


def run(*command: str | Path, cwd: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(cwd), "REDOCLY_TELEMETRY": "off"}
    ran = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def compile_and_run(name: str, project: Path, url: str) -> None:
    """Compile a program of this folder under strict, and run it against the service."""
    (project / name).write_text((HERE / name).read_text())
    run(TSC, "--project", ".", cwd=project)
    run("node", project / name.replace(".ts", ".js"), url, cwd=project)


def test_openapi_fetch_logs_in_and_meets_typed_errors(
    document: Path, project: Path, url: str
) -> None:
    run(BIN / "openapi-typescript", document, "--output", "schema.ts", cwd=project)
    compile_and_run("openapi_fetch.ts", project, url)


def test_hey_api_logs_in_and_meets_typed_errors(document: Path, project: Path, url: str) -> None:
    (project / "openapi.json").write_bytes(document.read_bytes())
    config = "openapi-ts.config.mjs"
    (project / config).write_text((HERE / config).read_text())
    run(BIN / "openapi-ts", "--file", config, cwd=project)
    compile_and_run("hey_api.ts", project, url)


def test_openapi_python_client_logs_in_and_meets_typed_errors(
    document: Path, tmp_path: Path, url: str
) -> None:
    (tmp_path / "config.yml").write_text("post_hooks: []\n")
    generate = [Path(sys.executable).with_name("openapi-python-client"), "generate"]
    generate += ["--config", "config.yml", "--path", document, "--meta", "none"]
    run(*generate, "--output-path", "authsvc_client", "--fail-on-warning", cwd=tmp_path)
    (tmp_path / "main.py").write_text((HERE / "python_client.py").read_text())
    cache = f"--cache-dir={ROOT / '.mypy_cache' / 'generated_clients'}"
    run(sys.executable, "-m", "mypy", "--strict", cache, "main.py", cwd=tmp_path)
    run(sys.executable, "main.py", url, cwd=tmp_path)


def test_redocly_finds_nothing(document: Path, project: Path) -> None:
    (project / "redocly.yaml").write_text((HERE / "redocly.yaml").read_text())
    run(BIN / "redocly", "lint", "--config", "redocly.yaml", document, cwd=project)
