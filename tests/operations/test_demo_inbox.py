"""GET /demo/inbox and what it reads: the mails that the service wrote into a folder."""

import os
import re
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urljoin

import pytest
from flask import Flask

from authsvc.operations.mail_files import MAX_BYTES, MAX_MAILS
from tests.conftest import MakeApp

INBOX = "/demo/inbox"
MAILS = f"{INBOX}/mails"
LINK = re.compile(r'(?:href|src)="([^"#]+)')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the mails, with white space in its path."""
    made = tmp_path / "the mails"
    made.mkdir()
    return made


@pytest.fixture
def app(make_app: MakeApp, folder: Path) -> Flask:
    return make_app(
        demo=True,
        mail_url=folder.as_uri(),
        mail_from="Example <no-reply@example.com>",
        app_url="http://localhost:8000/demo",
    )


def write(folder: Path, id: str, at: float, content: bytes | None = None) -> None:
    """Write a mail of that age, or any other content."""
    message = EmailMessage()
    message["From"] = "Example <no-reply@example.com>"
    message["To"] = "alice@example.com"
    message["Subject"] = f"Grüße {id}"
    message.set_content("Hello Alice")
    message.add_alternative("<p>Hello <b>Alice</b>", subtype="html")
    file = folder / f"{id}.eml"
    file.write_bytes(message.as_bytes() if content is None else content)
    os.utime(file, (at, at))


@pytest.mark.once
def test_the_inbox_lists_the_mails_newest_first(app: Flask, folder: Path) -> None:
    write(folder, "older", 1_800_000_000)
    write(folder, "newer", 1_800_000_060)
    (folder / ".unfinished").write_bytes(b"From: ")
    answer = app.test_client().get(MAILS)
    assert [mail["id"] for mail in answer.json["mails"]] == ["newer", "older"]
    assert answer.json["mails"][0] == {
        "id": "newer",
        "at": "2027-01-15T08:01:00Z",
        "sender": "Example <no-reply@example.com>",
        "recipient": "alice@example.com",
        "subject": "Grüße newer",
    }


@pytest.mark.once
def test_a_mail_is_opened_as_text_and_as_html_that_can_do_nothing(app: Flask, folder: Path) -> None:
    write(folder, "a", 1_800_000_000)
    client = app.test_client()
    mail = client.get(f"{MAILS}/a").json
    assert (mail["subject"], mail["text"], mail["has_html"]) == ("Grüße a", "Hello Alice\n", True)
    html = client.get(f"{MAILS}/a/html")
    assert "<p>Hello <b>Alice</b>" in html.text
    policy = html.headers["Content-Security-Policy"].split("; ")
    assert {"sandbox allow-top-navigation-by-user-activation", "default-src 'none'"} < set(policy)
    assert not [rule for rule in policy if rule.startswith(("script-src", "connect-src"))]


@pytest.mark.once
@pytest.mark.parametrize(
    "content",
    [
        b"",
        bytes(range(256)) * 50,
        b"From: =?utf-8?b?/////?=\nTo: <<<@@\nSubject: =?x?q?=\n\n\xff",
        b"Content-Type: text/html; charset=unknown-8\n\n<p>\xff",
        b"Content-Type: multipart/alternative; boundary=x\n\n--x\nContent-Type: text/",
        b"From: " + b"a" * (2 * MAX_BYTES),
        b"To: \xff\xfe\nContent-Type: text/plain; charset=utf-16\n\n\xd8",
    ],
)
def test_a_file_that_is_not_a_mail_is_shown_too_and_breaks_nothing(
    app: Flask, folder: Path, content: bytes
) -> None:
    write(folder, "mail", 1_800_000_000)
    write(folder, "other", 1_800_000_060, content)
    client = app.test_client()
    ids = [mail["id"] for mail in client.get(MAILS).json["mails"]]
    assert ids == ["other", "mail"]
    opened = client.get(f"{MAILS}/other")
    assert opened.status_code == 200
    assert client.get(f"{MAILS}/other/html").status_code == (
        200 if opened.json["has_html"] else 404
    )


@pytest.mark.once
def test_the_inbox_holds_a_bounded_number_of_mails(app: Flask, folder: Path) -> None:
    for number in range(MAX_MAILS + 2):
        write(folder, f"{number}", 1_800_000_000 + number, b"Subject: x\n\n")
    client = app.test_client()
    ids = [int(mail["id"]) for mail in client.get(MAILS).json["mails"]]
    assert ids == list(range(MAX_MAILS + 1, 1, -1))
    assert client.get(f"{MAILS}/2").status_code == 200
    assert client.get(f"{MAILS}/1").status_code == 404


@pytest.mark.once
def test_the_list_is_sent_again_only_if_a_file_has_changed(app: Flask, folder: Path) -> None:
    write(folder, "a", 1_800_000_000)
    client = app.test_client()
    known = {"If-None-Match": client.get(MAILS).headers["ETag"]}
    assert client.get(MAILS, headers=known).status_code == 304
    write(folder, "b", 1_800_000_000)
    assert len(client.get(MAILS, headers=known).json["mails"]) == 2


@pytest.mark.once
def test_a_missing_folder_is_an_empty_inbox(app: Flask, folder: Path) -> None:
    folder.rmdir()
    client = app.test_client()
    assert client.get(INBOX).status_code == 200
    assert client.get(MAILS).json == {"mails": []}


@pytest.mark.once
@pytest.mark.parametrize(
    "name", ["../secret", "..%2Fsecret", "%2e%2e%2fsecret", "other/../../secret", "*", "secret"]
)
def test_no_file_outside_of_the_folder_is_read(app: Flask, folder: Path, name: str) -> None:
    write(folder.parent, "secret", 1_800_000_000)
    (folder / "folder.eml").mkdir()
    client = app.test_client()
    assert client.get(f"{MAILS}/{name}").status_code in (401, 404)
    assert client.get(f"{MAILS}/folder").status_code == 404
    assert client.get(MAILS).json == {"mails": []}


@pytest.mark.once
@pytest.mark.parametrize("url", [None, "smtp://localhost:2525"])
def test_there_is_no_inbox_without_a_folder(make_app: MakeApp, url: str | None) -> None:
    mail = {"mail_from": "no-reply@example.com", "app_url": "http://localhost:8000/demo"}
    client = make_app(demo=True, **({"mail_url": url, **mail} if url else {})).test_client()
    for path in (INBOX, MAILS, f"{MAILS}/a", f"{MAILS}/a/html"):
        assert client.get(path).status_code == 404
    assert "inbox" not in client.get("/demo").text
    for page in ("reset-password", "verify-email", "change-email"):
        assert client.get(f"/demo/{page}").status_code == (200 if url else 404)
    assert ('data-shows="forgot"' in client.get("/demo").text) is bool(url)


@pytest.mark.once
@pytest.mark.parametrize("page", ["inbox", "reset-password", "verify-email", "change-email"])
def test_each_module_and_link_of_the_pages_is_the_services_own(app: Flask, page: str) -> None:
    client = app.test_client()
    answer = client.get(f"/demo/{page}")
    assert "'unsafe" not in answer.headers["Content-Security-Policy"]
    links = {urljoin(f"/demo/{page}", link) for link in LINK.findall(answer.text)}
    assert {"/demo/demo.css", "/docs/look.css", "/demo/inbox", "/demo"} < links
    assert [link for link in links if client.get(link).status_code != 200] == []


@pytest.mark.once
def test_password_managers_find_the_kind_of_each_password(app: Flask) -> None:
    client = app.test_client()
    kinds = re.compile(r'autocomplete="([^"]+)"')
    assert kinds.findall(client.get("/demo/reset-password").text) == [
        "username",
        "new-password",
        "username",
    ]
    assert kinds.findall(client.get("/demo/verify-email").text) == [
        "username",
        "current-password",
        "username",
    ]


@pytest.mark.once
def test_there_is_no_inbox_without_the_demo(mail_app: Flask) -> None:
    assert mail_app.test_client().get(INBOX).status_code == 404
    assert mail_app.test_client().get("/demo/reset-password").status_code == 404


@pytest.mark.once
@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({}, "192.168.1.5"),
        ({"Host": "evil.example"}, "127.0.0.1"),  # a page whose name was rebound to this machine
    ],
)
def test_other_machines_see_no_mail_and_no_link_to_the_inbox(
    app: Flask, folder: Path, headers: dict[str, str], address: str
) -> None:
    """The link of a mail opens an account."""
    write(folder, "secret", 1_800_000_000)
    client = app.test_client()
    for path in (INBOX, MAILS, f"{MAILS}/secret", f"{MAILS}/secret/html"):
        answer = client.get(path, headers=headers, environ_base={"REMOTE_ADDR": address})
        assert answer.status_code == 404
    page = client.get("/demo", headers=headers, environ_base={"REMOTE_ADDR": address})
    assert "inbox" not in page.text
