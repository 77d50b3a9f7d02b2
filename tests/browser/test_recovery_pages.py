"""The three pages of docs/recovery.md, on another origin that the service allows."""

import re
import time
from collections.abc import Callable, Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD
from tests.support.running_service import ROOT, Service, new_database, serving

DOC = (ROOT / "docs" / "recovery.md").read_text(encoding="utf-8")
NEW = "a lamp that is not lit"
MAIL_SECONDS = 10
_numbers = count(1)


class Reader:
    """A person who reads mail, and opens links in a browser.

    Args:
        page: the browser's tab.
        service: writes its mails into a folder.
        folder: that folder.
    """

    def __init__(self, page: Page, service: Service, folder: Path) -> None:
        self.page = page
        self.url = service.url
        self.folder = folder
        self.email = f"reader{next(_numbers)}@example.com"
        self.says = page.get_by_role("status")

    def ask(self, path: str, **body: str) -> None:
        answer = self.page.request.post(f"{self.url}{path}", data=body)
        assert answer.status in (200, 201, 202), answer.text()

    def open_link(self, to: str, subject: str) -> None:
        """Wait for a mail, and open its link, which leads to one of the pages."""
        mail = wait_for(lambda: self._mail(to, subject))
        body = mail.get_body(("plain",))
        assert body is not None
        (link,) = re.findall(r"http://\S+#token=\S+", body.get_content())
        self.page.goto(link)
        self.page.set_content(page_of(link).replace("http://localhost:8000", self.url))

    def _mail(self, to: str, subject: str) -> EmailMessage | None:
        for file in sorted(self.folder.glob("*.eml"), reverse=True):
            mail = BytesParser(policy=policy.default).parsebytes(file.read_bytes())
            if mail["To"] == to and subject in mail["Subject"]:
                return mail
        return None


def wait_for(find: Callable[[], EmailMessage | None]) -> EmailMessage:
    deadline = time.monotonic() + MAIL_SECONDS
    while time.monotonic() < deadline:
        if found := find():
            return found
        time.sleep(0.05)
    raise AssertionError("no such mail came")


def page_of(link: str) -> str:
    """Return the page that the document shows for a link's path."""
    path = re.sub(r"^https?://[^/]+|#.*", "", link)
    (html,) = re.findall(rf"^`{path}`.*?```html\n(.*?)```", DOC, re.MULTILINE | re.DOTALL)
    return str(html)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recovery")


@pytest.fixture(scope="module")
def mailing(folder: Path, spa: str) -> Iterator[Service]:
    settings = {
        "mail_url": f"file://{folder}",
        "mail_from": "Example <no-reply@example.com>",
        "app_url": spa,
        "allowed_origins": spa,
    }
    with serving(new_database(folder), folder / "log", workers=1, **settings) as running:
        yield running


@pytest.fixture
def reader(page: Page, mailing: Service, folder: Path) -> Reader:
    reader = Reader(page, mailing, folder)
    reader.ask("/auth/register", email=reader.email, password=PASSWORD)
    return reader


def test_a_reader_sets_a_new_password_by_the_page(reader: Reader) -> None:
    reader.ask("/auth/password/forgot", email=reader.email)
    reader.open_link(reader.email, "new password")
    assert "#" not in reader.page.url
    reader.page.get_by_label("New password").fill("short")
    reader.page.get_by_role("button").click()
    expect(reader.says).not_to_be_empty()
    reader.page.get_by_label("New password").fill(NEW)
    reader.page.get_by_role("button").click()
    expect(reader.says).to_have_text("Saved. Log in with it.")
    reader.ask("/auth/login", email=reader.email, password=NEW)


def test_a_reader_verifies_the_address_by_the_page(reader: Reader) -> None:
    reader.open_link(reader.email, "onfirm")
    reader.page.get_by_label("Your password").fill("not the password")
    reader.page.get_by_role("button").click()
    expect(reader.says).to_contain_text("wrong")
    reader.page.get_by_label("Your password").fill(PASSWORD)
    reader.page.get_by_role("button").click()
    expect(reader.says).to_have_text("Verified.")


def test_a_reader_who_is_logged_in_verifies_without_the_password(reader: Reader) -> None:
    reader.ask("/auth/login", email=reader.email, password=PASSWORD)
    reader.open_link(reader.email, "onfirm")
    expect(reader.says).to_have_text("Verified.")


def test_a_reader_changes_the_address_by_the_page(reader: Reader) -> None:
    credentials = {"email": reader.email, "password": PASSWORD}
    login = reader.page.request.post(f"{reader.url}/auth/login", data=credentials)
    bearer = {"Authorization": f"Bearer {login.json()['access_token']}"}
    new = f"new.{reader.email}"
    path = f"{reader.url}/api/me/email"
    assert reader.page.request.post(path, data={"email": new}, headers=bearer).status == 202
    reader.open_link(new, "ddress")
    reader.page.get_by_role("button").click()
    expect(reader.says).to_have_text("Changed.")
    reader.ask("/auth/login", email=new, password=PASSWORD)


def test_each_page_has_at_most_ten_lines_of_its_own() -> None:
    pages = re.findall(r"```html\n(.*?)```", DOC, re.DOTALL)
    scripts = [page.split('<script type="module">\n')[1].split("</script>")[0] for page in pages]
    assert len(scripts) == 3
    assert max(len(script.splitlines()) for script in scripts) <= 10
