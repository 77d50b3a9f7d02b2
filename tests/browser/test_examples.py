"""The pages of examples/: each is type-checked, built, and used in Chromium."""

import fcntl
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from authsvc import create_app
from authsvc.settings import Settings
from tests.browser.conftest import PASSWORD
from tests.browser.example_site import EXAMPLES, PAGES
from tests.support.programs import program
from tests.support.running_service import Service, environment, new_database, serving

ROOT = EXAMPLES.parent
CLIENT = ROOT / "authsvc/static"
BUILT = EXAMPLES / "node_modules/.built"
FRAMEWORKS = ["react", "vue", "svelte", "next"]
OBSERVER = """new MutationObserver(() => {
  window.sawForm ||= Boolean(document.querySelector("form"));
}).observe(document, { childList: true, subtree: true });"""


def npm(*words: str, folder: Path = EXAMPLES) -> None:
    done = subprocess.run(
        [program("npm"), "--silent", *words],
        cwd=folder,
        env={**os.environ, "NEXT_TELEMETRY_DISABLED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout


def fingerprint(document: str) -> str:
    """Return a hash of everything that the pages are built from."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", EXAMPLES, CLIENT]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [ROOT / name for name in sorted(names.split())]
    parts = [file.read_bytes() for file in files if file.is_file()]
    return hashlib.sha256(b"\0".join([document.encode(), *parts])).hexdigest()


def install_client() -> None:
    """Copy the client as it is now: npm's copy is of the day of `npm ci`."""
    names = json.loads((CLIENT / "package.json").read_text())["files"]
    for name in ["package.json", *names]:
        copy = EXAMPLES / "node_modules/authsvc" / name
        copy.write_bytes((CLIENT / name).read_bytes())


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Check and build all pages, once for all test processes of a run."""
    program("npm")
    assert (EXAMPLES / "node_modules").is_dir(), "run `npm ci` in examples, or `make test`"
    settings = environment(f"sqlite:///{tmp_path_factory.mktemp('document') / 'authsvc.db'}")
    app = create_app(
        Settings.model_validate(
            {
                name.removeprefix("AUTHSVC_").lower(): value
                for name, value in settings.items()
                if name.startswith("AUTHSVC_")
            }
        )
    )
    document = app.test_client().get("/openapi.json").text
    with (EXAMPLES / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        current = fingerprint(document)
        if BUILT.is_file() and BUILT.read_text() == current:
            return
        install_client()
        described = tmp_path_factory.mktemp("document") / "openapi.json"
        described.write_text(document)
        npm("exec", "openapi-typescript", "--", str(described), "-o", "libraries/src/schema.d.ts")
        npm("run", "check")
        npm("run", "build")
        BUILT.write_text(current)


@pytest.fixture(scope="module")
def site(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("site")
    app = "tests.browser.example_site:make_site()"
    with serving(new_database(folder), folder / "log", app=app, rate_limit_factor="100") as running:
        yield running


@pytest.fixture
def person(site: Service, email: str) -> str:
    """The address of a user who has an account."""
    with site.connected() as connection:
        body = json.dumps({"email": email, "password": PASSWORD})
        connection.request("POST", "/auth/register", body, {"Content-Type": "application/json"})
        assert connection.getresponse().status == 201
    return email


def log_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_person_logs_in_reloads_and_logs_out(
    page: Page, site: Service, person: str, framework: str
) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.add_init_script(OBSERVER)
    page.goto(f"{site.url}/{framework}/")
    log_in(page, person, "a password that is wrong")
    expect(page.locator("p[role=alert]")).to_have_text("Wrong e-mail or password.")
    log_in(page, person)
    expect(page.get_by_role("heading")).to_have_text(person)

    page.reload()
    expect(page.get_by_role("heading")).to_have_text(person)
    assert not page.evaluate("window.sawForm"), "the form flashed at a user who is logged in"

    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert faults == []


def test_each_library_sends_the_token(page: Page, site: Service, person: str) -> None:
    messages: list[str] = []

    def talk(socket: WebSocketRoute) -> None:
        def receive(message: str | bytes) -> None:
            messages.append(str(message))
            socket.send("welcome")

        socket.on_message(receive)

    page.route_web_socket("**/api/socket", talk)
    page.goto(f"{site.url}/react/")
    log_in(page, person)
    expect(page.get_by_role("heading")).to_have_text(person)
    me = page.evaluate("fetch('/auth/refresh', { method: 'POST' }).then((sent) => sent.json())")
    with site.connected() as connection:
        bearer = {"Authorization": f"Bearer {me['access_token']}"}
        connection.request("GET", "/api/me", headers=bearer)
        user = json.load(connection.getresponse())["id"]

    page.goto(f"{site.url}/libraries/")
    shown = {
        "react-query": "1",
        "axios": person,
        "ky": person,
        "openapi-fetch": person,
        "events": f"hello {user}",
        "socket": "welcome",
        "upload": "201 1",
        "service worker": "70 px",
    }
    for name, text in shown.items():
        expect(page.locator(f"output[id='{name}']")).to_have_text(text)
    assert [sorted(json.loads(message)) for message in messages] == [["access_token"]]


def test_every_example_is_served_by_the_test() -> None:
    apps = {folder.parent.name for folder in EXAMPLES.glob("*/tsconfig.json")} | {
        folder.parent.name for folder in EXAMPLES.glob("*/vite.config.ts")
    }
    assert apps == set(PAGES)
