"""docs/your-app.md: each listing, run in an empty folder as a reader would run it."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import MakeDatabase
from tests.support.programs import program
from tests.support.running_service import ROOT, Service, environment, serving
from tests.support.warm_starts import COMMANDS, start_module

DOC = (ROOT / "docs" / "your-app.md").read_text(encoding="utf-8")
LISTINGS = re.findall(r"^```(\w+)\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)
NAME = re.compile(r"(?:#|/\*) ([\w/]+\.\w+)(, continued|, in create_app)?(?: \*/)?\n")
INSTALLS = "pip install"
"""The only listing that is not run: the machine that tests has no registry."""
SECONDS = 120


@dataclass
class Project:
    """The reader's folder, and the databases that they use."""

    folder: Path
    url: str
    test_url: str

    @property
    def env(self) -> dict[str, str]:
        env = environment(self.url) | {"PYTHONPATH": str(ROOT)}
        return env | {"TEST_DATABASE_URL": self.test_url, "PYTEST_ADDOPTS": "-p no:cacheprovider"}

    def run(self, script: str) -> str:
        """Run a shell script in the folder and return what it printed."""
        done = subprocess.run(
            [program("bash"), "-eu", "-c", script],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def run_commands(self, script: str) -> str:
        """Run a listing that has only commands of Python, and return what they printed."""
        output = self.folder / "output"
        output.write_text("")
        for line in script.splitlines():
            if words := shlex.split(line, comments=True):
                started = start_module(words, self.folder, self.env, output, COMMANDS)
                assert started.wait(SECONDS) == 0, output.read_text()
        return output.read_text()


def shell(holding: str) -> str:
    """Return the only shell listing that contains that text."""
    (found,) = (text for kind, text in LISTINGS if kind == "sh" and holding in text)
    return found


def write_files(folder: Path) -> None:
    """Write each file of the page, in the order of the page."""
    for _, text in LISTINGS:
        if (named := NAME.match(text)) is None:
            continue
        file, how = folder / named[1], named[2]
        file.parent.mkdir(exist_ok=True)
        if how == ", in create_app":
            before, line, after = file.read_text().partition("    app.register_blueprint(notes)\n")
            assert line
            text = before + line + text[named.end() :] + after
        elif how:
            text = f"{file.read_text()}\n\n{text[named.end() :]}"
        file.write_text(text)


@pytest.fixture(scope="module")
def project(make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The app of the page, with its tables."""
    project = Project(tmp_path_factory.mktemp("notes-app"), make_database(), make_database())
    write_files(project.folder)
    project.run_commands(shell("authsvc init"))
    return project


@pytest.fixture(scope="module")
def service(project: Project) -> Iterator[Service]:
    log = project.folder / "log"
    with serving(project.url, log, workers=1, cwd=project.folder) as service:
        yield service


def curl(project: Project, service: Service, script: str) -> list[str]:
    """Run a listing with curl, and return the lines that it printed."""
    script = script.replace("localhost:8000", f"localhost:{service.port}")
    said = project.run(re.sub(r"^curl ", r"curl -sS -w '\\n' ", script, flags=re.MULTILINE))
    return [line for line in said.splitlines() if line]


def test_each_listing_of_the_page_is_run_here() -> None:
    files = [text for _, text in LISTINGS if NAME.match(text)]
    scripts = [text for kind, text in LISTINGS if kind == "sh" and INSTALLS not in text]
    tested = map(shell, ("authsvc init", "auth/register", "pytest test_notes.py", "db check"))
    assert sorted(scripts) == sorted(tested)
    assert len(files) + len(scripts) == len(LISTINGS) - 3  # the installation, JSON, a line of a log


def test_autogenerate_wrote_the_own_table_alone(project: Project) -> None:
    (script,) = (project.folder / "migrations" / "versions").glob("*_notes.py")
    text = script.read_text()
    assert re.findall(r"\bop\.(\w\w+)\('(\w+)'", text) == [
        ("create_table", "notes"),
        ("batch_alter_table", "notes"),
        ("batch_alter_table", "notes"),
        ("drop_table", "notes"),
    ]
    assert "['user_id'], ['users.id'], name=op.f('fk_notes_user_id'), ondelete='CASCADE'" in text


def test_the_tests_of_the_page_pass(project: Project) -> None:
    said = project.run_commands(
        shell("pytest test_notes.py").replace("_notes.py", "_notes.py test_elsewhere.py")
    )
    assert "6 passed" in said


def test_the_session_with_curl(project: Project, service: Service) -> None:
    lines = curl(project, service, shell("auth/register"))
    registered, added, listed, refused = map(json.loads, lines)
    assert registered["email"] == "alice@example.com"
    assert listed == {"notes": [added]} == {"notes": [{"id": added["id"], "text": "Buy milk"}]}
    assert (refused["status"], refused["code"]) == (401, "access_token_missing")
    upload(project, service)
    errors(project, service)


def ask(project: Project, service: Service, words: str) -> str:
    token = json.loads((project.folder / "login.json").read_text())["access_token"]
    return project.run(f'curl -sS -H "Authorization: Bearer {token}" {service.url}{words}')


def upload(project: Project, service: Service) -> None:
    (project.folder / "picture").write_bytes(b"x" * 5_000_000)
    chunked = '-H "Transfer-Encoding: chunked"'
    for how in ("", chunked):
        said = ask(project, service, f"/api/notes/picture -X PUT {how} --data-binary @picture")
        assert json.loads(said) == {"bytes": 5_000_000}
    (project.folder / "picture").write_bytes(b"x" * 5_000_001)
    for how in ("", chunked):
        said = ask(project, service, f"/api/notes/picture -X PUT {how} --data-binary @picture")
        assert json.loads(said)["code"] == "request_too_large"


def errors(project: Project, service: Service) -> None:
    missing = json.loads(ask(project, service, "/api/notes/999999"))
    assert missing == json.loads(next(text for kind, text in LISTINGS if kind == "json"))
    full = json.loads(ask(project, service, "/api/notes/import -X POST"))
    assert (full["status"], full["code"], full["type"]) == (
        409,
        "notebook_full",
        "/docs#notebook_full",
    )
    assert 'id="notebook_full"' in ask(project, service, "/docs")


def test_the_page_and_its_stylesheet(project: Project, service: Service) -> None:
    page = project.run(f"curl -sS -i {service.url}/notes")
    assert "Content-Security-Policy: default-src 'self'; base-uri 'none'" in page
    assert page.count("Content-Security-Policy") == 1
    style = project.run(f"curl -sS -i {service.url}/notes/static/notes.css")
    assert "200 OK" in style
    assert "Content-Security-Policy: default-src 'none'" in style
    assert "Cache-Control: no-cache" in style
    assert "darkgreen" in style


def test_a_changed_model_is_migrated(project: Project, service: Service) -> None:
    file = project.folder / "notes.py"
    before = file.read_text()
    file.write_text(
        before.replace(
            "    text: Mapped[str]\n", "    text: Mapped[str]\n    title: Mapped[str | None]\n"
        )
    )
    try:
        said = project.run_commands(shell("db check"))
    finally:
        file.write_text(before)
    assert "No new upgrade operations detected." in said
    (script,) = (project.folder / "migrations" / "versions").glob("*_a_title_for_each_note.py")
    assert re.findall(r"op\.(\w+)\(", script.read_text().replace("batch_op.", "op.")) == [
        "batch_alter_table",
        "add_column",
        "batch_alter_table",
        "drop_column",
    ]
    assert json.loads(ask(project, service, "/api/notes"))["notes"]
